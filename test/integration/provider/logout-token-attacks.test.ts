// BCL-01 to BCL-13 as far as they concern the token itself, and V0 to V13 of OpenID Connect Back-Channel Logout 1.0.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import type { Provider, ProviderOptions } from '../../../src/oidc/provider.ts';
import { verifyLogoutToken } from '../../../src/oidc/verify-logout-token.ts';
import { CLIENT_ID, CLIENT_SECRET, FakeProvider, type Signing } from '../../support/fake-provider.ts';
import { encode, newSigningKey, signJws } from '../../support/signing-key.ts';
import { outcome, testProvider } from '../../support/test-provider.ts';

const now = () => Math.floor(Date.now() / 1000);
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const ecKey = newSigningKey('ES256', 'ec-key');
const pssKey = newSigningKey('PS256', 'pss-key');
const edKey = newSigningKey('EdDSA', 'ed-key');
const foreign = newSigningKey('RS256', 'foreign');
const foreignSameKid = newSigningKey('RS256', 'key-1');

type Token = (fake: FakeProvider) => string;
type Row = readonly [what: string, token: Token, why: RegExp];

const claims =
  (changed: Record<string, unknown> | (() => Record<string, unknown>)): Token =>
  (fake) =>
    fake.logoutToken(typeof changed === 'function' ? changed() : changed);
const signed =
  (signing: Signing): Token =>
  (fake) =>
    fake.logoutToken({}, signing);
const spoiled =
  (spoil: (token: string) => string): Token =>
  (fake) =>
    spoil(fake.logoutToken());

