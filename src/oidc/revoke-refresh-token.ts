// Revokes a refresh token where we ended the session ourselves (RFC 7009 section 2.1).

import { tokenRevocation } from 'openid-client';
import { finalFailure } from './client-failure.ts';
import type { Provider } from './provider.ts';

/**
 * Asks once. Nothing happens where the provider has no revocation endpoint. A token that is void already is no error.
 * @throws GatewayError `provider_refused`, after which asking again is no use; `provider_unavailable`
 */
export async function revokeRefreshToken(provider: Provider, refreshToken: string): Promise<void> {
  const configuration = await provider.configuration();
  const address = configuration.serverMetadata().revocation_endpoint;
  if (!address) return;
  try {
    await tokenRevocation(configuration, refreshToken, { token_type_hint: 'refresh_token' });
  } catch (error) {
    throw finalFailure(provider, error, `the revocation endpoint (${address})`);
  }
}
