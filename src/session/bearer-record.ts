// The record of the session that a bearer token is from its first use to its end (RFC 6750; design: a bearer access token
// whose sid was ended is refused like the cookie session was).

import { bearerSessionHandle, type SessionId } from '../base/ids.ts';
import type { Claims } from '../base/tokens.ts';
import { shortUserAgent, userName } from './new-session-record.ts';
import type { SessionRecord } from './session-record.ts';

export interface BearerFacts {
  readonly id: SessionId;
  /** The token itself, verified. */
  readonly token: string;
  readonly issuer: string;
  /** Ours, so that an end of all sessions of our client is the token's end too. */
  readonly clientId: string;
  readonly sub: string;
  readonly sid: string | undefined;
  readonly claims: Claims;
  readonly issuedAtSeconds: number;
  readonly expiresAtSeconds: number;
  /** Store time now, and this process's wall clock now. */
  readonly now: number;
  readonly wallNow: number;
  /** How far the provider's clock may be off. */
  readonly clockToleranceMs: number;
  readonly address: string;
  readonly userAgent: string;
}

/**
 * Always the same handle for the same token. It lives from the token's issue to its expiry, has no refresh token, and
 * began before any end that it might be older than: two clocks are compared there, and while Keycloak tells its clients
 * of an end it still issues tokens for that session.
 */
export function bearerRecord(facts: BearerFacts): SessionRecord {
  const { id, claims, sub, now } = facts;
  // By its age and not by its date: the wall clock may have been set since the store's began.
  const issuedAt = now - Math.max(0, facts.wallNow - facts.issuedAtSeconds * 1000);
  return {
    id,
    kind: 'bearer',
    handle: bearerSessionHandle(id),
    issuer: facts.issuer,
    clientId: facts.clientId,
    sub,
    sid: facts.sid,
    user: userName(claims, sub),
    claims,
    tokens: {
      idToken: '',
      accessToken: facts.token,
      accessExpiresAt: facts.expiresAtSeconds * 1000,
      refreshToken: undefined,
      refreshExpiresAt: undefined,
      issuedAtSeconds: facts.issuedAtSeconds,
    },
    // Nobody asks: there is nothing to refresh, and introspection of access tokens is wrong in some Keycloaks.
    probe: 'refresh',
    idTokenIssuedAtSeconds: facts.issuedAtSeconds,
    beganAt: issuedAt - facts.clockToleranceMs,
    createdAt: issuedAt,
    provenAt: issuedAt,
    version: 1,
    cookieHost: undefined,
    refusedAcr: undefined,
    address: facts.address,
    userAgent: shortUserAgent(facts.userAgent),
  };
}
