// A logout token (OpenID Connect Back-Channel Logout 1.0 sections 2.4 and 2.6), with Keycloak's versions tolerated by setting.

import { GatewayError } from '../base/gateway-error.ts';
import type { Claims } from '../base/tokens.ts';
import { type CompactJws, isJsonObject, keyReferenceTrouble, parseCompactJws, type Refuse } from './compact-jws.ts';
import type { Provider } from './provider.ts';
import { audienceTrouble, isEpochSeconds, isIdentifier } from './token-claims.ts';

/** Keycloak's have about 900 bytes. */
const MAX_BYTES = 16 * 1024;
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** Longer lives than this are no logout token's: section 4 recommends two minutes, Keycloak gives 120 s. */
const MAX_LIFETIME_SECONDS = 600;
const LOGOUT_TYPES: ReadonlySet<string> = new Set(['logout+jwt', 'application/logout+jwt']);

export interface LogoutToken {
  readonly issuer: string;
  /** At least one of `sub` and `sid` is there; with a `sid`, it alone selects the sessions. */
  readonly sub?: string;
  readonly sid?: string;
  readonly issuedAtSeconds: number;
  readonly jti: string;
}

/**
 * What a genuine logout token of our provider for our client says. Everything that costs nothing is looked at before any
 * key, so that forged tokens are cheap and cause no fetch. A token that was accepted before is accepted again: Keycloak
 * can be set to repeat a notice, and ending twice is ending once.
 * @throws GatewayError `notice_refused` (400), its message for operators; `provider_unavailable` when no key can be had
 */
export async function verifyLogoutToken(provider: Provider, jwt: string): Promise<LogoutToken> {
  const jws = parseCompactJws(jwt, { maxBytes: MAX_BYTES, refuse });
  checkHeader(provider, jws);
  const { claims } = jws;
  const trouble = audienceTrouble(claims, provider.options);
  if (trouble) throw refuse(trouble);
  const issuedAtSeconds = checkTimes(provider, claims);
  const token = readLogout(claims, issuedAtSeconds, provider.options.issuer);
  const verdict = await provider.keys.verify(jws);
  if (verdict === 'unknown_key') throw refuse('the provider has no key with its kid');
  if (verdict !== 'valid') throw refuse("its signature does not hold with the provider's keys");
  return token;
}

const refuse: Refuse = (why) =>
  new GatewayError('notice_refused', { status: 400, message: `the logout token is refused: ${why}` });

function checkHeader(provider: Provider, { alg, header }: CompactJws): void {
  const { idTokenAlg, logoutToken } = provider.options;
  if (alg !== idTokenAlg) {
    throw refuse(
      `it is signed with ${alg}, and provider.id_token_signed_response_alg is ${idTokenAlg} ` +
        '(Keycloak before 26.4 takes the algorithm of the client that began the logout)',
    );
  }
  const reference = keyReferenceTrouble(header);
  if (reference) throw refuse(reference);
  const { typ } = header;
  if (typ !== undefined && typeof typ !== 'string') throw refuse('its typ is not a string');
  const type = typ?.toLowerCase();
  if (type !== undefined && LOGOUT_TYPES.has(type)) return;
  if (type !== undefined && type !== 'jwt') throw refuse('its typ is that of another kind of token');
  if (logoutToken.requireTyp) {
    throw refuse('its typ is not logout+jwt; Keycloak before 25 needs provider.logout_token.require_typ: false');
  }
}

/** Its `iat`. Not from the future, not older than the setting allows, and with an `exp` that is neither past nor far away. */
function checkTimes(provider: Provider, { iat, exp, nbf }: Claims): number {
  const nowSeconds = provider.clock.now() / 1000;
  const { clockToleranceSeconds: tolerance, logoutToken } = provider.options;
  const skew = 'compare the clocks of this machine and of the provider';
  if (!isEpochSeconds(iat)) throw refuse('its iat is missing or not a time');
  const ageSeconds = Math.round(nowSeconds - iat);
  if (iat > nowSeconds + tolerance) throw refuse(`it is issued ${-ageSeconds} s in the future; ${skew}`);
  if (iat < nowSeconds - logoutToken.maxAgeSeconds - tolerance) {
    throw refuse(
      `it is ${ageSeconds} s old, and provider.logout_token.max_age is ${logoutToken.maxAgeSeconds} s; ${skew}`,
    );
  }
  if (nbf !== undefined && (!isEpochSeconds(nbf) || nbf > nowSeconds + tolerance))
    throw refuse(`it is not valid yet; ${skew}`);
  if (exp === undefined) {
    if (!logoutToken.requireExp) return iat;
    throw refuse('it has no exp; Keycloak up to 22 needs provider.logout_token.require_exp: false');
  }
  if (!isEpochSeconds(exp)) throw refuse('its exp is not a time');
  if (exp <= nowSeconds - tolerance) throw refuse(`it expired ${Math.round(nowSeconds - exp)} s ago; ${skew}`);
  if (exp - iat > MAX_LIFETIME_SECONDS) throw refuse(`its exp is more than ${MAX_LIFETIME_SECONDS} s after its iat`);
  return iat;
}

function readLogout(claims: Claims, issuedAtSeconds: number, issuer: string): LogoutToken {
  const { events, jti, sub, sid } = claims;
  if (!isJsonObject(events)) throw refuse('its events is missing or not an object');
  // Other members are other people's: Keycloak puts `revoke_offline_access: true` beside ours.
  if (!isJsonObject(events[EVENT])) throw refuse('its events has no back-channel logout event');
  // Whatever its value: this is what tells a logout token from an ID token.
  if (Object.hasOwn(claims, 'nonce')) throw refuse('it has a nonce: it is an ID token');
  if (!isIdentifier(jti)) throw refuse('its jti is missing or malformed');
  if (sub !== undefined && !isIdentifier(sub)) throw refuse('its sub is malformed');
  if (sid !== undefined && !isIdentifier(sid)) throw refuse('its sid is malformed');
  if (sub === undefined && sid === undefined) throw refuse('it has neither sub nor sid');
  return { issuer, issuedAtSeconds, jti, ...(sub !== undefined && { sub }), ...(sid !== undefined && { sid }) };
}
