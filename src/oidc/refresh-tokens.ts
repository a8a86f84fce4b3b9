// New tokens for a session (RFC 6749 section 6, OpenID Connect Core 1.0 section 12).

import { refreshTokenGrant } from 'openid-client';
import { errorCode, GatewayError } from '../base/gateway-error.ts';
import type { SessionHandle } from '../base/ids.ts';
import type { Claims, TokenSet } from '../base/tokens.ts';
import { clientFailure } from './client-failure.ts';
import { clientSessionState } from './client-session-state.ts';
import { collectClaims, mergeClaims } from './collect-claims.ts';
import { parseCompactJws } from './compact-jws.ts';
import { notBeforeOf } from './not-before.ts';
import type { Provider } from './provider.ts';
import { mergeTokens, readTokenAnswer, type TokenAnswer } from './token-answer.ts';
import { describeOAuthError, isInvalidGrant } from './translate-error.ts';
import { type IdToken, verifyIdToken } from './verify-id-token.ts';

export interface Refreshable {
  readonly handle: SessionHandle;
  readonly tokens: TokenSet;
  readonly sub: string;
  readonly sid: string | undefined;
  readonly claims: Claims;
}

export interface Refreshed {
  readonly tokens: TokenSet;
  readonly claims: Claims;
  /** The provider's not-before for this user, epoch seconds: older tokens of theirs are void. Absent: none is set. */
  readonly notBeforeSeconds?: number;
}

/**
 * Refreshes once; never repeated, because a rotated token that is sent twice kills the session.
 *
 * Claims are made anew, from the new ID token (from the one at hand where none came), the new access token and, as the
 * option says, UserInfo: a role that was taken away is gone. Where UserInfo or the keys cannot be had, the tokens are
 * adopted all the same, for the old refresh token may be void by now: without UserInfo its claims stay as they were, and
 * without keys the new ID token and its claims are left aside until the next refresh.
 * @throws GatewayError `refresh_refused` (401), terminal: the grant is over, or the answer is about another user, issuer or
 *   client, or not signed by the provider; `provider_unavailable` for everything else, a refusal of our client included
 */
export async function refreshTokens(provider: Provider, session: Refreshable): Promise<Refreshed> {
  const answer = await askForTokens(provider, session);
  const merged = mergeTokens(answer, session.tokens);
  const notBefore = notBeforeOf(provider, answer);
  const idToken = await newIdToken(provider, answer, session);
  // Not verifiable now: nothing of it is adopted, and the ID token at hand stays.
  if (idToken === 'unverifiable')
    return { tokens: { ...merged, idToken: session.tokens.idToken }, claims: session.claims, ...notBefore };
  const tokens = idToken === undefined ? merged : { ...merged, issuedAtSeconds: idToken.issuedAtSeconds };
  return {
    tokens,
    claims: await newClaims(provider, session, {
      idToken: withSignIn(idToken?.claims ?? heldClaims(session.tokens), session.claims),
      accessToken: tokens.accessToken,
    }),
    ...notBefore,
  };
}

async function askForTokens(provider: Provider, { tokens, handle }: Refreshable): Promise<TokenAnswer> {
  if (tokens.refreshToken === undefined) throw refused('the session has no refresh token');
  const configuration = await provider.configuration();
  const askedAt = provider.clock.now();
  try {
    const state = clientSessionState(provider, handle);
    const answer = await refreshTokenGrant(configuration, tokens.refreshToken, state);
    provider.noteClientTrouble(undefined);
    return readTokenAnswer(answer, askedAt);
  } catch (error) {
    if (isInvalidGrant(error))
      throw refused(`the token endpoint answered ${error.status} ${describeOAuthError(error)}`);
    throw clientFailure(provider, error, `the token endpoint (${configuration.serverMetadata().token_endpoint})`);
  }
}

async function newIdToken(
  provider: Provider,
  answer: TokenAnswer,
  session: Refreshable,
): Promise<IdToken | undefined | 'unverifiable'> {
  if (answer.idToken === undefined) return undefined;
  let idToken: IdToken;
  try {
    idToken = await verifyIdToken(provider, answer.idToken, { nonce: undefined, accessToken: answer.accessToken });
  } catch (error) {
    if (errorCode(error) === 'provider_unavailable') return 'unverifiable';
    if (error instanceof GatewayError) throw refused(error.message);
    throw error;
  }
  if (idToken.sub !== session.sub) throw refused('the new ID token is about another user');
  // A logout token would name the new sid, and find nothing.
  if (idToken.sid !== undefined && session.sid !== undefined && idToken.sid !== session.sid) {
    throw refused('the new ID token is about another session of the user');
  }
  // Core 1.0 section 12.2. Keycloak leaves it out of refreshed tokens.
  const { nonce } = idToken.claims;
  const before = session.claims['nonce'];
  if (nonce !== undefined && before !== undefined && nonce !== before) {
    throw refused('the new ID token has the nonce of another sign-in');
  }
  return idToken;
}

async function newClaims(
  provider: Provider,
  session: Refreshable,
  sources: { idToken: Claims; accessToken: string },
): Promise<Claims> {
  try {
    return await collectClaims(provider, { ...sources, sub: session.sub });
  } catch (error) {
    // Refused with a token of this very moment: the session ended between the two answers.
    if (['userinfo_mismatch', 'session_ended'].includes(errorCode(error)))
      throw refused((error as GatewayError).message);
    if (errorCode(error) !== 'provider_unavailable') throw error;
    return mergeClaims(sources.idToken, session.claims);
  }
}

/** How the user signed in, where a refreshed ID token leaves it out: a refresh is no sign-in (Core 1.0 section 12.2). */
function withSignIn(idToken: Claims, before: Claims): Claims {
  const kept = ['acr', 'amr', 'auth_time'].filter((name) => idToken[name] === undefined && before[name] !== undefined);
  return kept.length === 0 ? idToken : { ...idToken, ...Object.fromEntries(kept.map((name) => [name, before[name]])) };
}

/** Claims of the ID token that the session holds; it was verified when it came. */
function heldClaims(tokens: TokenSet): Claims {
  return parseCompactJws(tokens.idToken, { maxBytes: Number.POSITIVE_INFINITY, refuse: refused }).claims;
}

function refused(why: string): GatewayError {
  return new GatewayError('refresh_refused', {
    status: 401,
    message: `the session cannot be refreshed: ${why}`,
    publicMessage: 'Your session has ended. Please sign in again.',
  });
}
