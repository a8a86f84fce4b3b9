// From the browser's return to a signed-in user (OpenID Connect Core 1.0 section 3.1.3).

import { AuthorizationResponseError, authorizationCodeGrant, type Configuration } from 'openid-client';
import { GatewayError } from '../base/gateway-error.ts';
import type { SessionHandle } from '../base/ids.ts';
import type { Claims, LivenessProbe, TokenSet } from '../base/tokens.ts';
import { armProbe } from './arm-probe.ts';
import type { LoginTransaction } from './begin-login.ts';
import { checkCallback } from './check-callback.ts';
import { clientFailure } from './client-failure.ts';
import { clientSessionState } from './client-session-state.ts';
import { collectClaims } from './collect-claims.ts';
import { notBeforeOf } from './not-before.ts';
import type { Provider } from './provider.ts';
import { readTokenAnswer, type TokenAnswer } from './token-answer.ts';
import { describeOAuthError, isInvalidGrant } from './translate-error.ts';
import { verifyIdToken } from './verify-id-token.ts';

export interface LoginReturn {
  /** The address the browser came back to. Only its query is looked at. */
  readonly callbackUrl: URL;
  /** As given to begin-login. */
  readonly redirectUri: string;
  readonly transaction: LoginTransaction;
  /** Of the session that this sign-in is to become. */
  readonly handle: SessionHandle;
}

export interface SignedIn {
  readonly issuer: string;
  readonly sub: string;
  readonly sid?: string;
  readonly claims: Claims;
  readonly tokens: TokenSet;
  readonly idTokenIssuedAtSeconds: number;
  readonly probe: LivenessProbe;
  /** The provider's not-before for this user, epoch seconds: older tokens of theirs are void. Absent: none is set. */
  readonly notBeforeSeconds?: number;
}

/**
 * Exchanges the code, once and never again: Keycloak voids the session of a code that it sees twice. The ID token is
 * checked whole before anything is asked with what came beside it.
 * @throws GatewayError `callback_invalid`, `login_refused` (the provider said no), `interaction_required` (not without its
 *   user, and it was told to show nothing), `login_put_off` (not now), `code_refused`, `id_token_invalid`,
 *   `userinfo_mismatch` (all 400), `provider_unavailable` (503)
 */
export async function finishLogin(provider: Provider, login: LoginReturn): Promise<SignedIn> {
  const { callbackUrl, transaction } = login;
  const configuration = await provider.configuration();
  checkCallback(callbackUrl.searchParams, {
    state: transaction.state,
    issuer: provider.options.issuer,
    issuerRequired: Boolean(configuration.serverMetadata().authorization_response_iss_parameter_supported),
  });
  const answer = await exchangeCode(provider, configuration, login);
  if (!answer.idToken) {
    throw new GatewayError('id_token_invalid', {
      status: 400,
      message: 'the token endpoint gave no ID token; is openid among the scopes that the provider allows our client?',
    });
  }
  const { accessToken } = answer;
  const idToken = await verifyIdToken(provider, answer.idToken, { nonce: transaction.nonce, accessToken });
  const [claims, probe] = await Promise.all([
    collectClaims(provider, { idToken: idToken.claims, sub: idToken.sub, accessToken }),
    armProbe(provider, answer.refreshToken),
  ]);
  return {
    issuer: provider.options.issuer,
    sub: idToken.sub,
    ...(idToken.sid !== undefined && { sid: idToken.sid }),
    claims,
    tokens: {
      idToken: answer.idToken,
      accessToken,
      accessExpiresAt: answer.accessExpiresAt,
      refreshToken: answer.refreshToken,
      refreshExpiresAt: answer.refreshExpiresAt,
      issuedAtSeconds: idToken.issuedAtSeconds,
    },
    idTokenIssuedAtSeconds: idToken.issuedAtSeconds,
    probe,
    ...notBeforeOf(provider, answer),
  };
}

async function exchangeCode(
  provider: Provider,
  configuration: Configuration,
  login: LoginReturn,
): Promise<TokenAnswer> {
  // The library takes redirect_uri from the address it is given: ours, never what the browser or a balancer made of it.
  const url = new URL(login.redirectUri);
  url.search = login.callbackUrl.search;
  const { state, codeVerifier } = login.transaction;
  const askedAt = provider.clock.now();
  try {
    const answer = await authorizationCodeGrant(
      configuration,
      url,
      { expectedState: state, pkceCodeVerifier: codeVerifier },
      clientSessionState(provider, login.handle),
    );
    provider.noteClientTrouble(undefined);
    return readTokenAnswer(answer, askedAt);
  } catch (error) {
    if (error instanceof AuthorizationResponseError) throw loginRefused(error);
    if (isInvalidGrant(error)) throw codeRefused(describeOAuthError(error));
    throw clientFailure(provider, error, `the token endpoint (${configuration.serverMetadata().token_endpoint})`);
  }
}

/** OpenID Connect Core Error Code unmet_authentication_requirements 1.0. */
const UNMET = 'unmet_authentication_requirements';
/** OpenID Connect Core section 3.1.2.6. */
const INTERACTION = ['login_required', 'interaction_required', 'account_selection_required', 'consent_required'];
/** RFC 6749 section 4.1.2.1: nothing is said about the user. */
const TEMPORARY = ['temporarily_unavailable', 'server_error'];

function loginRefused(error: AuthorizationResponseError): GatewayError {
  if (INTERACTION.includes(error.error)) {
    return new GatewayError('interaction_required', {
      status: 400,
      message: `the provider has to ask its user something, and prompt=none forbids it: ${describeOAuthError(error)}`,
      publicMessage:
        'The sign-in service would have to ask you something, and this site tells it not to. Sign in there first.',
    });
  }
  if (TEMPORARY.includes(error.error)) {
    return new GatewayError('login_put_off', {
      status: 400,
      message: `the provider cannot sign anybody in now: ${describeOAuthError(error)}`,
      publicMessage: 'The sign-in service is busy or has a fault. Please try again in a moment.',
    });
  }
  return new GatewayError('login_refused', {
    status: 400,
    message: `the provider refused the sign-in: ${describeOAuthError(error)}`,
    publicMessage:
      error.error === UNMET
        ? 'The sign-in service cannot sign you in as strongly as this page asks.'
        : 'The sign-in was cancelled or refused. You can start again.',
  });
}

function codeRefused(why: string): GatewayError {
  return new GatewayError('code_refused', {
    status: 400,
    message: `the token endpoint refused the code: ${why}`,
    publicMessage: 'This sign-in has expired or was used already. Please start again.',
  });
}
