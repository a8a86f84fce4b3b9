// Keycloak keeps roles in its JWT access token (RFC 9068 in spirit): read where its signature and issuer hold.

import { GatewayError } from '../base/gateway-error.ts';
import type { Claims } from '../base/tokens.ts';
import { parseCompactJws } from './compact-jws.ts';
import type { Provider } from './provider.ts';
import { isEpochSeconds } from './token-claims.ts';

const MAX_BYTES = 256 * 1024;
const TYPES: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'application/at+jwt']);
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
    const jws = parseCompactJws(accessToken, { maxBytes: MAX_BYTES, refuse: () => UNREADABLE });
    const { header, claims } = jws;
    const { typ } = header;
    if (typ !== undefined && !(typeof typ === 'string' && TYPES.has(typ.toLowerCase()))) return undefined;
    if (claims['iss'] !== provider.options.issuer) return undefined;
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
