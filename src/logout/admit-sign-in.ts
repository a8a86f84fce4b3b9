// From a finished sign-in to a session (design: decided cases, a sign-in over a live session; never undone).

import type { SessionRecord, StoredSession } from '../session/session-record.ts';
import type { SessionStore } from '../session/session-store.ts';
import type { EndSessions } from './end-sessions.ts';

/**
 * Makes `record` a session of the browser that held `previous`. Over a live session of the same (iss, sub, sid) it takes
 * that one's place under the new id and cuts nothing; its absolute timeout counts from this sign-in, because the user
 * would get as much by waiting for the old one's end. Any other live session of the browser ends first.
 *
 * 'ended': a logout arrived while the code was being exchanged. Nothing is left of the sign-in, no cookie may be sent.
 * @throws GatewayError `store_unavailable`
 */
export type AdmitSignIn = (
  record: SessionRecord,
  previous: StoredSession | undefined,
) => Promise<StoredSession | 'ended'>;

/** Builds the last step of the callback. */
export function createAdmitSignIn(options: { store: SessionStore; endSessions: EndSessions }): AdmitSignIn {
  const { store, endSessions } = options;
  return async (record, previous) => {
    if (previous === undefined) return store.create(record);
    if (isSameSsoSession(previous.record, record)) return takeOver(store, previous, record);
    if (!previous.ended) await endSessions({ by: 'handle', handle: previous.record.handle }, { reason: 'replaced' });
    return store.create(record);
  };
}

/** Under the new id, whatever refresh or probe changes the record meanwhile: the sign-in's tokens are the newest. */
async function takeOver(
  store: SessionStore,
  session: StoredSession,
  record: SessionRecord,
): Promise<StoredSession | 'ended'> {
  for (;;) {
    const { handle, version } = session.record;
    const outcome = await store.replaceId(session, { ...record, handle, version: version + 1 });
    if (outcome === 'updated') return session;
    // Ended since the callback found it: by a logout of this very SSO session, which this sign-in does not survive.
    if (outcome === 'ended') return 'ended';
  }
}

function isSameSsoSession(a: SessionRecord, b: SessionRecord): boolean {
  return a.issuer === b.issuer && a.sub === b.sub && a.sid === b.sid;
}
