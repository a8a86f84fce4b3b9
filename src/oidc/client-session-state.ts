// Keycloak's `client_session_state`: our name of a session, stored with Keycloak's own. Only where a token request had one
// does it tell the client's Admin URL that this session is over.

import type { SessionHandle } from '../base/ids.ts';
import type { Provider } from './provider.ts';

/** More parameters of a token request; other providers must ignore them (RFC 6749 section 3.2). Never the cookie's value. */
export function clientSessionState({ options }: Provider, handle: SessionHandle): Record<string, string> {
  return options.clientSessionState === 'sent' ? { client_session_state: handle } : {};
}
