// An access token that a client shows us as its credential (RFC 6750; RFC 9068 section 4, with what Keycloak's tokens have
// instead). Not the session's own one, which came straight from the token endpoint: that is access-token-claims.

import { GatewayError } from '../base/gateway-error.ts';
import type { Claims } from '../base/tokens.ts';
import { headerType, MAX_ACCESS_TOKEN_BYTES } from './access-token-claims.ts';
import { type CompactJws, keyReferenceTrouble, parseCompactJws, type Refuse } from './compact-jws.ts';
import type { Provider } from './provider.ts';
import { isEpochSeconds, isIdentifier, issuerTrouble, sessionIdOf } from './token-claims.ts';

/** An access token whose every check held. */
export interface AccessToken {
  readonly claims: Claims;
  readonly sub: string;
  readonly sid: string | undefined;
  /** Whole ones: the second in which it was issued. */
  readonly issuedAtSeconds: number;
  readonly expiresAtSeconds: number;
}

/**
 * What a genuine access token of our provider says that is meant for us. Everything that costs nothing is looked at
 * before any key, so that forged tokens are cheap and cause no fetch.
 * @throws GatewayError `token_refused` (401), its message for operators; `provider_unavailable` when no key can be had
 */
export async function verifyAccessToken(provider: Provider, jwt: string): Promise<AccessToken> {
  const jws = parseCompactJws(jwt, { maxBytes: MAX_ACCESS_TOKEN_BYTES, refuse });
  const { claims } = jws;
  const trouble =
    kindTrouble(jws) ?? issuerTrouble(claims, provider.options) ?? addresseeTrouble(claims, provider.options);
  if (trouble) throw refuse(trouble);
  const times = checkTimes(provider, claims);
  const { sub } = claims;
  if (!isIdentifier(sub)) throw refuse('its sub is missing or malformed');
  const verdict = await provider.keys.verify(jws);
  if (verdict === 'unknown_key') throw refuse('the provider has no key with its kid');
  if (verdict !== 'valid') throw refuse("its signature does not hold with the provider's keys");
  return { claims, sub, sid: sessionIdOf(claims), ...times };
}

const refuse: Refuse = (why) =>
  new GatewayError('token_refused', { status: 401, message: `the access token is refused: ${why}` });

/**
 * A token must say of itself that it is an access token, in its header or as Keycloak's do in `typ`: an ID token has the
 * same issuer, audience and user, and travels in addresses.
 */
function kindTrouble({ header, claims }: CompactJws): string | undefined {
  const reference = keyReferenceTrouble(header);
  if (reference) return reference;
  const type = headerType(header);
  if (type === 'foreign') return 'the typ of its header is that of another kind of token';
  const { typ } = claims;
  if (typ !== undefined && (typeof typ !== 'string' || typ.toLowerCase() !== 'bearer')) {
    return 'its typ is not Bearer: it is an ID token, a refresh token or another kind of token';
  }
  if (type === 'any' && typ === undefined) {
    return 'nothing in it says that it is an access token: neither at+jwt in its header nor "typ": "Bearer"';
  }
  if (Object.hasOwn(claims, 'events')) return 'it has events: it is a logout token, or another security event';
  // Good only for whoever holds the key it names, and we do not ask for that (RFC 7800, RFC 8705, RFC 9449).
  if (Object.hasOwn(claims, 'cnf')) return 'it is bound to a key (cnf), and that is not supported';
  return undefined;
}

/**
 * Why a token is not meant for us, or undefined. Meant for us: by its audience, or because it was issued to our own client, which is all that a Keycloak without an
 * audience mapper says. Any other token of the realm was given to another application, for something else.
 */
export function addresseeTrouble(
  claims: Claims,
  options: { readonly clientId: string; readonly bearerAudiences: readonly string[] },
): string | undefined {
  const { aud, azp, client_id: clientId } = claims;
  const audiences = aud === undefined ? [] : Array.isArray(aud) ? aud : [aud];
  if (!audiences.every((each) => typeof each === 'string')) return 'its aud is malformed';
  if ((azp ?? clientId) === options.clientId) return undefined;
  if ([options.clientId, ...options.bearerAudiences].some((ours) => audiences.includes(ours))) return undefined;
  return 'it is for another application: its aud has neither our client nor one of provider.bearer_audiences';
}

/** `exp` is taken at its word: no tolerance keeps a token alive that its own provider calls over. */
function checkTimes(
  provider: Provider,
  { exp, iat, nbf }: Claims,
): { issuedAtSeconds: number; expiresAtSeconds: number } {
  const nowSeconds = provider.clock.now() / 1000;
  const { clockToleranceSeconds: tolerance } = provider.options;
  const skew = 'compare the clocks of this machine and of the provider';
  if (!isEpochSeconds(iat)) throw refuse('its iat is missing or not a time');
  if (!isEpochSeconds(exp)) throw refuse('its exp is missing or not a time');
  if (iat > nowSeconds + tolerance)
    throw refuse(`it is issued ${Math.round(iat - nowSeconds)} s in the future; ${skew}`);
  if (nbf !== undefined && (!isEpochSeconds(nbf) || nbf > nowSeconds + tolerance))
    throw refuse(`it is not valid yet; ${skew}`);
  if (exp <= nowSeconds) throw refuse(`it expired ${Math.round(nowSeconds - exp)} s ago`);
  return { issuedAtSeconds: Math.floor(iat), expiresAtSeconds: exp };
}
