// Rules for registered claims that ID tokens and logout tokens share (RFC 7519 section 4.1, OpenID Connect Core 1.0 section 2).

import type { Claims } from '../base/tokens.ts';
import { quoteForeign } from './translate-error.ts';

/** The year 2286. A larger number is no time of ours, and arithmetic with it is a trap. */
const LAST_EPOCH_SECOND = 9_999_999_999;
/** Core 1.0 section 2 bounds `sub` at 255 characters; a `sid` has no reason to be longer. */
const MAX_IDENTIFIER_LENGTH = 255;

/** A NumericDate that can be one: finite, not negative, fractions allowed. */
export function isEpochSeconds(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= LAST_EPOCH_SECOND;
}

/** A `sub`, `sid` or `jti`: a string with something in it. */
export function isIdentifier(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '' && value.length <= MAX_IDENTIFIER_LENGTH;
}

/** `sid`, or what Keycloak before 15 called it. */
export function sessionIdOf({ sid, session_state: sessionState }: Claims): string | undefined {
  if (isIdentifier(sid)) return sid;
  return isIdentifier(sessionState) ? sessionState : undefined;
}

/** Why the token is not from our provider, or undefined: `iss` to the letter. */
export function issuerTrouble({ iss }: Claims, ours: { issuer: string }): string | undefined {
  if (typeof iss !== 'string') return 'its iss is missing or not a string';
  if (iss === ours.issuer) return undefined;
  return `its iss is ${quoteIssuer(iss)}, and provider.issuer is ${quoteIssuer(ours.issuer)}`;
}

/**
 * Why the token is not from our provider for us, or undefined: `iss` to the letter, `aud` with our client id, and where
 * there are more audiences or an `azp`, the `azp` is we.
 */
export function audienceTrouble(claims: Claims, ours: { issuer: string; clientId: string }): string | undefined {
  const { aud, azp } = claims;
  const trouble = issuerTrouble(claims, ours);
  if (trouble) return trouble;
  const audiences = Array.isArray(aud) ? aud : [aud];
  if (!audiences.every((each) => typeof each === 'string')) return 'its aud is missing or malformed';
  if (!audiences.includes(ours.clientId)) return 'its aud is not our client';
  if (azp !== undefined && azp !== ours.clientId) return 'its azp is another client';
  if (azp === undefined && audiences.length > 1) return 'it has other audiences besides our client, and no azp';
  return undefined;
}

/** Issuers are URLs that operators must see; anything else in their place is shown like other foreign text. */
function quoteIssuer(issuer: string): string {
  return JSON.stringify(issuer.length <= 200 && URL.canParse(issuer) ? issuer : quoteForeign(issuer));
}
