// Where to send the browser so that the provider ends its session too (OpenID Connect RP-Initiated Logout 1.0 section 2).

import { buildEndSessionUrl } from 'openid-client';
import type { Provider } from './provider.ts';

export interface EndSessionRequest {
  /** The latest ID token; with it most providers, Keycloak included, ask for no confirmation. Expired is fine. */
  readonly idToken?: string;
  readonly postLogoutRedirectUri: string;
  readonly state: string;
}

/** The address, or undefined where the provider has none or was never discovered: logging out here works all the same. */
export function endSessionUrl(provider: Provider, request: EndSessionRequest): string | undefined {
  const configuration = provider.discovered();
  if (!configuration?.serverMetadata().end_session_endpoint) return undefined;
  return buildEndSessionUrl(configuration, {
    ...(request.idToken !== undefined && { id_token_hint: request.idToken }),
    client_id: provider.options.clientId,
    post_logout_redirect_uri: request.postLogoutRedirectUri,
    state: request.state,
  }).href;
}
