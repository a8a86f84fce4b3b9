// Why a request got no response head from its upstream, in a word that the door can answer by; undici's and Node's
// errors are told apart here, by code.

export interface ForwardFailure {
  readonly code:
    | 'upstream_unreachable'
    | 'upstream_timeout'
    | 'upstream_invalid'
    | 'upstream_ntlm'
    | 'cookies_not_kept';
  /** For operators. */
  readonly why: string;
  /** Not a byte of the request was sent: no connection could be made. */
  readonly unsent?: true;
}

const TIMEOUTS = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT']);
/** The connection is not there, or went away. */
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
  'UND_ERR_SOCKET',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
]);

function errorCodeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

/** True where the connection went away before it answered: the one case in which a request may be tried again. */
export function isConnectionLost(error: unknown): boolean {
  const code = errorCodeOf(error);
  return (code === 'UND_ERR_SOCKET' && !isBadResponse(error)) || code === 'ECONNRESET' || code === 'EPIPE';
}

export function forwardFailure(error: unknown): ForwardFailure {
  const code = errorCodeOf(error);
  const why = error instanceof Error && error.message !== '' ? error.message : code || 'unknown failure';
  if (TIMEOUTS.has(code)) return { code: 'upstream_timeout', why };
  if (UNREACHABLE.has(code) && !isBadResponse(error)) return { code: 'upstream_unreachable', why };
  // Certificates, and whatever else keeps the connection from being made.
  if (/^(?:CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/.test(code)) {
    return { code: 'upstream_unreachable', why };
  }
  return { code: 'upstream_invalid', why };
}

/** undici's one code for "the socket closed" and for "what came is no answer to this request". */
function isBadResponse(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('bad ');
}
