// `routes[].logout.relay`: the application's logout URL is called, as one of its user's requests, when their session ends
// anywhere and for whatever reason: the application's own session must not outlive it.

import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import type { JarStore } from '../session/jar-store.ts';
import type { StoredSession } from '../session/session-record.ts';
import type { FollowUp } from './follow-up.ts';
import { inTurns } from './in-turns.ts';
import type { UrlCaller } from './url-caller.ts';

/** The jars of one session, by name. */
export type Jars = ReadonlyMap<string, readonly string[]>;

export interface Relay {
  readonly route: string;
  readonly url: string;
  readonly method: 'GET' | 'POST';
  /** Whether what it is called with comes out of a jar. */
  readonly hasJar: boolean;
  readonly caller: UrlCaller;
  /** Whether the application of this session is the one that is called: a route may have several, each with a relay. */
  serves(session: StoredSession): boolean;
  /** What to call with, once for each session that the user has at the application; empty: there is none to end. */
  headersFor(session: StoredSession, jars: Jars): Promise<readonly Readonly<Record<string, string>>[]>;
}

export interface RelayLogoutOptions {
  readonly relays: readonly Relay[];
  /** undefined: no application has one. */
  readonly jars: JarStore | undefined;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** Sessions whose calls wait at once; the caller bounds how many are under way. */
const AT_ONCE = 64;
/** After a mass logout: whoever has not had a turn by then is given up, or a dead application would be called for hours. */
const LONGEST_MS = 5 * 60_000;
/** What is given up is told in slices that leave room for other users. */
const SLICE = 100;

/** Builds the follow-up; a call that is given up is `relay.failed`. */
export function createRelayLogout(options: RelayLogoutOptions): FollowUp {
  return async (sessions, { endedAt }) => {
    const relaysFor = (session: StoredSession) =>
      options.relays.filter(
        (relay) =>
          relay.serves(session) && (session.record.handle !== endedAt?.handle || relay.route !== endedAt.route),
      );
    const until = options.clock.monotonicMs() + LONGEST_MS;
    let givenUp = 0;
    await inTurns(sessions, AT_ONCE, async (session) => {
      if (options.clock.monotonicMs() <= until) return relaySession(options, relaysFor(session), session);
      for (const { route } of relaysFor(session)) tellFailure(options, session, { route, ...TOO_LATE });
      if (++givenUp % SLICE === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    });
  };
}

interface Failure {
  readonly route: string;
  readonly attempts: number;
  readonly gaveUp: string;
}

const TOO_LATE = { attempts: 0, gaveUp: 'its turn came too late' };

async function relaySession(
  options: RelayLogoutOptions,
  relays: readonly Relay[],
  session: StoredSession,
): Promise<void> {
  let jars: Jars | undefined;
  try {
    // Also where no relay is called: they are nobody's any more.
    jars = options.jars === undefined ? new Map() : await options.jars.takeOut(session);
  } catch {
    const failure = { attempts: 0, gaveUp: "the session's cookies could not be read" };
    for (const { route, hasJar } of relays) if (hasJar) tellFailure(options, session, { route, ...failure });
  }
  const called = jars === undefined ? relays.filter(({ hasJar }) => !hasJar) : relays;
  await Promise.all(
    called.map(async ({ route, url, method, caller, headersFor }) => {
      const calls = await headersFor(session, jars ?? new Map());
      await Promise.all(
        calls.map(async (headers) => {
          const outcome = await caller.call({ url, method, headers });
          if (outcome !== 'answered') tellFailure(options, session, { route, ...outcome });
        }),
      );
    }),
  );
}

function tellFailure({ emit }: RelayLogoutOptions, { record }: StoredSession, failure: Failure): void {
  const { user, sub, handle } = record;
  const { route, attempts, gaveUp } = failure;
  emit({ event: 'relay.failed', call: 'relay', route, user, sub, session: handle, attempts, why: gaveUp });
}
