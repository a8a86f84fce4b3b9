// The provider's keys: FAULT-03 (what a key set may contain), FAULT-04 (floods), and rotation.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ProviderDependencies } from '../../../src/oidc/provider.ts';
import { verifyLogoutToken } from '../../../src/oidc/verify-logout-token.ts';
import { FakeProvider } from '../../support/fake-provider.ts';
import type { Answer } from '../../support/hooked-server.ts';
import { newSigningKey } from '../../support/signing-key.ts';
import { systemClock, systemTimers } from '../../support/system-time.ts';
import { outcome, testProvider } from '../../support/test-provider.ts';

type Context = { after: (undo: () => unknown) => void };

async function room(t: Context, dependencies: Partial<ProviderDependencies> = {}) {
  const fake = await FakeProvider.start();
  const { provider, events } = testProvider({ issuer: fake.issuer }, dependencies);
  t.after(() => {
    provider.stop();
    return fake.server.stop();
  });
  return { fake, provider, events };
}

describe('a key set is used though it also has', () => {
  const good = newSigningKey('RS256', 'key-1').publicJwk;
  const rsaPrivate = newSigningKey('RS256', 'key-1').privateKey.export({ format: 'jwk' });
  const odd: { what: string; keys: unknown[] }[] = [
    { what: 'a key of an unknown kind', keys: [{ kty: 'XYZ', kid: 'key-1' }] },
    { what: 'something that is no key', keys: [null, 'key', 7, [], {}] },
    {
      what: 'a malformed key under the same kid',
      keys: [
        { kty: 'RSA', kid: 'key-1', n: '!!!', e: 'AQAB' },
        { ...good, n: 'AA' },
      ],
    },
    { what: 'a symmetric key under the same kid', keys: [{ kty: 'oct', kid: 'key-1', k: 'c2VjcmV0' }] },
    { what: 'a private key under the same kid', keys: [{ ...rsaPrivate, kid: 'key-1', alg: 'RS256' }] },
    { what: 'an encryption key under the same kid', keys: [{ ...good, use: 'enc' }] },
    { what: 'a key that may only encrypt', keys: [{ ...good, key_ops: ['encrypt'] }] },
    { what: 'a key of 16384 bit', keys: [{ ...good, n: 'A'.repeat(2731) }] },
    { what: 'a key with a huge exponent', keys: [{ ...good, e: 'A'.repeat(340) }] },
    { what: 'a key for another algorithm under the same kid', keys: [{ ...good, alg: 'RS512' }] },
    { what: 'other keys under the same kid', keys: [good, newSigningKey('RS256', 'key-1').publicJwk] },
    {
      what: 'curves nobody knows',
      keys: [
        { kty: 'EC', crv: 'P-0', x: 'AA', y: 'AA' },
        { kty: 'OKP', crv: 'X448', x: 'AA' },
      ],
    },
    { what: 'forty other keys', keys: Array.from({ length: 40 }, (_, at) => ({ ...good, kid: `k${at}` })) },
  ];
  for (const { what, keys } of odd) {
    test(what, async (t) => {
      const { fake, provider } = await room(t);
      fake.jwks = { keys: [...keys, fake.key.publicJwk] };
      assert.equal((await verifyLogoutToken(provider, fake.logoutToken())).sid, 'sid-1');
      assert.equal(fake.server.count('/jwks'), 1);
    });
  }
});

