// How the gate proves who it is; private keys that cannot sign are refused at the start, in words that name the setting.

import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, test } from 'node:test';
import { Secret } from '../../../src/base/secret.ts';
import { clientAuthentication } from '../../../src/oidc/client-authentication.ts';

const pem = (key: KeyObject) => key.export({ format: 'pem', type: 'pkcs8' }).toString();
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const forKey = (text: string) => clientAuthentication({ method: 'private_key_jwt', privateKeyPem: new Secret(text) });

describe('private_key_jwt is refused with', () => {
  const encrypted = rsa.privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' });
  const rows: [what: string, text: string, why: RegExp][] = [
    ['nothing', '', /unencrypted private key in PEM/],
    ['text that is no key', 'secret text', /unencrypted private key in PEM/],
    ['an encrypted key', encrypted.toString(), /unencrypted private key in PEM/],
    [
      'a public key',
      rsa.publicKey.export({ format: 'pem', type: 'spki' }).toString(),
      /unencrypted private key in PEM/,
    ],
    ['an RSA key of 1024 bit', pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey), /2048 bit/],
    ['an RSA-PSS key', pem(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey), /neither RSA/],
    ['a curve that signs nothing', pem(generateKeyPairSync('x25519').privateKey), /neither RSA, nor EC/],
    [
      'a curve that is not used for this',
      pem(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey),
      /neither RSA/,
    ],
  ];
  for (const [what, text, why] of rows) {
    test(what, () => {
      assert.throws(
        () => forKey(text),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'provider_key_unusable');
          assert.match(error.message, why);
          assert.match(error.message, /provider\.private_key_file/);
          assert.doesNotMatch(error.message, /secret text/);
          return true;
        },
      );
    });
  }
});

describe('an assertion', () => {
  const server = { issuer: 'https://sso.example.com' };
  async function assertion(key: KeyObject, metadata: object = {}) {
    const body = new URLSearchParams();
    await forKey(pem(key))(metadata)(server, { client_id: 'gate' } as never, body, new Headers());
    const [header = '', payload = ''] = body.get('client_assertion')!.split('.');
    const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
    return { header: read(header), payload: read(payload) };
  }

  test('is for the issuer alone, short, and of its own number', async () => {
    const { payload } = await assertion(rsa.privateKey);
    assert.deepEqual([payload.aud, payload.iss, payload.sub], [server.issuer, 'gate', 'gate']);
    assert.ok(payload.exp - payload.iat <= 60);
    assert.notEqual(payload.jti, (await assertion(rsa.privateKey)).payload.jti);
  });

  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const ed = generateKeyPairSync('ed25519');
  const rows: [what: string, key: KeyObject, supported: unknown, alg: string][] = [
    ['of an RSA key is RS256', rsa.privateKey, undefined, 'RS256'],
    ['of an RSA key is PS256 where the provider wants that', rsa.privateKey, ['PS256', 'ES256'], 'PS256'],
    ['of a P-384 key is ES384', p384.privateKey, ['ES256'], 'ES384'],
    ['of an Ed25519 key is EdDSA, as Keycloak knows it', ed.privateKey, ['EdDSA', 'Ed25519'], 'EdDSA'],
    ['of an Ed25519 key is Ed25519 where the provider knows only that', ed.privateKey, ['Ed25519'], 'Ed25519'],
    ['survives metadata of the wrong type', rsa.privateKey, 'RS256', 'RS256'],
  ];
  for (const [what, key, supported, alg] of rows) {
    test(what, async () => {
      const { header } = await assertion(key, { token_endpoint_auth_signing_alg_values_supported: supported });
      assert.equal(header.alg, alg);
    });
  }
});

describe('client_secret_basic', () => {
  const rows: [what: string, clientId: string, secret: string, credentials: string][] = [
    [
      'leaves alone what a form leaves alone',
      'wiki-gate_2.0',
      'aa937217-a566-49e4',
      'wiki-gate_2.0:aa937217-a566-49e4',
    ],
    ['encodes what a form encodes', 'https://wiki', 'a b:c+/&%é', 'https%3A%2F%2Fwiki:a+b%3Ac%2B%2F%26%25%C3%A9'],
  ];
  for (const [what, clientId, secret, credentials] of rows) {
    test(`${what}, so that a provider that decodes nothing knows a plain id and secret too`, () => {
      const headers = new Headers();
      const authenticate = clientAuthentication({ method: 'client_secret_basic', secret: new Secret(secret) })({});
      void authenticate({} as never, { client_id: clientId } as never, new URLSearchParams(), headers);
      const sent = headers.get('authorization')!.replace('Basic ', '');
      assert.equal(Buffer.from(sent, 'base64').toString(), credentials);
    });
  }
});
