// UserInfo (OpenID Connect Core 1.0 section 5.3), asked only after the ID token was found good.

import { fetchProtectedResource, WWWAuthenticateChallengeError } from 'openid-client';
import { GatewayError } from '../base/gateway-error.ts';
import type { Claims } from '../base/tokens.ts';
import { isJsonObject, nullPrototype, parseCompactJws, type Refuse } from './compact-jws.ts';
import type { Provider } from './provider.ts';
import { audienceTrouble } from './token-claims.ts';
import { providerUnavailable, readJson, translateError, unexpectedAnswer } from './translate-error.ts';

const MAX_SIGNED_BYTES = 256 * 1024;

/**
 * The user's claims as UserInfo has them, or undefined where the provider has no such endpoint. JSON, or a JWT signed as
 * ID tokens are.
 * @throws GatewayError `userinfo_mismatch` (400) when it is about somebody else or its signature does not hold;
 *   `session_ended` (400) when the access token is refused; `provider_unavailable`
 */
export async function userClaims(provider: Provider, accessToken: string, sub: string): Promise<Claims | undefined> {
  const configuration = await provider.configuration();
  const address = configuration.serverMetadata().userinfo_endpoint;
  if (!address) return undefined;
  const endpoint = `the UserInfo endpoint (${address})`;
  let response: Response;
  try {
    const headers = new Headers({ accept: 'application/json' });
    response = await fetchProtectedResource(configuration, accessToken, new URL(address), 'GET', undefined, headers);
  } catch (error) {
    // A token of this very moment that is refused: its session was ended between the two answers.
    if (error instanceof WWWAuthenticateChallengeError && error.status === 401) throw endedMeanwhile(endpoint);
    throw translateError(error, endpoint);
  }
  const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  const claims =
    type === 'application/jwt'
      ? await readSigned(provider, response, endpoint)
      : await readPlain(response, endpoint, type);
  if (claims['sub'] !== sub) throw refuse('its sub is not the one of the ID token');
  return claims;
}

function endedMeanwhile(endpoint: string): GatewayError {
  return new GatewayError('session_ended', {
    status: 400,
    message: `${endpoint} refused an access token that was issued a moment ago (401): its session has ended since`,
    publicMessage: 'You were signed out while you were signing in.',
  });
}

const refuse: Refuse = (why) =>
  new GatewayError('userinfo_mismatch', {
    status: 400,
    message: `the UserInfo answer is refused: ${why}`,
    publicMessage: 'The sign-in could not be verified. Please start again.',
  });

async function readPlain(response: Response, endpoint: string, type: string): Promise<Claims> {
  if (response.status === 200 && type !== 'application/json' && !type.endsWith('+json'))
    throw unexpectedAnswer(response, endpoint);
  const body = await readJson(response, endpoint);
  if (!isJsonObject(body)) throw providerUnavailable(`${endpoint} answered something else than a JSON object`);
  return nullPrototype(body);
}

async function readSigned(provider: Provider, response: Response, endpoint: string): Promise<Claims> {
  if (response.status !== 200) throw unexpectedAnswer(response, endpoint);
  const text = await response.text().catch((error: unknown) => {
    throw translateError(error, endpoint);
  });
  const jws = parseCompactJws(text.trim(), { maxBytes: MAX_SIGNED_BYTES, refuse });
  if (jws.alg !== provider.options.idTokenAlg) throw refuse(`it is signed with ${jws.alg}, not as ID tokens are`);
  const trouble = audienceTrouble(jws.claims, provider.options);
  if (trouble) throw refuse(trouble);
  if (Object.hasOwn(jws.claims, 'events')) throw refuse('it has events: it is another kind of token');
  if ((await provider.keys.verify(jws)) !== 'valid')
    throw refuse("its signature does not hold with the provider's keys");
  return jws.claims;
}
