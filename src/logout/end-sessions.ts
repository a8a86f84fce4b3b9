// The one function that ends sessions, whatever the trigger (design: what happens at the end of a session, in this order):
// mark, tell, stop, and only then return; closes, what others are told, and the audit events follow in the background.

import type { Clock } from '../base/clock.ts';
import type { ConnectionCounts, Emit } from '../base/events.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { StoredSession } from '../session/session-record.ts';
import type { EndSelector, SessionStore } from '../session/session-store.ts';
import type { EndCause } from './end-cause.ts';
import type { FollowUp } from './follow-up.ts';
import { tellEnded } from './tell-ended.ts';

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
  /** Tells the other replicas; resolves when each has stopped, or its lease has lapsed. Absent: there are none. */
  readonly tell?: (selector: EndSelector, cause: EndCause) => MaybePromise<void>;
  /** What others are told of the sessions that ended. */
  readonly followUps?: readonly FollowUp[];
  /** For whoever keeps something of its own about a session; called in the background, soon. */
  readonly forget?: (session: StoredSession) => void;
}

/** Builds the one way to end sessions. */
export function createEndSessions<Owner extends ConnectionOwner>(options: EndSessionsOptions<Owner>): Ending {
  const { store, clock } = options;

  function stop(sessions: readonly StoredSession[], cause: EndCause, sinceMonotonicMs: number): Ended {
    const stopped: { session: StoredSession; counts: ConnectionCounts }[] = [];
    const owners: Owner[] = [];
    const cut = { requests: 0, streams: 0, websockets: 0 };
    for (const session of sessions) {
      const owner = options.registry.stop(session.record.handle);
      const counts = owner?.counts() ?? NO_CONNECTIONS;
      if (owner !== undefined) owners.push(owner);
      cut.requests += counts.requests;
      cut.streams += counts.streams;
      cut.websockets += counts.websockets;
      stopped.push({ session, counts });
    }
    // Begun here and not later: bytes that wait in a socket's queue are still to be kept from the kernel.
    const closing = owners.length === 0 ? undefined : options.registry.close(owners);
    const stopMs = clock.monotonicMs() - sinceMonotonicMs;
    const closed = afterStop(options, { stopped, cause, sinceMonotonicMs, stopMs, closing });
    return { count: sessions.length, cut, sessions, closed };
  }

  function endSessions(selector: EndSelector, cause: EndCause): MaybePromise<Ended> {
    const since = cause.receivedAtMonotonicMs ?? clock.monotonicMs();
    const marked = store.end(selector, cause.noticeIssuedAtSeconds);
    if (!(marked instanceof Promise)) return tellAndStop(marked);
    return marked.then(tellAndStop);

    function tellAndStop(sessions: readonly StoredSession[]): MaybePromise<Ended> {
      const told = options.tell?.(selector, cause);
      // Our own connections stop now, while the others are being told.
      const ended = stop(sessions, cause, since);
      return told instanceof Promise ? told.then(() => ended) : ended;
    }
  }

  return {
    endSessions,
    conclude: (sessions, cause) => stop(sessions, cause, cause.receivedAtMonotonicMs ?? clock.monotonicMs()),
  };
}

const NO_CONNECTIONS: ConnectionCounts = { requests: 0, streams: 0, websockets: 0 };

interface Stopped {
  readonly stopped: readonly { session: StoredSession; counts: ConnectionCounts }[];
  readonly cause: EndCause;
  readonly sinceMonotonicMs: number;
  readonly stopMs: number;
  readonly closing: Promise<unknown> | undefined;
}

/** Everything that nobody waits for. */
async function afterStop<Owner extends ConnectionOwner>(
  options: EndSessionsOptions<Owner>,
  end: Stopped,
): Promise<void> {
  const sessions = end.stopped.map(({ session }) => session);
  const followed = options.followUps?.map((followUp) => followUp(sessions, end.cause)) ?? [];
  try {
    await end.closing;
  } catch (error) {
    options.emit({
      event: 'gate.warning',
      code: 'close_failed',
      message: `Closing connections failed: ${String(error)}`,
    });
  }
  const closeMs = options.clock.monotonicMs() - end.sinceMonotonicMs;
  await tellEnded(end.stopped, { cause: end.cause, stopMs: end.stopMs, closeMs }, options);
  await Promise.all(followed);
}
