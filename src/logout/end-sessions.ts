// The one function that ends sessions, whatever the trigger (design: what happens at the end of a session, in this order):
// mark, tell, stop, and only then return; closes, what others are told, and the audit events follow in the background.

import type { Clock } from '../base/clock.ts';
import type { ConnectionCounts, Emit } from '../base/events.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { StoredSession } from '../session/session-record.ts';
import type { EndSelector, SessionStore } from '../session/session-store.ts';
import type { EndCause } from './end-cause.ts';
import type { FollowUp } from './follow-up.ts';
import { tellEnded, tellStopped } from './tell-ended.ts';

/** What an end came to, at the stop. */
export interface Ended {
  readonly count: number;
  /** The connections that were live, and that nothing is handed to the kernel for any more. */
  readonly cut: ConnectionCounts;
  readonly sessions: readonly StoredSession[];
  /** When the last of them is closed and every event is out. Never rejects; nobody has to wait for it. */
  readonly closed: Promise<void>;
}

/**
 * Ends every session that `selector` names. When it returns (resolves, with a shared store) none of them is admitted any
 * more, and every connection of theirs has stopped. Waits for no close, no provider, no upstream and no lock.
 * @throws what the store throws: then nothing may be promised to whoever sent the notice.
 */
export type EndSessions = (selector: EndSelector, cause: EndCause) => MaybePromise<Ended>;

export interface Ending {
  readonly endSessions: EndSessions;
  /** The same from the stop on, for sessions whose mark somebody else has made: the store, when it had to evict one. */
  readonly conclude: (sessions: readonly StoredSession[], cause: EndCause) => Ended;
  /** Stops what runs here of sessions that another replica has ended, which gives the account of them. */
  readonly follow: (sessions: readonly StoredSession[]) => void;
}

/** The connections of one session, as the registry keeps them. */
export interface ConnectionOwner {
  counts(): ConnectionCounts;
}

/** What ending needs of the connection registry. */
export interface OwnerRegistry<Owner extends ConnectionOwner> {
  /** Stops the owner's connections in this tick, in both directions. */
  stop(key: string): Owner | undefined;
  /** Closes what stopped owners hold; those with queued bytes in this tick, the others in slices. */
  close(owners: readonly Owner[]): Promise<unknown>;
}

export interface EndSessionsOptions<Owner extends ConnectionOwner> {
  readonly store: SessionStore;
  readonly registry: OwnerRegistry<Owner>;
  readonly clock: Clock;
  readonly emit: Emit;
  /** What others are told of the sessions that ended. */
  readonly followUps?: readonly FollowUp[];
  /** For whoever keeps something of its own about a session; called in the background, soon. */
  readonly forget?: (session: StoredSession) => void;
}

/** Builds the one way to end sessions. */
export function createEndSessions<Owner extends ConnectionOwner>(options: EndSessionsOptions<Owner>): Ending {
  const { store, registry, clock } = options;

  function stop(sessions: readonly StoredSession[], cause: EndCause, sinceMonotonicMs: number): Ended {
    const { stopped, closing } = stopConnections(registry, sessions);
    const cut = { requests: 0, streams: 0, websockets: 0 };
    for (const { counts } of stopped) addCounts(cut, counts);
    const stopMs = clock.monotonicMs() - sinceMonotonicMs;
    const closed = afterStop(options, { stopped, cause, sinceMonotonicMs, stopMs, closing });
    return { count: sessions.length, cut, sessions, closed };
  }

  /** What this replica holds stops in this tick, whatever becomes of the store, and while the others are being told. */
  async function endShared(
    selector: EndSelector,
    { cause, since, held }: { cause: EndCause; since: number; held: readonly StoredSession[] },
  ): Promise<Ended> {
    const marking = store.end(selector, cause.noticeIssuedAtSeconds, (late) => void stop(late, cause, since));
    const here = stop(held, cause, since);
    const sessions = await marking;
    const handles = new Set(held.map(({ record }) => record.handle));
    const elsewhere = stop(
      sessions.filter(({ record }) => !handles.has(record.handle)),
      cause,
      since,
    );
    const closed = Promise.all([here.closed, elsewhere.closed]).then(() => {});
    return { count: sessions.length, cut: addCounts({ ...here.cut }, elsewhere.cut), sessions, closed };
  }

  function endSessions(selector: EndSelector, cause: EndCause): MaybePromise<Ended> {
    const since = cause.receivedAtMonotonicMs ?? clock.monotonicMs();
    const held = store.endHeld?.(selector, cause.noticeIssuedAtSeconds);
    if (held !== undefined) return endShared(selector, { cause, since, held });
    const sessions = store.end(selector, cause.noticeIssuedAtSeconds);
    if (sessions instanceof Promise) return sessions.then((ended) => stop(ended, cause, since));
    return stop(sessions, cause, since);
  }

  return {
    endSessions,
    conclude: (sessions, cause) => stop(sessions, cause, cause.receivedAtMonotonicMs ?? clock.monotonicMs()),
    follow: (sessions) => void afterStopElsewhere(options, stopConnections(registry, sessions)),
  };
}

/** Stops the connections of `sessions` in this tick, and begins to close them. */
function stopConnections<Owner extends ConnectionOwner>(
  registry: OwnerRegistry<Owner>,
  sessions: readonly StoredSession[],
): StoppedConnections {
  const owners: Owner[] = [];
  const stopped = sessions.map((session) => {
    const owner = registry.stop(session.record.handle);
    if (owner !== undefined) owners.push(owner);
    return { session, counts: owner?.counts() ?? NO_CONNECTIONS };
  });
  // Begun here and not later: bytes that wait in a socket's queue are still to be kept from the kernel.
  return { stopped, closing: owners.length === 0 ? undefined : registry.close(owners) };
}

function addCounts(sum: ConnectionCounts, { requests, streams, websockets }: ConnectionCounts): ConnectionCounts {
  sum.requests += requests;
  sum.streams += streams;
  sum.websockets += websockets;
  return sum;
}

const NO_CONNECTIONS: ConnectionCounts = { requests: 0, streams: 0, websockets: 0 };

interface StoppedConnections {
  readonly stopped: readonly { session: StoredSession; counts: ConnectionCounts }[];
  readonly closing: Promise<unknown> | undefined;
}

interface Stopped extends StoppedConnections {
  readonly cause: EndCause;
  readonly sinceMonotonicMs: number;
  readonly stopMs: number;
}

/** Everything that nobody waits for. */
async function afterStop<Owner extends ConnectionOwner>(
  options: EndSessionsOptions<Owner>,
  end: Stopped,
): Promise<void> {
  const sessions = end.stopped.map(({ session }) => session);
  const followed = options.followUps?.map((followUp) => followUp(sessions, end.cause)) ?? [];
  await allClosed(end, options.emit);
  const closeMs = options.clock.monotonicMs() - end.sinceMonotonicMs;
  await tellEnded(end.stopped, { cause: end.cause, stopMs: end.stopMs, closeMs }, options);
  await Promise.all(followed);
}

async function afterStopElsewhere<Owner extends ConnectionOwner>(
  options: EndSessionsOptions<Owner>,
  end: StoppedConnections,
): Promise<void> {
  await allClosed(end, options.emit);
  await tellStopped(end.stopped, options);
}

async function allClosed({ closing }: StoppedConnections, emit: Emit): Promise<void> {
  try {
    await closing;
  } catch (error) {
    emit({ event: 'gate.warning', code: 'close_failed', message: `Closing connections failed: ${String(error)}` });
  }
}
