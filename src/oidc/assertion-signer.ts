// Signs what the gate says of a user to an application, and publishes the keys that verify it (RFC 7515, RFC 7517).

import { createECDH, createPrivateKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, type JWK, SignJWT } from 'jose';
import { deriveKey, type Secret } from '../base/secret.ts';
import type { Claims } from '../base/tokens.ts';

/** As the applications of other gates know it, and every JOSE library. */
const ALG = 'ES256';
const CURVE_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
/** 64 bits more than the order has, so that the remainder favours no key (FIPS 186-5 section A.2.1). */
const SEED_BYTES = 40;

interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicJwk: JWK;
}

/** One per snapshot. Keys are made when they are first needed. */
export class AssertionSigner {
  readonly #secrets: readonly Secret[];
  #keys: Promise<readonly SigningKey[]> | undefined;

  /**
   * One key for each of `session.secret`, the same in every process that has it: the first signs, all are published. So a
   * key is known to applications before anything is signed with it, and after.
   */
  constructor(secrets: readonly Secret[]) {
    this.#secrets = secrets;
  }

  /** A compact JWS of these claims. */
  async sign(claims: Claims): Promise<string> {
    const [key] = await this.#ready();
    return new SignJWT(claims).setProtectedHeader({ alg: ALG, kid: key!.kid, typ: 'JWT' }).sign(key!.privateKey);
  }

  /** The public keys, a JWK Set. */
  async keySet(): Promise<{ readonly keys: readonly JWK[] }> {
    return { keys: (await this.#ready()).map(({ publicJwk }) => publicJwk) };
  }

  #ready(): Promise<readonly SigningKey[]> {
    this.#keys ??= Promise.all(this.#secrets.map(signingKey));
    return this.#keys;
  }
}

async function signingKey(secret: Secret): Promise<SigningKey> {
  const seed = BigInt(`0x${deriveKey(secret, 'assertion', SEED_BYTES).toString('hex')}`);
  const scalar = Buffer.from(((seed % (CURVE_ORDER - 1n)) + 1n).toString(16).padStart(64, '0'), 'hex');
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(scalar);
  // 04, x, y.
  const point = curve.getPublicKey();
  const [x, y] = [point.subarray(1, 33).toString('base64url'), point.subarray(33).toString('base64url')];
  const jwk = { kty: 'EC', crv: 'P-256', x, y };
  const kid = await calculateJwkThumbprint(jwk);
  return {
    kid,
    privateKey: createPrivateKey({ key: { ...jwk, d: scalar.toString('base64url') }, format: 'jwk' }),
    publicJwk: { ...jwk, kid, alg: ALG, use: 'sig' },
  };
}
