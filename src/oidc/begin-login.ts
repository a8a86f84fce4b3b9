// The authorization request: code flow with PKCE S256, state and nonce, pushed where the provider offers it
// (OpenID Connect Core 1.0 section 3.1.2.1, RFC 7636, RFC 9126).

import {
  buildAuthorizationUrl,
  buildAuthorizationUrlWithPAR,
  type Configuration,
  calculatePKCECodeChallenge,
  ResponseBodyError,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import { GatewayError } from '../base/gateway-error.ts';
import { clientFailure } from './client-failure.ts';
import type { Provider } from './provider.ts';
import { providerUnavailable } from './translate-error.ts';

/** What one attempt to sign in must remember; secret, and good for this attempt only. */
export interface LoginTransaction {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

/** Would turn the request into another flow, or hide it. */
const NOT_CONFIGURABLE = ['request', 'request_uri', 'response_mode'];

export interface LoginWishes {
  readonly redirectUri: string;
  /** Before those of the provider's options. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** A wish: what the provider made of it is in the ID token. */
  readonly acrValues?: readonly string[] | undefined;
  /**
   * The latest ID token of a session, expired or not: asks whether that session lives, for this user or not at all, and for
   * nothing that its user would see.
   */
  readonly confirming?: string | undefined;
}

/** Wishes for another sign-in than there was: the provider would say no, though the session lives. */
const NOT_TO_CONFIRM = ['acr_values', 'max_age', 'prompt'];

/** With the rest of our answer it has to fit into the 4 KiB that an nginx before the gate reads of a head. */
const LONGEST_URL = 3_500;

/**
 * The address to send the browser to. Nothing of the user's request goes into it. With `par: auto` a provider that has the
 * endpoint must answer there: going on in the open would let whoever breaks that call change the request.
 * @throws GatewayError `provider_unavailable`
 */
export async function beginLogin(
  provider: Provider,
  { redirectUri, parameters: wished, acrValues, confirming }: LoginWishes,
): Promise<{ url: string; transaction: LoginTransaction }> {
  const configuration = await provider.configuration();
  const { options } = provider;
  const transaction = { state: randomState(), nonce: randomNonce(), codeVerifier: randomPKCECodeVerifier() };
  const parameters = new URLSearchParams({ ...options.authorizationParams, ...wished });
  for (const name of NOT_CONFIGURABLE) parameters.delete(name);
  const ours: Record<string, string> = {
    client_id: options.clientId,
    response_type: 'code',
    redirect_uri: new URL(redirectUri).href,
    scope: [...new Set(['openid', ...options.scopes])].join(' '),
    state: transaction.state,
    nonce: transaction.nonce,
    code_challenge: await calculatePKCECodeChallenge(transaction.codeVerifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(ours)) parameters.set(name, value);
  if (acrValues !== undefined) parameters.set('acr_values', acrValues.join(' '));
  if (confirming !== undefined) {
    for (const name of NOT_TO_CONFIRM) parameters.delete(name);
    parameters.set('prompt', 'none');
    parameters.set('id_token_hint', confirming);
  }
  if (pushes(provider, configuration)) {
    return { url: (await push(provider, configuration, parameters)).href, transaction };
  }
  return { url: address(configuration, parameters), transaction };
}

/** A hint that makes it too long gives way. */
function address(configuration: Configuration, parameters: URLSearchParams): string {
  const { href } = buildAuthorizationUrl(configuration, parameters);
  if (href.length <= LONGEST_URL || !parameters.has('id_token_hint')) return href;
  parameters.delete('id_token_hint');
  return buildAuthorizationUrl(configuration, parameters).href;
}

function pushes({ options }: Provider, configuration: Configuration): boolean {
  if (options.par === 'never') return false;
  const offered = configuration.serverMetadata().pushed_authorization_request_endpoint !== undefined;
  if (!offered && options.par === 'require') {
    throw providerUnavailable('provider.par is require, and the provider has no pushed authorization request endpoint');
  }
  return offered;
}

async function push(provider: Provider, configuration: Configuration, parameters: URLSearchParams): Promise<URL> {
  try {
    const url = await buildAuthorizationUrlWithPAR(configuration, parameters);
    provider.noteClientTrouble(undefined);
    return url;
  } catch (error) {
    const address = configuration.serverMetadata().pushed_authorization_request_endpoint;
    const failure = clientFailure(provider, error, `the pushed authorization request endpoint (${address})`);
    throw error instanceof ResponseBodyError && error.status === 400 ? requestRefused(failure, parameters) : failure;
  }
}

/** Which of them it does not like only its own words say; it is nearly always the address (RFC 9126 section 2.3). */
function requestRefused({ message }: GatewayError, parameters: URLSearchParams): GatewayError {
  const cure = `the client there must have ${parameters.get('redirect_uri')} among its valid redirect URIs, and the scopes`;
  return new GatewayError('provider_unavailable', {
    status: 503,
    message: `${message}; ${cure}`,
    publicMessage: 'The sign-in service does not accept this gate as it is set up. Please tell whoever runs it.',
  });
}
