// Which keys of a key set may verify what (FAULT-03), one by one: among others, a bad key hides behind a good one.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VerificationKey } from '../../../src/oidc/verification-key.ts';
import { newSigningKey } from '../../support/signing-key.ts';

const rsa = newSigningKey('RS256', 'k').publicJwk;
const rsaPrivate = newSigningKey('RS256', 'k').privateKey.export({ format: 'jwk' });
const ec = newSigningKey('ES256', 'k').publicJwk;
const ecPrivate = newSigningKey('ES256', 'k').privateKey.export({ format: 'jwk' });
const ed = newSigningKey('EdDSA', 'k').publicJwk;
const bare = { kty: 'RSA', n: rsa['n'], e: rsa['e'] };

describe('a key is left out when it is', () => {
  const rows: [what: string, jwk: unknown][] = [
    ['nothing', null],
    ['a list', [rsa]],
    ['text', 'key'],
    ['of no kind', { ...rsa, kty: undefined }],
    ['of an unknown kind', { ...rsa, kty: 'XYZ' }],
    ['symmetric', { kty: 'oct', k: 'c2VjcmV0' }],
    ['a private RSA key', rsaPrivate],
    ['a private EC key', ecPrivate],
    ['for encryption', { ...rsa, use: 'enc' }],
    ['for a use that is no text', { ...rsa, use: ['sig'] }],
    ['only for signing', { ...rsa, key_ops: ['sign'] }],
    ['for operations that are no list', { ...rsa, key_ops: 'verify' }],
    ['of more than 8192 bit', { ...rsa, n: 'A'.repeat(1368) }],
    ['of an exponent of more than 64 bit', { ...rsa, e: 'A'.repeat(12) }],
    ['without a modulus', { ...rsa, n: undefined }],
    ['without a point', { ...ec, y: undefined }],
    ['without a curve', { ...ed, crv: undefined }],
    ['named by a number', { ...rsa, kid: 7 }],
    ['for an algorithm that is no text', { ...rsa, alg: 256 }],
  ];
  for (const [what, jwk] of rows) {
    test(what, () => assert.equal(VerificationKey.screen(jwk), undefined));
  }
});

describe('a key fits', () => {
  const rows: [what: string, jwk: object, fits: string[]][] = [
    ['every RSA signature where it names no algorithm', bare, ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
    ['only the algorithm that it names', rsa, ['RS256']],
    ['the one algorithm of its curve', { ...ec, alg: undefined }, ['ES256']],
    ['nothing where algorithm and curve disagree', { ...ec, alg: 'ES384' }, []],
    ['both names of Ed25519 where it names none', { ...ed, alg: undefined }, ['EdDSA', 'Ed25519']],
    ['nothing on a curve that signs nothing', { ...ed, alg: undefined, crv: 'X25519' }, []],
  ];
  const algs = [
    'none',
    'HS256',
    'RS256',
    'RS384',
    'RS512',
    'PS256',
    'PS384',
    'PS512',
    'ES256',
    'ES384',
    'ES512',
    'EdDSA',
    'Ed25519',
  ];
  for (const [what, jwk, fits] of rows) {
    test(what, () => {
      const key = VerificationKey.screen(jwk);
      assert.deepEqual(
        algs.filter((alg) => key?.fits(alg)),
        fits,
      );
    });
  }
});

describe('a key is imported', () => {
  test('once for each algorithm, as a public key that only verifies', async () => {
    const key = VerificationKey.screen({ ...bare, use: 'sig', key_ops: ['verify', 'sign'], x5c: ['MII'], ext: 'odd' });
    const imported = await key?.imported('RS256');
    assert.deepEqual([imported?.type, imported?.usages], ['public', ['verify']]);
    assert.equal(await key?.imported('RS256'), imported);
    assert.notEqual(await key?.imported('PS256'), imported);
  });

  test('as nothing where its content is no key', async () => {
    const rows: [jwk: object, alg: string][] = [
      [{ ...bare, n: '!!!' }, 'RS256'],
      [{ ...bare, n: '' }, 'RS256'],
      [{ ...ec, x: 'AA' }, 'ES256'],
      [{ ...ed, x: 'AA' }, 'EdDSA'],
    ];
    for (const [jwk, alg] of rows) assert.equal(await VerificationKey.screen(jwk)?.imported(alg), undefined);
  });
});
