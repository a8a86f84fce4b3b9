// The ID token, checked whole (OpenID Connect Core 1.0 section 3.1.3.7) before anything else is believed or asked.

import { createHash, timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../base/gateway-error.ts';
import type { Claims } from '../base/tokens.ts';
import { type CompactJws, parseCompactJws, type Refuse } from './compact-jws.ts';
import type { Provider } from './provider.ts';
import { audienceTrouble, isEpochSeconds, isIdentifier, sessionIdOf } from './token-claims.ts';

/** Generous: thousands of groups fit, and it bounds what a parse costs. */
const MAX_BYTES = 256 * 1024;

export interface ExpectedIdToken {
  /** The nonce of the login transaction, or undefined for a refreshed token, which need not carry one. */
  readonly nonce: string | undefined;
  /** The access token that came with it, for `at_hash`. */
  readonly accessToken: string;
}

/** An ID token whose every check held. */
export interface IdToken {
  readonly claims: Claims;
  readonly sub: string;
  readonly sid: string | undefined;
  readonly issuedAtSeconds: number;
}

/**
 * Algorithm (the configured one, exactly), issuer, audience, times, nonce, that it is no other kind of token, and the
 * signature with the provider's keys.
 * @throws GatewayError `id_token_invalid` (400) with what is wrong; `provider_unavailable` when no key can be had
 */
export async function verifyIdToken(provider: Provider, idToken: string, expected: ExpectedIdToken): Promise<IdToken> {
  const jws = parseCompactJws(idToken, { maxBytes: MAX_BYTES, refuse });
  const { claims } = jws;
  checkHeader(provider, jws);
  const trouble = audienceTrouble(claims, provider.options);
  if (trouble) throw refuse(trouble);
  checkTimes(provider, claims);
  const { sub, iat, nonce } = claims;
  if (!isIdentifier(sub)) throw refuse('its sub is missing or malformed');
  if (expected.nonce !== undefined && nonce !== expected.nonce)
    throw refuse('its nonce is not the one of this sign-in');
  if (Object.hasOwn(claims, 'events')) throw refuse('it has events: it is a logout token, or another security event');
  checkAccessTokenHash(jws, expected.accessToken);
  const verdict = await provider.keys.verify(jws);
  if (verdict === 'unknown_key') throw refuse('the provider has no key with its kid');
  if (verdict !== 'valid') throw refuse("its signature does not hold with the provider's keys");
  return { claims, sub, sid: sessionIdOf(claims), issuedAtSeconds: iat as number };
}

const refuse: Refuse = (why) =>
  new GatewayError('id_token_invalid', {
    status: 400,
    message: `the ID token is refused: ${why}`,
    publicMessage: 'The sign-in could not be verified. Please start again.',
  });

function checkHeader(provider: Provider, { alg, header }: CompactJws): void {
  const { idTokenAlg } = provider.options;
  if (alg !== idTokenAlg) {
    throw refuse(`it is signed with ${alg}, and provider.id_token_signed_response_alg is ${idTokenAlg}`);
  }
  const { typ } = header;
  if (typ !== undefined && (typeof typ !== 'string' || typ.toLowerCase() !== 'jwt')) {
    throw refuse('its typ is that of another kind of token');
  }
}

function checkTimes(provider: Provider, { exp, iat, nbf }: Claims): void {
  const nowSeconds = provider.clock.now() / 1000;
  const { clockToleranceSeconds: tolerance } = provider.options;
  if (!isEpochSeconds(iat)) throw refuse('its iat is missing or not a time');
  if (!isEpochSeconds(exp)) throw refuse('its exp is missing or not a time');
  const skew = 'compare the clocks of this machine and of the provider';
  if (iat > nowSeconds + tolerance)
    throw refuse(`it is issued ${Math.round(iat - nowSeconds)} s in the future; ${skew}`);
  if (exp <= nowSeconds - tolerance) throw refuse(`it expired ${Math.round(nowSeconds - exp)} s ago; ${skew}`);
  if (nbf !== undefined && (!isEpochSeconds(nbf) || nbf > nowSeconds + tolerance))
    throw refuse(`it is not valid yet; ${skew}`);
}

/** Optional in the code flow; where it is there, it binds the two tokens (Core 1.0 section 3.1.3.8). */
function checkAccessTokenHash({ alg, claims }: CompactJws, accessToken: string): void {
  const { at_hash: hash } = claims;
  if (hash === undefined) return;
  const digest = createHash(alg.startsWith('Ed') ? 'sha512' : `sha${alg.slice(2)}`)
    .update(accessToken)
    .digest();
  const half = digest.subarray(0, digest.length / 2);
  const given = Buffer.from(typeof hash === 'string' ? hash : '', 'base64url');
  if (given.length !== half.length || !timingSafeEqual(given, half)) {
    throw refuse('its at_hash does not belong to the access token');
  }
}
