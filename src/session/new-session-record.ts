// The record of a session that a sign-in begins (design: session fixation; the id is never older than its session).

import type { SessionHandle, SessionId } from '../base/ids.ts';
import type { Claims, LivenessProbe, TokenSet } from '../base/tokens.ts';
import type { SessionRecord } from './session-record.ts';

/** Long enough for every real browser; a longer header is kept out of memory a hundred thousand times over. */
const MAX_USER_AGENT_LENGTH = 256;

export interface SignInFacts {
  /** Made for this sign-in, never one that a browser sent. */
  readonly id: SessionId;
  /** Made for this sign-in too; the provider may have been told of it. */
  readonly handle: SessionHandle;
  readonly issuer: string;
  readonly clientId: string;
  readonly sub: string;
  readonly sid: string | undefined;
  readonly claims: Claims;
  readonly tokens: TokenSet;
  readonly probe: LivenessProbe;
  readonly idTokenIssuedAtSeconds: number;
  /** Store time, read before the code was exchanged. */
  readonly beganAt: number;
  /** Store time now. */
  readonly now: number;
  readonly cookieHost: string | undefined;
  readonly refusedAcr: readonly string[] | undefined;
  readonly address: string;
  readonly userAgent: string;
}

/** The record, proven as of when its code exchange began. */
export function newSessionRecord(facts: SignInFacts): SessionRecord {
  return {
    id: facts.id,
    kind: 'sign_in',
    handle: facts.handle,
    issuer: facts.issuer,
    clientId: facts.clientId,
    sub: facts.sub,
    sid: facts.sid,
    user: userName(facts.claims, facts.sub),
    claims: facts.claims,
    tokens: facts.tokens,
    probe: facts.probe,
    idTokenIssuedAtSeconds: facts.idTokenIssuedAtSeconds,
    beganAt: facts.beganAt,
    createdAt: facts.now,
    provenAt: facts.beganAt,
    version: 1,
    cookieHost: facts.cookieHost,
    refusedAcr: facts.refusedAcr,
    address: facts.address,
    userAgent: shortUserAgent(facts.userAgent),
  };
}

/** The part of a User-Agent header that is kept. */
export function shortUserAgent(userAgent: string): string {
  return userAgent.slice(0, MAX_USER_AGENT_LENGTH);
}

/** What people call this user: preferred_username, else email, else sub. */
export function userName(claims: Claims, sub: string): string {
  for (const name of [claims['preferred_username'], claims['email']]) {
    if (typeof name === 'string' && name !== '') return name;
  }
  return sub;
}