/** Looked at before any key: none of these makes a request. */
const cheap: Row[] = [
  // BCL-02, BCL-03
  ['alg none without a signature', signed({ header: { alg: 'none' }, signer: 'unsigned' }), /not a signed JWT/],
  ['alg none with a signature', signed({ header: { alg: 'none' } }), /asymmetric/],
  ['alg NONE', signed({ header: { alg: 'NONE' } }), /asymmetric/],
  ['alg nOnE', signed({ header: { alg: 'nOnE' } }), /asymmetric/],
  ['an empty alg', signed({ header: { alg: '' } }), /asymmetric/],
  ['no alg', signed({ header: { alg: undefined } }), /asymmetric/],
  ['alg as a list', signed({ header: { alg: ['RS256'] } }), /asymmetric/],
  [
    'HS256 with the client secret',
    signed({ header: { alg: 'HS256' }, signer: { hmacSecret: CLIENT_SECRET } }),
    /asymmetric/,
  ],
  [
    'HS256 with the public key as secret',
    (fake) => {
      const { n, e } = fake.key.publicJwk;
      return fake.logoutToken(
        {},
        { header: { alg: 'HS256' }, signer: { hmacSecret: JSON.stringify({ kty: 'RSA', n, e }) } },
      );
    },
    /asymmetric/,
  ],
  [
    'ES256 with a published key',
    signed({ header: { alg: 'ES256', kid: 'ec-key' }, signer: ecKey }),
    /signed with ES256/,
  ],
  [
    'PS256 with a published key',
    signed({ header: { alg: 'PS256', kid: 'pss-key' }, signer: pssKey }),
    /signed with PS256/,
  ],
  [
    'EdDSA with a published key',
    signed({ header: { alg: 'EdDSA', kid: 'ed-key' }, signer: edKey }),
    /signed with EdDSA/,
  ],
  ['ES256K', signed({ header: { alg: 'ES256K' } }), /asymmetric/],
  ['a wrong iss', claims({ iss: 'https://sso.example.comINVALID' }), /iss is/],
  ['an iss with a slash more', (fake) => fake.logoutToken({ iss: `${fake.issuer}/` }), /iss is/],
  ['an iss in capitals', (fake) => fake.logoutToken({ iss: fake.issuer.toUpperCase() }), /iss is/],
  ['a wrong aud', claims({ aud: `${CLIENT_ID}INVALID` }), /aud is not our client/],
  [
    'a wrong event',
    claims({ events: { 'http://schemas.openid.net/event/foobar': {} } }),
    /no back-channel logout event/,
  ],
  ['no events', claims({ events: undefined }), /events is missing/],
  ['a nonce', claims({ nonce: 'n' }), /has a nonce/],
  // BCL-04
  ['no iss', claims({ iss: undefined }), /iss is missing/],
  ['an iss that is a list', (fake) => fake.logoutToken({ iss: [fake.issuer] }), /iss is missing/],
  ['no aud', claims({ aud: undefined }), /aud is missing/],
  ['an empty aud list', claims({ aud: [] }), /aud is not our client/],
  ['an aud list of others', claims({ aud: ['other'] }), /aud is not our client/],
  ['an aud list with others and no azp', claims({ aud: [CLIENT_ID, 'other'] }), /other audiences/],
  ['no iat', claims({ iat: undefined }), /iat is missing/],
  ['no exp', claims({ exp: undefined }), /no exp/],
  ['no jti', claims({ jti: undefined }), /jti is missing/],
  ['an empty jti', claims({ jti: '' }), /jti is missing/],
  ['a jti that is a number', claims({ jti: 1 }), /jti is missing/],
  ['neither sub nor sid', claims({ sub: undefined, sid: undefined }), /neither sub nor sid/],
  ['an empty sub', claims({ sub: '' }), /sub is malformed/],
  ['a sub of blanks', claims({ sub: '  ' }), /sub is malformed/],
  ['a sub that is null', claims({ sub: null }), /sub is malformed/],
  ['a sub of 256 characters', claims({ sub: 'a'.repeat(256) }), /sub is malformed/],
  ['a sid in a list', claims({ sid: ['a'] }), /sid is malformed/],
  ['a sid that is an object', claims({ sid: {} }), /sid is malformed/],
  ['an empty sid', claims({ sid: '' }), /sid is malformed/],
  ['events as text', claims({ events: EVENT }), /events is missing or not an object/],
  ['events as a list', claims({ events: [EVENT] }), /events is missing or not an object/],
  ['events null', claims({ events: null }), /events is missing or not an object/],
  ['an event of true', claims({ events: { [EVENT]: true } }), /no back-channel logout event/],
  ['an event of null', claims({ events: { [EVENT]: null } }), /no back-channel logout event/],
  ['an event of text', claims({ events: { [EVENT]: 'x' } }), /no back-channel logout event/],
  ['an event of a list', claims({ events: { [EVENT]: [] } }), /no back-channel logout event/],
  // BCL-05
  ['a nonce of null', claims({ nonce: null }), /has a nonce/],
  ['an empty nonce', claims({ nonce: '' }), /has a nonce/],
  // BCL-06
  ['an exp past', claims(() => ({ exp: now() - 60 })), /expired/],
  ['an iat in the future', claims(() => ({ iat: now() + 120, exp: now() + 240 })), /in the future/],
  ['an iat an hour old', claims(() => ({ iat: now() - 3600, exp: now() + 60 })), /36\d\d s old/],
  ['an exp ten years away', claims(() => ({ exp: now() + 315_360_000 })), /exp is more than 600 s/],
  ['an exp of 1e300', claims({ exp: 1e300 }), /exp is not a time/],
  ['an exp of null', claims({ exp: null }), /exp is not a time/],
  ['an iat that is text', claims(() => ({ iat: String(now()) })), /iat is missing or not a time/],
  ['a negative iat', claims({ iat: -5 }), /iat is missing or not a time/],
  ['an nbf in the future', claims(() => ({ nbf: now() + 120 })), /not valid yet/],
  // BCL-08
  ['typ at+jwt', signed({ header: { typ: 'at+jwt' } }), /typ is that of another/],
  ['typ dpop+jwt', signed({ header: { typ: 'dpop+jwt' } }), /typ is that of another/],
  ['typ secevent+jwt', signed({ header: { typ: 'secevent+jwt' } }), /typ is that of another/],
  ['an empty typ', signed({ header: { typ: '' } }), /typ is that of another/],
  ['typ 42', signed({ header: { typ: 42 } }), /typ is not a string/],
  // BCL-09
  ['an ID token', (fake) => fake.idToken({ nonce: 'n' }), /events is missing/],
  [
    'an access token',
    (fake) => fake.sign({ iss: fake.issuer, aud: 'account', iat: now(), exp: now() + 60 }),
    /aud is not/,
  ],
  ['the logout token of another client', claims({ aud: 'other-client' }), /aud is not our client/],
  ['the logout token of another realm', (fake) => fake.logoutToken({ iss: `${fake.issuer}/realms/other` }), /iss is/],
  [
    'a refresh token of the provider',
    (fake) => fake.sign({}, { header: { alg: 'HS512' }, signer: { hmacSecret: 'k' } }),
    /asymmetric/,
  ],
  // BCL-11
  ['its own key', signed({ header: { jwk: foreign.publicJwk, kid: 'foreign' }, signer: foreign }), /"jwk"/],
  ['the address of its key', (fake) => fake.logoutToken({}, { header: { jku: `${fake.issuer}/evil` } }), /"jku"/],
  [
    'the address of its certificate',
    (fake) => fake.logoutToken({}, { header: { x5u: `${fake.issuer}/evil` } }),
    /"x5u"/,
  ],
  ['its certificate', signed({ header: { x5c: ['MII'] } }), /"x5c"/],
  ['a kid of 10 KiB', signed({ header: { kid: 'k'.repeat(10_240) } }), /kid is malformed/],
  ['crit', signed({ header: { crit: ['x'], x: 1 } }), /"crit"/],
  ['b64 false', signed({ header: { b64: false } }), /"b64"/],
  ['zip', signed({ header: { zip: 'DEF' } }), /"zip"/],
  // BCL-12
  ['five parts', () => 'a.b.c.d.e', /encrypted/],
  ['a compressed payload', (fake) => bomb(fake), /payload is not/],
  ['a JWS in JSON', (fake) => inJson(fake.logoutToken()), /three parts/],
  ['two parts', spoiled((token) => token.split('.').slice(0, 2).join('.')), /three parts/],
  ['a dot at the end', spoiled((token) => `${token}.`), /three parts/],
  ['a dot at the front', spoiled((token) => `.${token}`), /three parts/],
  ['a blank at the end', spoiled((token) => `${token} `), /not canonical/],
  ['a line break in front', spoiled((token) => `\n${token}`), /not a JSON object in canonical/],
  ['a padded signature', spoiled((token) => `${token}==`), /not canonical/],
  ['base64 instead of base64url', (fake) => ordinaryBase64(fake), /not canonical/],
  ['a signature of other bits', spoiled(lastBitsChanged), /not canonical/],
  ['more than 16 KiB', claims({ padding: 'x'.repeat(20_000) }), /longer than/],
  ['nothing', () => '', /three parts/],
  ['only dots', () => '..', /three parts/],
  ['payload null', (fake) => signJws({ alg: 'RS256', kid: 'key-1' }, 'null', fake.key), /payload is not/],
  [
    'broken UTF-8',
    spoiled((token) => token.replace(/\.[^.]+\./, `.${encode(Buffer.from('{"a":"\xff"}', 'latin1'))}.`)),
    /payload is not/,
  ],
];

