// What the token endpoint answers (RFC 6749 section 5.1), brought into types and bounds.

import type { TokenEndpointResponse } from 'openid-client';
import type { TokenSet } from '../base/tokens.ts';
import { isJsonObject } from './compact-jws.ts';
import { readJson } from './translate-error.ts';

/**
 * Where the provider says nothing usable about an access token's life: short enough that a session is soon asked for,
 * long enough that its requests are not all spent on refreshing.
 */
const DEFAULT_LIFETIME_SECONDS = 60;
/** A year. What claims to live longer is a mistake, not a lifetime. */
const MAX_LIFETIME_SECONDS = 365 * 86_400;

/**
 * openid-client judges an ID token by its claims and leaves out signature, `iat` and `typ`. Ours is judged whole, by
 * verify-id-token, with sentences for operators; so it travels past the library under a name that it does not know.
 */
const HELD_ID_TOKEN = 'portcullis:id_token';

/** `fetch` whose answers from the token endpoint have only members of the right type, so that no oddity of one fails all. */
export function tokenAnswerFetch(fetch: typeof globalThis.fetch, tokenEndpoint: string): typeof globalThis.fetch {
  const address = new URL(tokenEndpoint).href;
  return async (input, init) => {
    const response = await fetch(input, init);
    if (String(input) !== address || response.status !== 200) return response;
    const body = await readJson(response, `the token endpoint (${address})`);
    if (!isJsonObject(body)) return Response.json(body);
    const { id_token: idToken, expires_in: expiresIn, refresh_token: refreshToken, ...answer } = body;
    if (typeof idToken === 'string' && idToken) answer[HELD_ID_TOKEN] = idToken;
    if (typeof refreshToken === 'string' && refreshToken) answer['refresh_token'] = refreshToken;
    answer['expires_in'] = lifetimeSeconds(expiresIn) ?? DEFAULT_LIFETIME_SECONDS;
    if (typeof answer['scope'] !== 'string') delete answer['scope'];
    return Response.json(answer);
  };
}

/** Seconds as a number or as digits, from 1 to a year; undefined for everything else that providers have sent. */
function lifetimeSeconds(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) return undefined;
  return seconds >= 1 && seconds <= MAX_LIFETIME_SECONDS ? seconds : undefined;
}

export interface TokenAnswer {
  readonly idToken: string | undefined;
  readonly accessToken: string;
  readonly accessExpiresAt: number;
  readonly refreshToken: string | undefined;
  readonly refreshExpiresAt: number | undefined;
  /** Keycloak's `not-before-policy`, as it came. */
  readonly notBefore: unknown;
}

/** The answer with its lifetimes as instants, counted from when it was asked for (`askedAt`), never later than the truth. */
export function readTokenAnswer(answer: TokenEndpointResponse, askedAt: number): TokenAnswer {
  const idToken = answer[HELD_ID_TOKEN];
  // Keycloak: 0 for offline tokens, which have no end of their own.
  const refreshLifetime = lifetimeSeconds(answer['refresh_expires_in']);
  return {
    idToken: typeof idToken === 'string' ? idToken : undefined,
    accessToken: answer.access_token,
    accessExpiresAt: askedAt + (answer.expires_in ?? DEFAULT_LIFETIME_SECONDS) * 1000,
    refreshToken: answer.refresh_token,
    refreshExpiresAt: refreshLifetime === undefined ? undefined : askedAt + refreshLifetime * 1000,
    notBefore: answer['not-before-policy'],
  };
}

/** The session's tokens after an answer: what it does not replace stays. */
export function mergeTokens(answer: TokenAnswer, previous: TokenSet): TokenSet {
  const rotated = answer.refreshToken !== undefined;
  return {
    idToken: answer.idToken ?? previous.idToken,
    accessToken: answer.accessToken,
    accessExpiresAt: answer.accessExpiresAt,
    refreshToken: answer.refreshToken ?? previous.refreshToken,
    refreshExpiresAt: answer.refreshExpiresAt ?? (rotated ? undefined : previous.refreshExpiresAt),
    issuedAtSeconds: previous.issuedAtSeconds,
  };
}
