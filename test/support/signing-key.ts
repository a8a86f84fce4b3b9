// Keys and signatures that tests make themselves, wrong ones included.

import { createHmac, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface SigningKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: KeyObject;
  /** As a provider publishes it. */
  readonly publicJwk: Record<string, unknown>;
}

const CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

export function newSigningKey(alg: string, kid = randomBytes(8).toString('base64url')): SigningKey {
  const { privateKey, publicKey } = newPair(alg);
  return { alg, kid, privateKey, publicJwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } };
}

function newPair(alg: string): { privateKey: KeyObject; publicKey: KeyObject } {
  const namedCurve = CURVES[alg];
  if (namedCurve) return generateKeyPairSync('ec', { namedCurve });
  return alg.startsWith('Ed') ? generateKeyPairSync('ed25519') : generateKeyPairSync('rsa', { modulusLength: 2048 });
}

export type Signer = SigningKey | { readonly hmacSecret: string } | 'unsigned';

/** A compact JWS of whatever is given: header and payload are not looked at, only serialised. */
export function signJws(header: object, payload: object | string, signer: Signer): string {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const input = `${encode(JSON.stringify(header))}.${encode(text)}`;
  return `${input}.${signature(input, signer)}`;
}

function signature(input: string, signer: Signer): string {
  if (signer === 'unsigned') return '';
  if ('hmacSecret' in signer) return createHmac('sha256', signer.hmacSecret).update(input).digest('base64url');
  const { alg, privateKey: key } = signer;
  if (alg.startsWith('Ed')) return sign(null, Buffer.from(input), key).toString('base64url');
  const padding = alg.startsWith('PS') ? { padding: 6, saltLength: Number(alg.slice(2)) / 8 } : {};
  const options = { key, dsaEncoding: 'ieee-p1363' as const, ...padding };
  return sign(`sha${alg.slice(2)}`, Buffer.from(input), options).toString('base64url');
}

export function encode(text: string | Buffer): string {
  return Buffer.from(text).toString('base64url');
}
