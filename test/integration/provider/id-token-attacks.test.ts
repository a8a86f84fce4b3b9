// LOGIN-07: ID tokens that are not what they should be, each against a whole sign-in over real sockets.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { CLIENT_ID, CLIENT_SECRET, FakeProvider, type Signing } from '../../support/fake-provider.ts';
import { encode, newSigningKey } from '../../support/signing-key.ts';
import { outcome, testProvider } from '../../support/test-provider.ts';

const now = () => Math.floor(Date.now() / 1000);
const foreign = newSigningKey('RS256', 'foreign');
const foreignSameKid = newSigningKey('RS256', 'key-1');
const ecKey = newSigningKey('ES256', 'ec-key');
const pssKey = { ...newSigningKey('PS256', 'pss-key') };
const event = { 'http://schemas.openid.net/event/backchannel-logout': {} };

type Changes = Record<string, unknown> | (() => Record<string, unknown>);
const changed = (claims?: Changes) => (typeof claims === 'function' ? claims() : claims);

interface Attack {
  readonly what: string;
  /** A function where they depend on the time of the test. */
  readonly claims?: Changes;
  readonly signing?: Signing;
  /** Changes the finished token. */
  readonly spoil?: (token: string) => string;
  readonly why: RegExp;
}

const attacks: Attack[][] = [
  [
    { what: 'no iss', claims: { iss: undefined }, why: /iss is missing/ },
    { what: 'the iss of another provider', claims: { iss: 'https://evil.example' }, why: /iss is "https:\/\/evil/ },
    { what: 'an iss with a slash more', claims: { iss: 'http://127.0.0.1/' }, why: /iss is/ },
    { what: 'an iss in a list', claims: { iss: ['x'] }, why: /iss is missing or not a string/ },
    { what: 'no aud', claims: { aud: undefined }, why: /aud is missing/ },
    { what: 'the aud of another client', claims: { aud: 'other' }, why: /aud is not our client/ },
    { what: 'an empty list as aud', claims: { aud: [] }, why: /aud is not our client/ },
    { what: 'an aud that is an object', claims: { aud: { gate: true } }, why: /aud is missing or malformed/ },
    { what: 'more audiences and no azp', claims: { aud: [CLIENT_ID, 'other'] }, why: /other audiences/ },
    { what: 'more audiences and a foreign azp', claims: { aud: [CLIENT_ID, 'x'], azp: 'x' }, why: /azp is another/ },
    { what: 'a foreign azp', claims: { azp: 'other' }, why: /azp is another client/ },
    { what: 'no sub', claims: { sub: undefined }, why: /sub is missing/ },
    { what: 'an empty sub', claims: { sub: '' }, why: /sub is missing or malformed/ },
    { what: 'a sub that is a number', claims: { sub: 7 }, why: /sub is missing or malformed/ },
    { what: 'a sub of 256 characters', claims: { sub: 'a'.repeat(256) }, why: /sub is missing or malformed/ },
    { what: 'no nonce', claims: { nonce: undefined }, why: /nonce/ },
    { what: 'another nonce', claims: { nonce: 'somebody else began this' }, why: /nonce/ },
    { what: 'a nonce in a list', claims: { nonce: [] }, why: /nonce/ },
    { what: 'a logout event', claims: { events: event }, why: /has events/ },
    { what: 'the hash of another access token', claims: { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }, why: /at_hash/ },
    { what: 'a hash that is no string', claims: { at_hash: 1 }, why: /at_hash/ },
  ],
  [
    { what: 'no exp', claims: { exp: undefined }, why: /exp is missing/ },
    { what: 'an exp long past', claims: () => ({ exp: now() - 3600 }), why: /expired 36\d\d s ago/ },
    { what: 'an exp just beyond the tolerance', claims: () => ({ exp: now() - 32 }), why: /expired/ },
    { what: 'an exp that is text', claims: () => ({ exp: String(now() + 60) }), why: /exp is missing or not a time/ },
    { what: 'an exp of 1e300', claims: { exp: 1e300 }, why: /exp is missing or not a time/ },
    { what: 'no iat', claims: { iat: undefined }, why: /iat is missing/ },
    { what: 'an iat in the future', claims: () => ({ iat: now() + 120, exp: now() + 600 }), why: /in the future/ },
    { what: 'an iat that is text', claims: { iat: 'now' }, why: /iat is missing or not a time/ },
    { what: 'a negative iat', claims: { iat: -1 }, why: /iat is missing or not a time/ },
    { what: 'an nbf in the future', claims: () => ({ nbf: now() + 120 }), why: /not valid yet/ },
  ],
  [
    { what: 'alg none', signing: { header: { alg: 'none' }, signer: 'unsigned' }, why: /not a signed JWT/ },
    { what: 'alg none with a signature', signing: { header: { alg: 'none' } }, why: /not an asymmetric/ },
    { what: 'alg nOnE', signing: { header: { alg: 'nOnE' } }, why: /not an asymmetric/ },
    { what: 'no alg', signing: { header: { alg: undefined } }, why: /not an asymmetric/ },
    {
      what: 'HS256 with the client secret',
      signing: { header: { alg: 'HS256' }, signer: { hmacSecret: CLIENT_SECRET } },
      why: /not an asymmetric/,
    },
    {
      what: 'ES256 with a published key',
      signing: { header: { alg: 'ES256', kid: 'ec-key' }, signer: ecKey },
      why: /ES256/,
    },
    {
      what: 'PS256 with a published key',
      signing: { header: { alg: 'PS256', kid: 'pss-key' }, signer: pssKey },
      why: /PS256/,
    },
    {
      what: 'a foreign key and kid',
      signing: { header: { kid: 'foreign' }, signer: foreign },
      why: /no key with its kid/,
    },
    { what: 'a foreign key under our kid', signing: { signer: foreignSameKid }, why: /signature does not hold/ },
    {
      what: 'a foreign key and no kid',
      signing: { header: { kid: undefined }, signer: foreign },
      why: /signature does not hold/,
    },
    {
      what: 'its own key in the header',
      signing: { header: { kid: 'foreign', jwk: foreign.publicJwk }, signer: foreign },
      why: /header has "jwk"/,
    },
    { what: 'crit', signing: { header: { crit: ['x'], x: 1 } }, why: /header has "crit"/ },
    { what: 'b64 false', signing: { header: { b64: false, crit: ['b64'] } }, why: /header has "crit"/ },
    { what: 'zip', signing: { header: { zip: 'DEF' } }, why: /header has "zip"/ },
    { what: 'a kid that is a number', signing: { header: { kid: 7 } }, why: /kid is malformed/ },
    { what: 'a kid of 10 KiB', signing: { header: { kid: 'k'.repeat(10_240) } }, why: /kid is malformed/ },
    { what: 'the typ of a logout token', signing: { header: { typ: 'logout+jwt' } }, why: /typ is that of another/ },
    { what: 'the typ of an access token', signing: { header: { typ: 'at+jwt' } }, why: /typ is that of another/ },
    { what: 'a typ that is a number', signing: { header: { typ: 42 } }, why: /typ is that of another/ },
  ],
  [
    { what: 'claims changed after signing', spoil: swapSub, why: /signature does not hold/ },
    { what: 'a padded signature', spoil: (token) => `${token}==`, why: /not canonical/ },
    { what: 'a signature of other bits', spoil: lastBitsChanged, why: /not canonical/ },
    { what: 'two parts', spoil: (token) => token.split('.').slice(0, 2).join('.'), why: /three parts/ },
    { what: 'four parts', spoil: (token) => `${token}.x`, why: /three parts/ },
    { what: 'five parts', spoil: (token) => `${token}.x.y`, why: /encrypted/ },
    { what: 'a line break', spoil: (token) => token.replace('.', '\n.'), why: /canonical/ },
    { what: 'a header that is a list', spoil: (token) => token.replace(/^[^.]+/, encode('[]')), why: /header is not/ },
    { what: 'text that is no JSON', spoil: (token) => token.replace(/^[^.]+/, encode('{')), why: /header is not/ },
  ],
];

describe('a sign-in is refused before UserInfo is asked when the ID token has', () => {
  let fake: FakeProvider;
  before(async () => {
    fake = await FakeProvider.start();
    fake.jwks.keys.push(ecKey.publicJwk, pssKey.publicJwk);
  });
  after(() => fake.server.stop());

  for (const { what, claims, signing, spoil, why } of attacks.flat()) {
    test(what, async (t) => {
      const { provider } = testProvider({ issuer: fake.issuer, userinfo: 'always' });
      t.after(() => provider.stop());
      const asked = fake.server.count('/userinfo') + fake.server.count('/introspect');
      fake.issue = (grant) => {
        const token = fake.idToken({ nonce: grant.nonce, ...changed(claims) }, signing);
        return { ...fake.tokens(grant), id_token: spoil ? spoil(token) : token };
      };
      const { code, message } = await outcome(fake.login(provider));
      assert.equal(code, 'id_token_invalid', message);
      assert.match(message, why);
      assert.equal(fake.server.count('/userinfo') + fake.server.count('/introspect'), asked);
    });
  }

  test('no ID token at all', async (t) => {
    const { provider } = testProvider({ issuer: fake.issuer });
    t.after(() => provider.stop());
    fake.issue = (grant) => ({ ...fake.tokens(grant), id_token: undefined });
    assert.equal((await outcome(fake.login(provider))).code, 'id_token_invalid');
  });
});

describe('a sign-in succeeds when the ID token has', () => {
  let fake: FakeProvider;
  before(async () => {
    fake = await FakeProvider.start();
    // Several keys of one kind: without a kid, each is tried.
    fake.jwks.keys.unshift(newSigningKey('RS256', 'other-1').publicJwk, newSigningKey('RS256', 'other-2').publicJwk);
  });
  after(() => fake.server.stop());

  const half = createHash('sha256').update('opaque access token').digest().subarray(0, 16);
  const cases: { what: string; claims?: Changes; signing?: Signing }[] = [
    { what: 'nothing unusual' },
    { what: 'a list of our client as aud', claims: { aud: [CLIENT_ID] } },
    { what: 'more audiences and us as azp', claims: { aud: ['other', CLIENT_ID], azp: CLIENT_ID } },
    { what: 'no typ', signing: { header: { typ: undefined } } },
    { what: 'no kid, among several keys', signing: { header: { kid: undefined } } },
    { what: 'an exp within the tolerance', claims: () => ({ exp: now() - 5 }) },
    { what: 'an iat within the tolerance', claims: () => ({ iat: now() + 20 }) },
    { what: 'a fraction in iat', claims: () => ({ iat: now() - 0.5 }) },
    { what: 'the right at_hash', claims: { at_hash: half.toString('base64url') } },
    { what: 'the address of a key, which is not followed', signing: { header: { jku: 'http://127.0.0.1:1/keys' } } },
  ];
  for (const { what, claims, signing } of cases) {
    test(what, async (t) => {
      const { provider } = testProvider({ issuer: fake.issuer });
      t.after(() => provider.stop());
      fake.issue = (grant) => ({
        ...fake.tokens(grant),
        id_token: fake.idToken({ nonce: grant.nonce, ...changed(claims) }, signing),
      });
      const signedIn = await fake.login(provider);
      assert.equal(signedIn.sub, 'alice');
      assert.equal(signedIn.sid, 'sid-1');
      assert.equal(signedIn.issuer, fake.issuer);
    });
  }
});

describe('the session of an ID token is named by', () => {
  const rows: [what: string, claims: Record<string, unknown>, sid: string | undefined][] = [
    ['its sid', { sid: 'a', session_state: 'b' }, 'a'],
    ['its session_state where it has no sid, as in Keycloak before 15', { sid: undefined, session_state: 'b' }, 'b'],
    ['nothing where its sid is empty', { sid: '' }, undefined],
    ['nothing where its sid is a list', { sid: ['a'] }, undefined],
    ['nothing where its sid has 256 characters', { sid: 'a'.repeat(256) }, undefined],
  ];
  for (const [what, claims, sid] of rows) {
    test(what, async (t) => {
      const fake = await FakeProvider.start();
      const { provider } = testProvider({ issuer: fake.issuer });
      t.after(() => {
        provider.stop();
        return fake.server.stop();
      });
      fake.issue = (grant) => ({ ...fake.tokens(grant), id_token: fake.idToken({ nonce: grant.nonce, ...claims }) });
      const signedIn = await fake.login(provider);
      assert.equal(signedIn.sid, sid);
      assert.equal('sid' in signedIn, sid !== undefined);
    });
  }
});

describe('the configured algorithm is the one that is accepted:', () => {
  for (const alg of ['RS384', 'PS256', 'ES256', 'ES512', 'EdDSA']) {
    test(alg, async (t) => {
      const fake = await FakeProvider.start(alg);
      const { provider } = testProvider({ issuer: fake.issuer, idTokenAlg: alg });
      t.after(() => {
        provider.stop();
        return fake.server.stop();
      });
      assert.equal((await fake.login(provider)).sub, 'alice');
    });
  }
});

function swapSub(token: string): string {
  const [header, payload = '', signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return [header, encode(JSON.stringify({ ...claims, sub: 'mallory' })), signature].join('.');
}

/** The 342 base64url characters of a 2048 bit signature end in 4 unused bits: this is the same signature to a lax decoder. */
function lastBitsChanged(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1)!) | 1];
}
