// The one place where errors of openid-client and fetch become ours: by class, code and status, never by their text.
// The library's error is not kept as `cause`: its chain can hold the provider's whole answer, tokens included.

import { ClientError, ResponseBodyError, WWWAuthenticateChallengeError } from 'openid-client';
import { GatewayError } from '../base/gateway-error.ts';

/** The provider cannot be asked, answers nonsense or refuses our client: nobody's logout. `why` begins with the endpoint. */
export function providerUnavailable(why: string): GatewayError {
  return new GatewayError('provider_unavailable', {
    status: 503,
    message: why,
    publicMessage: 'The sign-in service cannot be reached at the moment. Please try again in a moment.',
  });
}

/** `error` of a call to `endpoint` (named for operators, with its address) as a GatewayError, `provider_unavailable`. */
export function translateError(error: unknown, endpoint: string): GatewayError {
  const own = findOwn(error);
  if (own) return own.cause === undefined ? own : unreachable(own.cause, endpoint, own.message);
  if (error instanceof ResponseBodyError) {
    const hint = isClientRefused(error)
      ? ': the provider refuses our client; check client_id, client_secret and client_auth'
      : '';
    return providerUnavailable(`${endpoint} answered ${error.status} ${describeOAuthError(error)}${hint}`);
  }
  if (error instanceof WWWAuthenticateChallengeError) {
    const hint = error.status === 401 ? ': our credentials or token are refused there' : '';
    return providerUnavailable(`${endpoint} answered ${error.status} with a challenge${hint}`);
  }
  if (error instanceof ClientError) {
    const answer = answerIn(error);
    if (answer !== undefined) return unexpectedAnswer(answer, endpoint);
    if (error.code === 'OAUTH_TIMEOUT' || error.code === 'OAUTH_ABORT')
      return providerUnavailable(`${endpoint} timed out`);
    const unusable = `it gave an answer that cannot be used (${error.code ?? 'no code'})`;
    return unreachable(error.cause, endpoint, unusable);
  }
  return unreachable(error, endpoint, 'the request failed');
}

/** The answer that the library could not use, if there was one. */
export function answerIn(error: unknown): Response | undefined {
  return error instanceof ClientError && isResponse(error.cause) ? error.cause : undefined;
}

/** What the network says, by its code; `otherwise` where it has none. */
function unreachable(error: unknown, endpoint: string, otherwise: string): GatewayError {
  const code = networkCode(error);
  if (code === undefined) return providerUnavailable(`${endpoint}: ${otherwise}`);
  if (code === TIMED_OUT) return providerUnavailable(`${endpoint} timed out`);
  return providerUnavailable(`${endpoint} cannot be reached: ${code}${certificateHint(code, endpoint)}`);
}

function certificateHint(code: string, endpoint: string): string {
  // Some servers that miss a client certificate send no alert before they close.
  if (code === 'UND_ERR_SOCKET' && endpoint.includes('(https:'))
    return ': it closed the connection; does it ask for a client certificate? That goes into provider.tls';
  if (CERTIFICATE_REFUSED.test(code))
    return ': it asks for a client certificate that it trusts; that goes into provider.tls';
  return CERTIFICATE.test(code)
    ? ': its certificate is not trusted; a private authority goes into provider.ca_file'
    : '';
}

/**
 * Whether the provider does not know us, or not by this secret: nobody can sign in until somebody changes a setting. For
 * errors of the endpoints where our client authenticates.
 */
export function isClientRefused(error: unknown): boolean {
  // RFC 6749 section 5.2 has a challenge come with it, where we came with an Authorization header.
  if (error instanceof WWWAuthenticateChallengeError) return error.status === 401;
  // Keycloak's pushed authorization endpoint says 401 invalid_request where others say invalid_client.
  return error instanceof ResponseBodyError && (error.status === 401 || CLIENT_REFUSED.has(error.error));
}

