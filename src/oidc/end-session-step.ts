// How to send the browser to the provider so that its session ends too (OpenID Connect RP-Initiated Logout 1.0 section 2).

import type { Configuration } from 'openid-client';
import type { ProviderOptions } from './provider.ts';

export interface EndSessionRequest {
  /** The latest ID token; with it most providers, Keycloak included, ask for no confirmation. Expired is fine. */
  readonly idToken?: string | undefined;
  readonly postLogoutRedirectUri: string;
  readonly state: string;
  /** Languages for the provider's pages, most wanted first. */
  readonly uiLocales?: string | undefined;
  /** Who is logging out, in the provider's own terms. */
  readonly logoutHint?: string | undefined;
  /** Keycloak: the identity provider behind it that has ended its session already and need not be told. */
  readonly initiatingIdp?: string | undefined;
}

/** An address to go to, or a form to post there: what is in it does not fit into an address. */
export type EndSessionStep =
  | { readonly kind: 'redirect'; readonly url: string }
  | { readonly kind: 'form'; readonly action: string; readonly fields: Readonly<Record<string, string>> };

/**
 * With the rest of our answer it has to fit into the 4 KiB that an nginx before the gate reads of a head (proxy_buffer_size),
 * and into the request line that the provider's own server takes. ID tokens with many roles are longer.
 */
const LONGEST_URL = 3_500;

/**
 * The step, or undefined where the provider has no end_session_endpoint. An ID token that makes the address too long gives
 * way to a logout hint; without one it goes in a form, which every provider must accept.
 */
export function endSessionStep(
  options: ProviderOptions,
  configuration: Configuration,
  request: EndSessionRequest,
): EndSessionStep | undefined {
  const endpoint = configuration.serverMetadata().end_session_endpoint;
  if (!endpoint) return undefined;
  const fields = parameters(options, request);
  const url = withQuery(endpoint, fields);
  if (url.length <= LONGEST_URL || fields['id_token_hint'] === undefined) return { kind: 'redirect', url };
  if (fields['logout_hint'] === undefined) return { kind: 'form', action: endpoint, fields };
  const { id_token_hint: _, ...short } = fields;
  return { kind: 'redirect', url: withQuery(endpoint, short) };
}

function parameters(options: ProviderOptions, request: EndSessionRequest): Record<string, string> {
  const { postLogoutRedirectUri } = request;
  const all: Record<string, string | undefined> = {
    ...(options.legacyLogoutRedirectUri
      ? { redirect_uri: postLogoutRedirectUri }
      : { client_id: options.clientId, post_logout_redirect_uri: postLogoutRedirectUri }),
    state: request.state,
    ui_locales: request.uiLocales,
    logout_hint: request.logoutHint,
    initiating_idp: request.initiatingIdp,
    id_token_hint: request.idToken,
  };
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** The endpoint may have a query of its own, which stays as it is. */
function withQuery(endpoint: string, fields: Readonly<Record<string, string>>): string {
  const url = new URL(endpoint);
  for (const [name, value] of Object.entries(fields)) url.searchParams.append(name, value);
  return url.href;
}
