// The not-before that a token answer carries (Keycloak's `not-before-policy`).

import type { StoredSession } from '../session/session-record.ts';
import type { EndSessions } from './end-sessions.ts';

/**
 * Ends the sessions of this user whose tokens are older than `notBeforeSeconds`, this one included, and refuses such tokens
 * from now on. No other user's: Keycloak puts the latest of the realm's, the client's and the user's there, and
 * does not say which it is. Call it after the tokens that came with it are stored, or it would judge the ones before.
 */
export async function honourNotBefore(
  endSessions: EndSessions,
  { record: { issuer, sub } }: StoredSession,
  notBeforeSeconds: number,
): Promise<void> {
  const selector = { by: 'sub_tokens', issuer, sub, issuedBeforeSeconds: notBeforeSeconds } as const;
  // Nobody told us; a push would have.
  await endSessions(selector, { reason: 'not_before', missed: true });
}