const unverifiable: Row[] = [
  ['a foreign key under our kid', signed({ signer: foreignSameKid }), /signature does not hold/],
  ['a foreign key and kid', signed({ header: { kid: 'foreign' }, signer: foreign }), /no key with its kid/],
  ['a kid that is a path', signed({ header: { kid: '../../etc/passwd' }, signer: foreign }), /no key with its kid/],
  ['claims changed after signing', spoiled(swapSid), /signature does not hold/],
  ['a kid of a key of another kind', signed({ header: { kid: 'ec-key' } }), /no key with its kid/],
];

describe('a logout token is refused, and nobody is asked for keys, when it has', () => {
  const room = roomFor({});
  for (const [what, token, why] of cheap) {
    test(what, async () => {
      const { fake, provider } = room();
      const requests = fake.server.count('/jwks') + fake.server.count('/.well-known/openid-configuration');
      const { code, message } = await outcome(verifyLogoutToken(provider, token(fake)));
      assert.equal(code, 'notice_refused', message);
      assert.match(message, why);
      assert.equal(fake.server.count('/jwks') + fake.server.count('/.well-known/openid-configuration'), requests);
      assert.equal(fake.server.count('/evil'), 0);
    });
  }
});

describe('a logout token is refused by its signature when it has', () => {
  const room = roomFor({});
  for (const [what, token, why] of unverifiable) {
    test(what, async () => {
      const { fake, provider } = room();
      const { code, message } = await outcome(verifyLogoutToken(provider, token(fake)));
      assert.equal(code, 'notice_refused', message);
      assert.match(message, why);
    });
  }
});

describe('a logout token is accepted with', () => {
  const room = roomFor({});
  const accepted: [what: string, token: Token][] = [
    ['sid and sub', (fake) => fake.logoutToken()],
    ['sid only', claims({ sub: undefined })],
    ['sub only', claims({ sid: undefined })],
    ['an aud list of only us', claims({ aud: [CLIENT_ID] })],
    ['other audiences and us as azp', claims({ aud: [CLIENT_ID, 'other'], azp: CLIENT_ID })],
    ["Keycloak's second member in events", claims({ events: { [EVENT]: {}, revoke_offline_access: true } })],
    ['members in the event', claims({ events: { [EVENT]: { reason: 'x' } } })],
    ['unknown claims', claims({ ignored_claim: 'x', typ: 'Logout' })],
    ['fractions of seconds', claims(() => ({ iat: now() - 0.25, exp: now() + 119.5 }))],
    ['an iat as old as the setting and the tolerance', claims(() => ({ iat: now() - 315, exp: now() + 60 }))],
    ['an exp within the tolerance', claims(() => ({ exp: now() - 5 }))],
    ['no typ', signed({ header: { typ: undefined } })],
    ['typ JWT', signed({ header: { typ: 'JWT' } })],
    ['typ LOGOUT+JWT', signed({ header: { typ: 'LOGOUT+JWT' } })],
    ['typ application/logout+jwt', signed({ header: { typ: 'application/logout+jwt' } })],
    ['no kid', signed({ header: { kid: undefined } })],
  ];
  for (const [what, token] of accepted) {
    test(what, async () => {
      const { fake, provider } = room();
      const logout = await verifyLogoutToken(provider, token(fake));
      assert.equal(logout.issuer, fake.issuer);
      assert.ok(logout.sub === 'alice' || logout.sid === 'sid-1');
      assert.equal(logout.jti, 'jti-1');
    });
  }

  test('what it says, and no more', async () => {
    const { fake, provider } = room();
    const iat = now() - 3;
    assert.deepEqual(await verifyLogoutToken(provider, fake.logoutToken({ sid: undefined, iat })), {
      issuer: fake.issuer,
      sub: 'alice',
      issuedAtSeconds: iat,
      jti: 'jti-1',
    });
  });

  test('the same words a second time: a repeated notice is not an attack', async () => {
    const { fake, provider } = room();
    const token = fake.logoutToken();
    assert.deepEqual(await verifyLogoutToken(provider, token), await verifyLogoutToken(provider, token));
  });
});

