// What is over when a user logs out here, by the gate's logout or the application's (design: triggers).

import type { StoredSession } from '../session/session-record.ts';
import type { EndSelector } from '../session/session-store.ts';

/**
 * The sign-on is over, and with it every session of ours on it: a notice may never say so of the others, because Keycloak
 * tells a client nothing more once its refresh token was revoked. A program's token ends nothing but itself: it may be
 * another client's, and was not given to sign its user out.
 */
export function signOnOf({ record: { issuer, sid, handle, kind } }: StoredSession): EndSelector {
  return sid === undefined || kind === 'bearer' ? { by: 'handle', handle } : { by: 'sid', issuer, sid };
}
