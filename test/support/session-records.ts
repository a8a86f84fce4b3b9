// Session records for tests: complete and plausible, each with an id of its own; a test names only what it is about.

import { newSessionHandle, newSessionId } from '../../src/base/ids.ts';
import type { TokenSet } from '../../src/base/tokens.ts';
import type { SessionRecord } from '../../src/session/session-record.ts';

export const ISSUER = 'https://sso.example.com/realms/acme';

let made = 0;

/** Tokens that nobody else has; they expire far away unless the test says otherwise. */
export function aTokenSet(overrides: Partial<TokenSet> = {}): TokenSet {
  const serial = ++made;
  return {
    idToken: `id-token-${serial}`,
    accessToken: `access-token-${serial}`,
    accessExpiresAt: Number.MAX_SAFE_INTEGER,
    refreshToken: `refresh-token-${serial}`,
    refreshExpiresAt: undefined,
    issuedAtSeconds: 0,
    ...overrides,
  };
}

/** A record as a sign-in at `now` would make it. */
export function aRecord(now: number, overrides: Partial<SessionRecord> = {}): SessionRecord {
  const serial = ++made;
  return {
    id: newSessionId(),
    kind: 'sign_in',
    handle: newSessionHandle(),
    issuer: ISSUER,
    clientId: 'wiki-gate',
    sub: `sub-${serial}`,
    sid: `sid-${serial}`,
    user: `user-${serial}`,
    claims: {},
    tokens: aTokenSet({ issuedAtSeconds: Math.floor(now / 1000) }),
    probe: 'introspect',
    idTokenIssuedAtSeconds: Math.floor(now / 1000),
    beganAt: now,
    createdAt: now,
    provenAt: now,
    version: 1,
    cookieHost: undefined,
    refusedAcr: undefined,
    address: '192.0.2.1',
    userAgent: 'test',
    ...overrides,
  };
}