describe('keys at hand go on working when the key set answers', () => {
  const rows: { what: string; answer: Answer }[] = [
    { what: '500', answer: { status: 500, headers: {}, body: 'oops' } },
    { what: 'HTML', answer: { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' } },
    { what: 'no keys', answer: { status: 200, headers: {}, body: '{"keys":[]}' } },
    { what: 'no list', answer: { status: 200, headers: {}, body: '{"keys":{}}' } },
    { what: 'only keys of no use', answer: { status: 200, headers: {}, body: '{"keys":[{"kty":"oct","k":"AA"}]}' } },
    { what: 'a redirect', answer: { status: 302, headers: { location: '/elsewhere' }, body: '' } },
  ];
  for (const { what, answer } of rows) {
    test(what, async (t) => {
      const { fake, provider, events } = await room(t);
      await verifyLogoutToken(provider, fake.logoutToken());
      fake.server.mutate('/jwks', () => answer);
      const unknown = fake.logoutToken({}, { header: { kid: 'new' } });
      assert.equal((await outcome(verifyLogoutToken(provider, unknown))).code, 'provider_unavailable');
      assert.equal((await verifyLogoutToken(provider, fake.logoutToken())).sid, 'sid-1');
      assert.deepEqual(
        events.filter(({ event }) => event === 'keys.fetched').map((event) => 'outcome' in event && event.outcome),
        ['fetched', 'failed'],
      );
      assert.equal(fake.server.count('/elsewhere'), 0);
    });
  }
});

test('keys at hand go on working when the provider is gone, and a new key is found when it is back', async (t) => {
  const { fake, provider } = await room(t);
  await verifyLogoutToken(provider, fake.logoutToken());
  await fake.server.stop();
  assert.equal((await verifyLogoutToken(provider, fake.logoutToken())).sid, 'sid-1');
  await fake.server.start();
  const rotated = newSigningKey('RS256', 'key-2');
  fake.jwks = { keys: [rotated.publicJwk] };
  const token = fake.logoutToken({}, { signer: rotated, header: { kid: 'key-2' } });
  assert.equal((await verifyLogoutToken(provider, token)).sid, 'sid-1');
  // The old key was withdrawn.
  assert.equal((await outcome(verifyLogoutToken(provider, fake.logoutToken()))).code, 'notice_refused');
});

test('a key that came just before the token was signed is fetched for it', async (t) => {
  const { fake, provider } = await room(t);
  const rotated = newSigningKey('RS256', 'key-2');
  // The sign-in's own first fetch; the rotation comes between it and the next token.
  await verifyLogoutToken(provider, fake.logoutToken());
  fake.jwks.keys.unshift(rotated.publicJwk);
  fake.issue = (grant) => ({
    ...fake.tokens(grant),
    id_token: fake.idToken({ nonce: grant.nonce }, { signer: rotated, header: { kid: 'key-2' } }),
  });
  assert.equal((await fake.login(provider)).sub, 'alice');
  assert.equal(fake.server.count('/jwks'), 2);
});

test('a new key without kid is fetched for a token without kid', async (t) => {
  const { fake, provider } = await room(t);
  await verifyLogoutToken(provider, fake.logoutToken());
  const rotated = newSigningKey('RS256', 'key-2');
  fake.jwks = { keys: [{ ...rotated.publicJwk, kid: undefined }] };
  const token = fake.logoutToken({}, { signer: rotated, header: { kid: undefined } });
  assert.equal((await verifyLogoutToken(provider, token)).sid, 'sid-1');
});

test('a fetch that left before the rotation does not refuse a token of the new key', async (t) => {
  const { fake, provider } = await room(t);
  await verifyLogoutToken(provider, fake.logoutToken());
  const old = JSON.stringify(fake.jwks);
  const hold = fake.server.hold('/jwks');
  const forged = outcome(verifyLogoutToken(provider, fake.logoutToken({}, { header: { kid: 'forged' } })));
  await hold.arrived;
  const rotated = newSigningKey('RS256', 'key-2');
  fake.jwks = { keys: [rotated.publicJwk] };
  assert.ok(!old.includes('key-2'));
  const genuine = verifyLogoutToken(provider, fake.logoutToken({}, { signer: rotated, header: { kid: 'key-2' } }));
  hold.release();
  assert.equal((await forged).code, 'notice_refused');
  assert.equal((await genuine).sid, 'sid-1');
});

test('a flood of unknown keys makes one fetch a second, and a genuine token comes through', async (t) => {
  const { fake, provider } = await room(t, { clock: systemClock, timers: systemTimers });
  await verifyLogoutToken(provider, fake.logoutToken());
  const fetches = fake.server.count('/jwks');
  const forged = Array.from({ length: 2_000 }, (_, at) => fake.logoutToken({}, { header: { kid: `forged ${at}` } }));
  // Signing held this process up for seconds: what the server closed meanwhile is to be noticed first.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const began = performance.now();
  const flood = forged.map((token) => outcome(verifyLogoutToken(provider, token)));
  // A key that we have needs no fetch, whatever is going on.
  assert.equal((await verifyLogoutToken(provider, fake.logoutToken())).sid, 'sid-1');
  const rotated = newSigningKey('RS256', 'key-2');
  fake.jwks.keys.push(rotated.publicJwk);
  const token = fake.logoutToken({}, { signer: rotated, header: { kid: 'key-2' } });
  assert.equal((await verifyLogoutToken(provider, token)).sid, 'sid-1');
  assert.ok((await Promise.all(flood)).every(({ code }) => code === 'notice_refused'));
  const seconds = (performance.now() - began) / 1000;
  assert.ok(
    fake.server.count('/jwks') - fetches <= seconds + 1,
    `${fake.server.count('/jwks') - fetches} in ${seconds} s`,
  );
});

test('a key set that hangs holds nobody up who has a known key', async (t) => {
  const { fake, provider } = await room(t);
  await verifyLogoutToken(provider, fake.logoutToken());
  const hold = fake.server.hold('/jwks');
  const waiting = outcome(verifyLogoutToken(provider, fake.logoutToken({}, { header: { kid: 'forged' } })));
  await hold.arrived;
  assert.equal((await verifyLogoutToken(provider, fake.logoutToken())).sid, 'sid-1');
  hold.release();
  assert.equal((await waiting).code, 'notice_refused');
});
