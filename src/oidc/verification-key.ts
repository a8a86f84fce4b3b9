// One key of the provider's key set (RFC 7517): screened without cost, imported when a token first needs it.

import { type CryptoKey as ImportedKey, importJWK } from 'jose';
import { isJsonObject } from './compact-jws.ts';

/** 8192 bit. Larger keys are a way to make us spend time; nobody signs ID tokens with them. */
const MAX_MODULUS_CHARS = Math.ceil(8192 / 6) + 1;
/** 64 bit. A huge public exponent makes every verification slow. */
const MAX_EXPONENT_CHARS = 11;
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

type PublicJwk = { kty: 'RSA'; n: string; e: string } | { kty: 'EC' | 'OKP'; crv: string; x: string; y?: string };

export class VerificationKey {
  readonly kid: string | undefined;
  readonly #alg: string | undefined;
  readonly #jwk: PublicJwk;
  readonly #imports = new Map<string, Promise<ImportedKey | undefined>>();

  private constructor(jwk: PublicJwk, kid: string | undefined, alg: string | undefined) {
    this.#jwk = jwk;
    this.kid = kid;
    this.#alg = alg;
  }

  /** A key that may verify signatures, or undefined: unknown kind, private, symmetric, for encryption, huge or malformed. */
  static screen(value: unknown): VerificationKey | undefined {
    if (!isJsonObject(value) || PRIVATE_MEMBERS.some((name) => Object.hasOwn(value, name))) return undefined;
    const { kid, alg, use, key_ops: operations } = value;
    if (use !== undefined && use !== 'sig') return undefined;
    if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return undefined;
    if (kid !== undefined && typeof kid !== 'string') return undefined;
    if (alg !== undefined && typeof alg !== 'string') return undefined;
    const jwk = publicMembers(value);
    return jwk && new VerificationKey(jwk, kid, alg);
  }

  /** Whether this key could have made a signature with `alg`. */
  fits(alg: string): boolean {
    if (this.#alg !== undefined && this.#alg !== alg) return false;
    if (alg.startsWith('RS') || alg.startsWith('PS')) return this.#jwk.kty === 'RSA';
    const curve = CURVES[alg];
    return curve !== undefined && this.#jwk.kty !== 'RSA' && this.#jwk.crv === curve;
  }

  /** The key for `alg`, imported once; undefined where its content turns out to be no key. */
  imported(alg: string): Promise<ImportedKey | undefined> {
    let key = this.#imports.get(alg);
    if (!key) {
      key = importJWK({ ...this.#jwk, alg }, alg).then(
        (imported) => (imported instanceof Uint8Array || !isStrong(imported) ? undefined : imported),
        () => undefined,
      );
      this.#imports.set(alg, key);
    }
    return key;
  }
}

/** RFC 7518 section 3.3: RSA keys of 2048 bit or more. What is no modulus at all is imported too, as a very short one. */
function isStrong(key: ImportedKey): boolean {
  const { modulusLength } = key.algorithm as { modulusLength?: number };
  return modulusLength === undefined || modulusLength >= 2048;
}

const CURVES: Readonly<Record<string, string>> = {
  ES256: 'P-256',
  ES384: 'P-384',
  ES512: 'P-521',
  EdDSA: 'Ed25519',
  Ed25519: 'Ed25519',
};

function publicMembers(jwk: Record<string, unknown>): PublicJwk | undefined {
  const { kty, n, e, crv, x, y } = jwk;
  if (kty === 'RSA') {
    if (typeof n !== 'string' || typeof e !== 'string') return undefined;
    return n.length <= MAX_MODULUS_CHARS && e.length <= MAX_EXPONENT_CHARS ? { kty, n, e } : undefined;
  }
  if (typeof crv !== 'string' || typeof x !== 'string') return undefined;
  if (kty === 'EC') return typeof y === 'string' ? { kty, crv, x, y } : undefined;
  return kty === 'OKP' ? { kty, crv, x } : undefined;
}
