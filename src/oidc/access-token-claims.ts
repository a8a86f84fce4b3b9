// Keycloak keeps roles in its JWT access token (RFC 9068 in spirit): read where its signature and issuer hold.

import { GatewayError } from '../base/gateway-error.ts';
import type { Claims } from '../base/tokens.ts';
import { parseCompactJws } from './compact-jws.ts';
import type { Provider } from './provider.ts';
import { isEpochSeconds, issuerTrouble } from './token-claims.ts';

/** Thousands of groups fit. */
export const MAX_ACCESS_TOKEN_BYTES = 256 * 1024;
const UNREADABLE = new GatewayError('access_token_opaque', {
  status: 400,
  message: 'the access token is not readable',
});

/**
 * The claims of an access token, or undefined where it is none that can be believed: opaque, of another issuer or user,
 * expired, or not signed with the provider's keys. That is no error: the token is not meant for us in the first place.
 * A key that cannot be had counts the same.
 */
export async function accessTokenClaims(
  provider: Provider,
  accessToken: string,
  sub: string,
): Promise<Claims | undefined> {
  try {
    const jws = parseCompactJws(accessToken, { maxBytes: MAX_ACCESS_TOKEN_BYTES, refuse: () => UNREADABLE });
    const { header, claims } = jws;
    if (headerType(header) === 'foreign' || issuerTrouble(claims, provider.options)) return undefined;
    if (claims['sub'] !== undefined && claims['sub'] !== sub) return undefined;
    const { exp } = claims;
    if (!isEpochSeconds(exp) || exp <= provider.clock.now() / 1000 - provider.options.clockToleranceSeconds)
      return undefined;
    return (await provider.keys.verify(jws)) === 'valid' ? claims : undefined;
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

/**
 * What the header says that the token is: an access token (RFC 9068 section 2.1), a JWT of any kind, or something else.
 */
export function headerType({ typ }: Claims): 'access token' | 'any' | 'foreign' {
  if (typ === undefined) return 'any';
  if (typeof typ !== 'string') return 'foreign';
  const type = typ.toLowerCase();
  if (type === 'at+jwt' || type === 'application/at+jwt') return 'access token';
  return type === 'jwt' ? 'any' : 'foreign';
}