/** Whether the token endpoint said that the grant itself (code or refresh token) is no longer good: terminal, RFC 6749 section 5.2. */
export function isInvalidGrant(error: unknown): error is ResponseBodyError {
  return error instanceof ResponseBodyError && error.error === 'invalid_grant';
}

/** `error` and description as a provider sent them, safe for a log line. */
export function describeOAuthError(error: Pick<ResponseBodyError, 'error' | 'error_description'>): string {
  const code = /^[\x21\x23-\x5b\x5d-\x7e]{1,64}$/.test(error.error) ? error.error : 'an unreadable error';
  const description = typeof error.error_description === 'string' ? quoteForeign(error.error_description) : '';
  return description ? `${code} (${description})` : code;
}

/** Foreign text for operators: printable, short, and nothing in it long enough to be a token or a code. */
export function quoteForeign(text: string): string {
  return text
    .slice(0, 200)
    .replace(/[^\x20-\x7e]/g, '?')
    .replace(/[A-Za-z0-9_\-.~+/=]{24,}/g, '…')
    .trim();
}

/**
 * The JSON of a 200 answer.
 * @throws GatewayError `provider_unavailable`
 */
export async function readJson(response: Response, endpoint: string): Promise<unknown> {
  if (response.status !== 200) throw unexpectedAnswer(response, endpoint);
  let text: string;
  try {
    text = await response.text();
  } catch (error) {
    throw translateError(error, endpoint);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw unexpectedAnswer(response, endpoint);
  }
}

/**
 * `provider_unavailable` for an answer that is no 200, or one of another content than its place calls for, with `hint` behind it.
 * Lets its body go.
 */
export function unexpectedAnswer(response: Response, endpoint: string, hint = ''): GatewayError {
  // Nobody reads this body; without the cancel its connection would stay taken.
  response.body?.cancel().catch(() => {});
  const { status } = response;
  if (status >= 300 && status < 400)
    return providerUnavailable(`${endpoint} answered ${status}; redirects are not followed`);
  if (status !== 200) return providerUnavailable(`${endpoint} answered ${status}${hint}`);
  return providerUnavailable(`${endpoint} answered 200, but not with the JSON expected there`);
}

const CLIENT_REFUSED: ReadonlySet<string> = new Set(['invalid_client', 'unauthorized_client']);

const TIMED_OUT = 'timed out';
/** Codes of OpenSSL and Node: SELF_SIGNED_CERT_IN_CHAIN, CERT_HAS_EXPIRED, UNABLE_TO_VERIFY_LEAF_SIGNATURE and their like. */
const CERTIFICATE = /CERT|UNABLE_TO_/;
/** An alert is the other side's word on what we have shown, or not (RFC 8446 section 6.2). */
const CERTIFICATE_REFUSED = /_ALERT_(?:\w*CERTIFICATE\w*|UNKNOWN_CA|HANDSHAKE_FAILURE)$/;

/**
 * Errors of ours come back wrapped where they were thrown inside the library's fetch. One with a `cause` is the fetch's
 * own, which does not know what it called.
 */
function findOwn(error: unknown): GatewayError | undefined {
  for (let depth = 0, at = error; depth < 4 && at instanceof Error; depth++, at = at.cause) {
    if (at instanceof GatewayError) return at;
  }
  return undefined;
}

/** By shape: the answer may be of undici's class or of the runtime's. */
function isResponse(value: unknown): value is Response {
  return typeof value === 'object' && value !== null && Object.prototype.toString.call(value) === '[object Response]';
}

function networkCode(error: unknown): string | undefined {
  for (let depth = 0, at = error; depth < 5 && at instanceof Error; depth++, at = at.cause) {
    if (at.name === 'TimeoutError') return TIMED_OUT;
    const code = (at as { code?: unknown }).code;
    if (typeof code === 'string' && /^(?!OAUTH_)[A-Z][A-Z0-9_/]{2,60}$/.test(code)) return code;
  }
  return undefined;
}
