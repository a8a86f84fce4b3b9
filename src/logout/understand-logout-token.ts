// The logout token as a notice (Back-Channel Logout 1.0 section 2.7: which sessions it is about).

import type { LogoutToken } from '../oidc/verify-logout-token.ts';
import type { EndSelector } from '../session/session-store.ts';
import type { Notice } from './notice.ts';
import { noticeRefused } from './notice-refused.ts';

/** `sid` selects where it is there: a differing `sub` then means an old Keycloak's pairwise id, not another user. */
export function understandLogoutToken({ issuer, sid, sub, jti, issuedAtSeconds }: LogoutToken): Notice {
  return {
    issuer,
    // Not the `jti` alone: a provider that repeats a jti must not silence its next notice.
    name: JSON.stringify(['backchannel', issuer, jti, sid, sub, issuedAtSeconds]),
    sub,
    sid,
    ends: [{ selector: selectorOf(issuer, sid, sub), reason: 'backchannel_logout', issuedAtSeconds }],
    names: sid === undefined ? 'everybody' : 'sessions',
  };
}

function selectorOf(issuer: string, sid: string | undefined, sub: string | undefined): EndSelector {
  if (sid !== undefined) return { by: 'sid', issuer, sid };
  if (sub !== undefined) return { by: 'sub', issuer, sub };
  throw noticeRefused('the token names neither a sid nor a sub');
}
