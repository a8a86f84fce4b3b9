// Asks the provider whether a session lives: introspection of the refresh token (RFC 7662 section 2.1). The hint matters:
// without it, and for access tokens, newer Keycloaks answer "not active" for sessions that live.

import { tokenIntrospection } from 'openid-client';
import { clientFailure } from './client-failure.ts';
import type { Provider } from './provider.ts';
import { providerUnavailable } from './translate-error.ts';

/**
 * Whether the session of this refresh token lives. Neither rotates the token nor counts as the user's activity there.
 * @throws GatewayError `provider_unavailable` for every answer that is not a plain yes or no
 */
export async function probeSession(provider: Provider, refreshToken: string): Promise<'alive' | 'ended'> {
  const configuration = await provider.configuration();
  const address = configuration.serverMetadata().introspection_endpoint;
  if (!address) throw providerUnavailable('the provider has no introspection endpoint');
  try {
    const answer = await tokenIntrospection(configuration, refreshToken, { token_type_hint: 'refresh_token' });
    provider.noteClientTrouble(undefined);
    return answer.active ? 'alive' : 'ended';
  } catch (error) {
    throw clientFailure(provider, error, `the introspection endpoint (${address})`);
  }
}
