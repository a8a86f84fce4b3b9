// Whose session does a cookie name? Found, not over, and proven alive as lately as it must be.

import { parseSessionId, type SessionId } from '../base/ids.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { Freshness } from '../freshness/freshness.ts';
import { isShownAtHome, type StoredSession } from '../session/session-record.ts';
import type { SessionStore } from '../session/session-store.ts';

/**
 * The live session that the value of a session cookie, shown at `hostname`, names, or undefined. A plain value when everything
 * is at hand; where it waited, look at `ended` once more in the tick in which it is used.
 * @throws GatewayError `store_unavailable` (also as a rejection): fails closed.
 */
export type Identify = (cookie: string | undefined, hostname: string) => MaybePromise<StoredSession | undefined>;

export function createIdentify({ store, freshness }: { store: SessionStore; freshness: Freshness }): Identify {
  const proven = (
    id: SessionId,
    hostname: string,
    session: StoredSession | undefined,
  ): MaybePromise<StoredSession | undefined> => {
    if (session === undefined || !isShownAtHome(session.record, hostname)) return undefined;
    const outcome = freshness.ensure(session);
    // What was true before the wait, a shared store has to say again.
    if (outcome instanceof Promise) {
      return outcome.then((settled) => (settled === 'ended' ? undefined : store.find(id)));
    }
    return outcome === 'ended' ? undefined : session;
  };
  return (cookie, hostname) => {
    const id = cookie === undefined ? undefined : parseSessionId(cookie);
    if (id === undefined) return undefined;
    const session = store.find(id);
    return session instanceof Promise
      ? session.then((found) => proven(id, hostname, found))
      : proven(id, hostname, session);
  };
}
