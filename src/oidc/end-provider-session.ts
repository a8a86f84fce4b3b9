// Ends the provider's session without a browser: a POST of the refresh token to the end_session_endpoint with client
// authentication, what Keycloak's adapters do for `HttpServletRequest.logout()`. No specification has it (RP-Initiated
// Logout 1.0 knows browsers only), so a provider that does not know it is asked for what every one knows (RFC 7009).

import { type Configuration, ResponseBodyError } from 'openid-client';
import { finalFailure } from './client-failure.ts';
import { isJsonObject } from './compact-jws.ts';
import type { Provider } from './provider.ts';
import { revokeRefreshToken } from './revoke-refresh-token.ts';
import { translateError, unexpectedAnswer } from './translate-error.ts';

/** `ended`: the SSO session is over, and its other clients are told. `revoked`: only our tokens are void. */
export type ProviderEnd = 'ended' | 'revoked';

/** The provider knows this call, and refuses this one of ours. */
const REFUSALS = new Set(['invalid_grant', 'invalid_client', 'unauthorized_client']);

/**
 * Asks once. A session that is gone already is no error. Keycloak sends its notices, ours too, before it answers: who
 * calls this must have ended the session here, and hold nothing that a notice waits for.
 * @throws GatewayError `provider_refused`: our client or the token is not accepted, the session may live on there, and asking
 *   again is no use (Keycloak's `invalid_grant` is no session that is gone, which it answers 204, but a token that is not
 *   ours or not its own); `provider_unavailable`: later it may work
 */
export async function endProviderSession(provider: Provider, refreshToken: string): Promise<ProviderEnd> {
  const configuration = await provider.configuration();
  const address = addressForServers(configuration.serverMetadata());
  if (address !== undefined && (await askedByPost(provider, configuration, { address, refreshToken }))) return 'ended';
  await revokeRefreshToken(provider, refreshToken);
  return 'revoked';
}

/** False: the provider does not know what is asked of it. */
async function askedByPost(
  provider: Provider,
  configuration: Configuration,
  { address, refreshToken }: { address: string; refreshToken: string },
): Promise<boolean> {
  const endpoint = `the end_session_endpoint (${address})`;
  const body = new URLSearchParams({ refresh_token: refreshToken });
  const headers = new Headers({ 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'application/json' });
  let response: Response;
  try {
    await provider.authenticate(configuration, body, headers);
    const init = { method: 'POST', headers: Object.fromEntries(headers), body: body.toString() };
    response = await provider.options.fetch(address, init);
  } catch (error) {
    throw translateError(error, endpoint);
  }
  const { status } = response;
  if (status === 204) return true;
  const refusal = await refusalOf(response);
  if (refusal !== undefined && (status === 401 || status === 403 || REFUSALS.has(refusal.error))) {
    throw finalFailure(provider, refusal, endpoint);
  }
  if (status >= 500 || status === 429) throw unexpectedAnswer(response, endpoint);
  return false;
}

async function refusalOf(response: Response): Promise<ResponseBodyError | undefined> {
  const body: unknown = await response.json().catch(() => undefined);
  if (!isJsonObject(body) || typeof body['error'] !== 'string') return undefined;
  return new ResponseBodyError('refused', { cause: body as never, response });
}

/**
 * Keycloak publishes this endpoint under the name that browsers use even where it publishes the token endpoint under an
 * internal one (`hostname-backchannel-dynamic`), and a server may only reach the latter.
 */
function addressForServers(metadata: { end_session_endpoint?: string; token_endpoint?: string }): string | undefined {
  const { end_session_endpoint: address, token_endpoint: tokenAddress } = metadata;
  const [url, tokenUrl] = [URL.parse(address ?? ''), URL.parse(tokenAddress ?? '')];
  const isSibling = url !== null && tokenUrl?.pathname === url.pathname.replace(/\/logout$/, '/token');
  return isSibling ? new URL(url.pathname + url.search, tokenUrl).href : address;
}
