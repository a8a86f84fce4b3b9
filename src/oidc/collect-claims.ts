// One set of claims out of the three places where a provider keeps them.

import type { Claims } from '../base/tokens.ts';
import { accessTokenClaims } from './access-token-claims.ts';
import type { Provider } from './provider.ts';
import { userClaims } from './user-claims.ts';

/** Who somebody is and what a token is: only the ID token says so. */
const ID_TOKEN_ONLY: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'aud', 'azp', 'exp', 'iat', 'nbf', 'jti', 'sid', 'session_state', 'nonce', 'typ', 'events'],
  ...['auth_time', 'acr', 'amr', 'at_hash', 'c_hash', 's_hash', 'cnf', 'act', 'client_id', 'active'],
]);

export interface ClaimSources {
  /** Of a verified ID token. */
  readonly idToken: Claims;
  readonly sub: string;
  readonly accessToken: string;
}

/**
 * Claims of the ID token; what it does not have, from UserInfo; what that does not have either, from the access token.
 * UserInfo is asked as the option says: `auto` only when a claim that the configuration needs is in neither token.
 * Null-prototype.
 * @throws GatewayError as user-claims does
 */
export async function collectClaims(provider: Provider, sources: ClaimSources): Promise<Claims> {
  const { options } = provider;
  const { idToken, sub, accessToken } = sources;
  const fromAccess =
    options.accessTokenClaims === 'auto' ? await accessTokenClaims(provider, accessToken, sub) : undefined;
  const claims = mergeClaims(idToken, fromAccess);
  const missing = options.neededClaims.some((name) => claims[name] === undefined);
  if (options.userinfo === 'never' || (options.userinfo === 'auto' && !missing)) return claims;
  return mergeClaims(idToken, await userClaims(provider, accessToken, sub), fromAccess);
}

/** The first source that has a claim gives it; those about identity and token only from the first of all. */
export function mergeClaims(idToken: Claims, ...others: readonly (Claims | undefined)[]): Claims {
  const merged: Record<string, unknown> = Object.assign(Object.create(null), idToken);
  for (const source of others) {
    for (const [name, value] of Object.entries(source ?? {})) {
      if (!ID_TOKEN_ONLY.has(name) && !Object.hasOwn(merged, name)) merged[name] = value;
    }
  }
  return merged;
}
