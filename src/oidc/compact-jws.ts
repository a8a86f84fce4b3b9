// Reads a compact JWS strictly, before any key is thought of (RFC 7515 section 7.1, RFC 8725 sections 3.1 to 3.11).

import type { GatewayError } from '../base/gateway-error.ts';
import type { Claims } from '../base/tokens.ts';

/** Makes the error of whoever reads the token, out of a sentence for operators. */
export type Refuse = (why: string) => GatewayError;

export interface CompactJws {
  readonly text: string;
  readonly alg: string;
  readonly kid: string | undefined;
  readonly header: Claims;
  /** Null-prototype. Nothing in it is true before the signature is. */
  readonly claims: Claims;
}

/** What may sign a token of the provider. `none` and the HMAC family are not here, and no setting adds them. */
const ASYMMETRIC_ALGS: ReadonlySet<string> = new Set([
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]);

/** Extensions we do not have, and a key that the token brings itself: never from an honest provider. */
const REFUSED_HEADERS = ['crit', 'b64', 'zip', 'jwk'];
/** Addresses of keys. We take keys from one place, and nobody is asked elsewhere because a token says so. */
const KEY_REFERENCES = ['jku', 'x5u', 'x5c'];
const MAX_KID_LENGTH = 512;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/**
 * The token's header and claims, unverified. Exactly three parts, each in the one canonical base64url form (a signature
 * with other padding bits would be a second name of the same token), JSON objects inside, an asymmetric `alg`.
 * @throws what `refuse` makes
 */
export function parseCompactJws(text: string, limits: { maxBytes: number; refuse: Refuse }): CompactJws {
  const { maxBytes, refuse } = limits;
  if (text.length > maxBytes) throw refuse(`it is longer than ${maxBytes} bytes`);
  const parts = text.split('.', 6);
  if (parts.length === 5) throw refuse('it is encrypted (five parts), and no encryption is configured');
  const [header64, payload64, signature64] = parts;
  if (parts.length !== 3 || !header64 || !payload64 || !signature64)
    throw refuse('it is not a signed JWT of three parts');
  if (!isCanonical(signature64)) throw refuse('its signature is not canonical base64url');
  const header = decodeObject(header64);
  if (!header) throw refuse('its header is not a JSON object in canonical base64url');
  const claims = decodeObject(payload64);
  if (!claims) throw refuse('its payload is not a JSON object in canonical base64url');
  const { alg, kid } = header;
  if (typeof alg !== 'string' || !ASYMMETRIC_ALGS.has(alg)) {
    throw refuse('its alg is not an asymmetric signature algorithm (none and HS* are never accepted)');
  }
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > MAX_KID_LENGTH))
    throw refuse('its kid is malformed');
  const extension = REFUSED_HEADERS.find((name) => Object.hasOwn(header, name));
  if (extension) throw refuse(`its header has "${extension}", which is not accepted`);
  return { text, alg, kid, header, claims };
}

/** Why the header is refused for a key that it points to, or undefined: for tokens that strangers hand us. */
export function keyReferenceTrouble(header: Claims): string | undefined {
  const reference = KEY_REFERENCES.find((name) => Object.hasOwn(header, name));
  return reference && `its header has "${reference}", which is not accepted`;
}

function isCanonical(part: string): boolean {
  return BASE64URL.test(part) && Buffer.from(part, 'base64url').toString('base64url') === part;
}

/** A JSON object out of one part, null-prototype, so that a member named `__proto__` is only a member. */
function decodeObject(part: string): Claims | undefined {
  if (!isCanonical(part)) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(part, 'base64url')));
    return isJsonObject(value) ? nullPrototype(value) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a parsed JSON value is an object, and not null or a list. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A shallow copy without a prototype. */
export function nullPrototype(value: Claims): Record<string, unknown> {
  return Object.assign(Object.create(null), value);
}
