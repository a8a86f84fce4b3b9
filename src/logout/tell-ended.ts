// The account of an end: one audit event per session, after its last close (design: accounted for).

import type { ConnectionCounts, Emit } from '../base/events.ts';
import type { StoredSession } from '../session/session-record.ts';
import type { EndCause } from './end-cause.ts';
import { inSlices } from './slices.ts';

export interface EndAccount {
  readonly cause: EndCause;
  readonly stopMs: number;
  readonly closeMs: number;
}

/** Emits `session.ended` for each session and lets `forget` drop what is remembered of it; resolves when all is out. */
export function tellEnded(
  ended: readonly { session: StoredSession; counts: ConnectionCounts }[],
  { cause, stopMs, closeMs }: EndAccount,
  options: { emit: Emit; forget?: (session: StoredSession) => void },
): Promise<void> {
  return inSlices(ended, ({ session, counts }) => {
    const { user, sub, sid, handle } = session.record;
    options.emit({
      event: 'session.ended',
      reason: cause.reason,
      notice: cause.notice,
      user,
      sub,
      sid,
      session: handle,
      stop_ms: toMicroseconds(stopMs),
      close_ms: toMicroseconds(closeMs),
      notice_missed: cause.missed === true,
      ...counts,
    });
    options.forget?.(session);
  });
}

/** The same for sessions that another replica has ended: it gives the account, and here only what was live is told. */
export function tellStopped(
  ended: readonly { session: StoredSession; counts: ConnectionCounts }[],
  options: { emit: Emit; forget?: (session: StoredSession) => void },
): Promise<void> {
  return inSlices(ended, ({ session, counts }) => {
    const { user, sub, sid, handle } = session.record;
    if (counts.requests + counts.streams + counts.websockets > 0) {
      options.emit({ event: 'session.stopped', user, sub, sid, session: handle, ...counts });
    }
    options.forget?.(session);
  });
}

/** Milliseconds without the digits below the microsecond, which mean nothing and fill logs. */
function toMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