describe('settings for versions of Keycloak:', () => {
  const old = roomFor({ logoutToken: { requireExp: false, requireTyp: false, maxAgeSeconds: 300 } });
  test('a token without exp is accepted where the setting says so, bounded by its age', async () => {
    const { fake, provider } = old();
    assert.equal((await verifyLogoutToken(provider, fake.logoutToken({ exp: undefined }))).sid, 'sid-1');
    const late = await outcome(verifyLogoutToken(provider, fake.logoutToken({ exp: undefined, iat: now() - 400 })));
    assert.equal(late.code, 'notice_refused');
    const nothing = await outcome(verifyLogoutToken(provider, fake.logoutToken({ exp: null })));
    assert.equal(nothing.code, 'notice_refused');
  });

  const strict = roomFor({ logoutToken: { requireExp: true, requireTyp: true, maxAgeSeconds: 300 } });
  test('a typ is required where the setting says so', async () => {
    const { fake, provider } = strict();
    assert.equal((await verifyLogoutToken(provider, fake.logoutToken())).sid, 'sid-1');
    for (const typ of [undefined, 'JWT']) {
      const { code, message } = await outcome(verifyLogoutToken(provider, fake.logoutToken({}, { header: { typ } })));
      assert.equal(code, 'notice_refused');
      assert.match(message, /require_typ/);
    }
  });
});

test('a logout token is not an ID token: a sign-in with one is refused', async (t) => {
  const fake = await FakeProvider.start();
  const { provider } = testProvider({ issuer: fake.issuer });
  t.after(() => {
    provider.stop();
    return fake.server.stop();
  });
  fake.issue = (grant) => ({
    ...fake.tokens(grant),
    id_token: fake.logoutToken({ nonce: grant.nonce }, { header: { typ: 'JWT' } }),
  });
  assert.equal((await outcome(fake.login(provider))).code, 'id_token_invalid');
});

test('with no key at hand and the provider down, a logout token is refused as unavailable, not as forged', async (t) => {
  const fake = await FakeProvider.start();
  const { provider } = testProvider({ issuer: fake.issuer });
  const token = fake.logoutToken();
  await fake.server.stop();
  t.after(() => provider.stop());
  assert.equal((await outcome(verifyLogoutToken(provider, token))).code, 'provider_unavailable');
});

/** One provider of each side for a whole table. */
function roomFor(options: Partial<ProviderOptions>): () => { fake: FakeProvider; provider: Provider } {
  let fake: FakeProvider;
  let provider: Provider;
  before(async () => {
    fake = await FakeProvider.start();
    fake.jwks.keys.push(ecKey.publicJwk, pssKey.publicJwk, edKey.publicJwk);
    provider = testProvider({ issuer: fake.issuer, ...options }).provider;
  });
  after(async () => {
    provider.stop();
    await fake.server.stop();
  });
  return () => ({ fake, provider });
}

function swapSid(token: string): string {
  const [header, payload = '', signature] = token.split('.');
  const body = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return [header, encode(JSON.stringify({ ...body, sid: 'sid-2' })), signature].join('.');
}

function lastBitsChanged(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1)!) | 1];
}

/** The signature as ordinary base64; signed until it has a letter that differs. */
function ordinaryBase64(fake: FakeProvider): string {
  for (let salt = 0; ; salt++) {
    const [header, payload, signature = ''] = fake.logoutToken({ salt }).split('.');
    const other = signature.replaceAll('-', '+').replaceAll('_', '/');
    if (other !== signature) return [header, payload, other].join('.');
  }
}

function bomb(fake: FakeProvider): string {
  const [header, , signature] = fake.logoutToken().split('.');
  return [header, encode(deflateRawSync(Buffer.alloc(1024 * 1024))), signature].join('.');
}

function inJson(token: string): string {
  const [header, payload, signature] = token.split('.');
  return JSON.stringify({ protected: header, payload, signature });
}
