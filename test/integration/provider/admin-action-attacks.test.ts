// The list of attacks on logout tokens (security catalogue BCL-01 to BCL-13) turned on Keycloak's admin actions, and those
// that only they invite: no `iss`, no `aud`, no `iat`.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import type { Provider } from '../../../src/oidc/provider.ts';
import { type AdminActionName, verifyAdminAction } from '../../../src/oidc/verify-admin-action.ts';
import { verifyLogoutToken } from '../../../src/oidc/verify-logout-token.ts';
import { CLIENT_ID, CLIENT_SECRET, FakeProvider, type Signing } from '../../support/fake-provider.ts';
import { encode, newSigningKey, signJws } from '../../support/signing-key.ts';
import { outcome, testProvider } from '../../support/test-provider.ts';

const now = () => Math.floor(Date.now() / 1000);
const ecKey = newSigningKey('ES256', 'ec-key');
const foreign = newSigningKey('RS256', 'foreign');
const foreignSameKid = newSigningKey('RS256', 'key-1');
const encryptionKey = newSigningKey('RS256', 'encryption-key');

type Token = (fake: FakeProvider) => string;
type Row = readonly [what: string, token: Token, why: RegExp];

const claims =
  (changed: Record<string, unknown> | (() => Record<string, unknown>)): Token =>
  (fake) =>
    fake.adminAction('LOGOUT', typeof changed === 'function' ? changed() : changed);
const signed =
  (signing: Signing): Token =>
  (fake) =>
    fake.adminAction('LOGOUT', {}, signing);
const spoiled =
  (spoil: (token: string) => string): Token =>
  (fake) =>
    spoil(fake.adminAction('LOGOUT'));
const header = (changed: Record<string, unknown>): Token => signed({ header: changed });

/** Looked at before any key: none of these makes a request. All are posted as `LOGOUT`. */
const cheap: Row[] = [
  ['alg none without a signature', signed({ header: { alg: 'none' }, signer: 'unsigned' }), /not a signed JWT/],
  ['alg none with a signature', header({ alg: 'none' }), /asymmetric/],
  ['alg NONE', header({ alg: 'NONE' }), /asymmetric/],
  ['no alg', header({ alg: undefined }), /asymmetric/],
  ['alg as a list', header({ alg: ['RS256'] }), /asymmetric/],
  [
    'HS256 with the client secret',
    signed({ header: { alg: 'HS256' }, signer: { hmacSecret: CLIENT_SECRET } }),
    /asymmetric/,
  ],
  [
    'HS256 with the public key as secret',
    (fake) => {
      const { n, e } = fake.key.publicJwk;
      const signer = { hmacSecret: JSON.stringify({ kty: 'RSA', n, e }) };
      return fake.adminAction('LOGOUT', {}, { header: { alg: 'HS256' }, signer });
    },
    /asymmetric/,
  ],
  ['another action', (fake) => fake.adminAction('PUSH_NOT_BEFORE', { notBefore: now() }), /action is not LOGOUT/],
  ['a test of availability', (fake) => fake.adminAction('TEST_AVAILABILITY'), /action is not LOGOUT/],
  ['an action in small letters', claims({ action: 'logout' }), /action is not LOGOUT/],
  ['no action', claims({ action: undefined }), /action is not LOGOUT/],
  ['a list of actions', claims({ action: ['LOGOUT'] }), /action is not LOGOUT/],
  ['another client as resource', claims({ resource: 'other' }), /resource is not our client/],
  ['a resource with more behind it', claims({ resource: `${CLIENT_ID} ` }), /resource is not our client/],
  ['no resource', claims({ resource: undefined }), /resource is not our client/],
  ['a list of resources', claims({ resource: [CLIENT_ID] }), /resource is not our client/],
  ['the iss of another realm', claims({ iss: 'https://sso.example.com/realms/other' }), /iss is not provider.issuer/],
  ['no id', claims({ id: undefined }), /id is missing/],
  ['an empty id', claims({ id: '' }), /id is missing/],
  ['an id that is a number', claims({ id: 7 }), /id is missing/],
  ['no expiration', claims({ expiration: undefined }), /expiration is missing/],
  ['an expiration that is text', claims(() => ({ expiration: String(now() + 30) })), /expiration is missing/],
  ['a negative expiration', claims({ expiration: -1 }), /expiration is missing/],
  ['an expiration of 1e300', claims({ expiration: 1e300 }), /expiration is missing/],
  ['an expiration past', claims(() => ({ expiration: now() - 60 })), /expired 6\d s ago/],
  ['an expiration ten years away', claims(() => ({ expiration: now() + 315_360_000 })), /expires only in/],
  ['an expiration an hour away', claims(() => ({ expiration: now() + 3_600 })), /expires only in/],
  ['an exp in the place of expiration', claims(() => ({ expiration: undefined, exp: now() + 30 })), /expiration/],
  ['a notBefore in the future', claims(() => ({ notBefore: now() + 3_600 })), /notBefore is/],
  ['a notBefore in milliseconds', claims(() => ({ notBefore: Date.now() })), /notBefore is/],
  ['a notBefore that is text', claims(() => ({ notBefore: String(now()) })), /notBefore is/],
  ['a negative notBefore', claims({ notBefore: -1 }), /notBefore is/],
  ['a notBefore of 1e300', claims({ notBefore: 1e300 }), /notBefore is/],
  ['session ids as text', claims({ keycloakSessionIds: 'one' }), /keycloakSessionIds is not a list/],
  ['session ids as an object', claims({ keycloakSessionIds: { 0: 'one' } }), /keycloakSessionIds is not a list/],
  ['a session id of null', claims({ keycloakSessionIds: ['one', null] }), /keycloakSessionIds is not a list/],
  ['an empty session id', claims({ adapterSessionIds: [''] }), /adapterSessionIds is not a list/],
  ['a session id in a list of its own', claims({ adapterSessionIds: [['one']] }), /adapterSessionIds is not a list/],
  ['session ids of false', claims({ adapterSessionIds: false }), /adapterSessionIds is not a list/],
  ['typ logout+jwt', header({ typ: 'logout+jwt' }), /typ is that of another kind/],
  ['typ at+jwt', header({ typ: 'at+jwt' }), /typ is that of another kind/],
  ['a typ that is a number', header({ typ: 42 }), /typ is that of another kind/],
  ['a logout token', (fake) => fake.logoutToken({}, { header: { typ: 'JWT' } }), /another kind of token/],
  ['an ID token', (fake) => fake.idToken(), /another kind of token/],
  [
    'an access token',
    (fake) => fake.sign({ iss: fake.issuer, typ: 'Bearer', azp: CLIENT_ID }),
    /another kind of token/,
  ],
  // A claim mapper can put any claim into an access token; what no mapper takes out of it gives it away.
  ...(['sub', 'sid', 'azp', 'nonce', 'events', 'typ'] as const).map(
    (name): Row => [`the claims of an action beside ${name}`, claims({ [name]: null }), /another kind of token/],
  ),
  ['a header with jwk', (fake) => header({ jwk: fake.key.publicJwk })(fake), /"jwk"/],
  ['a header with jku', (fake) => header({ jku: `${fake.issuer}/evil` })(fake), /"jku"/],
  ['a header with x5u', (fake) => header({ x5u: `${fake.issuer}/evil` })(fake), /"x5u"/],
  ['a header with x5c', header({ x5c: ['MIIB'] }), /"x5c"/],
  ['a header with crit', header({ crit: ['x'], x: 1 }), /"crit"/],
  ['a header with b64', header({ b64: false }), /"b64"/],
  ['a header with zip', header({ zip: 'DEF' }), /"zip"/],
  ['a kid of 10 KB', header({ kid: 'k'.repeat(10_240) }), /kid is malformed/],
  ['a kid that is a number', header({ kid: 1 }), /kid is malformed/],
  ['five parts', () => 'a.b.c.d.e', /encrypted/],
  ['two parts', spoiled((token) => token.split('.').slice(0, 2).join('.')), /not a signed JWT/],
  ['a dot at its end', spoiled((token) => `${token}.`), /not a signed JWT/],
  ['a line end behind it', spoiled((token) => `${token}\n`), /signature is not canonical/],
  ['a blank before it', spoiled((token) => ` ${token}`), /header is not/],
  ['padding', spoiled((token) => `${token}==`), /signature is not canonical/],
  ['a compressed payload', spoiled(bomb), /payload is not/],
  ['nothing', () => '', /not a signed JWT/],
  ['a payload of null', (fake) => signJws({ alg: 'RS256', kid: 'key-1' }, 'null', fake.key), /payload is not/],
  ['more than 64 KiB', claims({ keycloakSessionIds: Array(2_000).fill('a'.repeat(36)) }), /longer than 65536/],
  ['a form in the place of the token', spoiled((token) => `logout_token=${token}`), /header is not/],
];

const unverifiable: Row[] = [
  ['a foreign key under our kid', signed({ signer: foreignSameKid }), /signature does not hold/],
  ['a foreign key and kid', signed({ header: { kid: 'foreign' }, signer: foreign }), /no key with its kid/],
  ['a kid that is a path', signed({ header: { kid: '../../etc/passwd' }, signer: foreign }), /no key with its kid/],
  ['claims changed after signing', spoiled(swapId), /signature does not hold/],
  ['a kid of a key of another kind', signed({ header: { kid: 'ec-key' } }), /no key with its kid/],
  ['a key that is for encryption', signed({ header: { kid: 'encryption-key' }, signer: encryptionKey }), /no key/],
];

let fake: FakeProvider;
let provider: Provider;
before(async () => {
  fake = await FakeProvider.start();
  fake.jwks.keys.push(ecKey.publicJwk, { ...encryptionKey.publicJwk, use: 'enc' });
  provider = testProvider({ issuer: fake.issuer }).provider;
});
after(async () => {
  provider.stop();
  await fake.server.stop();
});

const verify = (token: string, expected: AdminActionName = 'LOGOUT') => verifyAdminAction(provider, token, expected);
const requests = () => fake.server.count('/jwks') + fake.server.count('/.well-known/openid-configuration');

describe('an admin action is refused, and nobody is asked for keys, when it has or is', () => {
  for (const [what, token, why] of cheap) {
    test(what, async () => {
      const before = requests();
      const { code, message } = await outcome(verify(token(fake)));
      assert.equal(code, 'notice_refused', message);
      assert.match(message, why);
      assert.equal(requests(), before);
      assert.equal(fake.server.count('/evil'), 0);
    });
  }

  for (const notBefore of [undefined, null, 'x']) {
    test(`a PUSH_NOT_BEFORE with a notBefore of ${JSON.stringify(notBefore)}`, async () => {
      const { code, message } = await outcome(
        verify(fake.adminAction('PUSH_NOT_BEFORE', { notBefore }), 'PUSH_NOT_BEFORE'),
      );
      assert.equal(code, 'notice_refused', message);
      assert.match(message, /notBefore is missing/);
    });
  }
});

describe('an admin action is refused by its signature when it has', () => {
  for (const [what, token, why] of unverifiable) {
    test(what, async () => {
      const { code, message } = await outcome(verify(token(fake)));
      assert.equal(code, 'notice_refused', message);
      assert.match(message, why);
    });
  }
});

describe('an admin action is accepted with', () => {
  const accepted: [what: string, token: Token][] = [
    ['what Keycloak sends', claims({ adapterSessionIds: ['a'], notBefore: 0, keycloakSessionIds: ['one'] })],
    ['lists of null', claims({ adapterSessionIds: null, notBefore: null, keycloakSessionIds: null })],
    ['an expiration within the tolerance', claims(() => ({ expiration: now() - 5 }))],
    ['fractions of seconds', claims(() => ({ expiration: now() + 29.5 }))],
    ['our own iss', (of) => of.adminAction('LOGOUT', { iss: of.issuer })],
    ['unknown claims', claims({ ignored_claim: 'x' })],
    ['no typ', header({ typ: undefined })],
    ['no kid', header({ kid: undefined })],
    // Keycloak takes the realm's default algorithm, whatever the client's ID tokens are signed with (here: RS256).
    [
      'another algorithm that the provider has a key for',
      signed({ header: { alg: 'ES256', kid: 'ec-key' }, signer: ecKey }),
    ],
  ];
  for (const [what, token] of accepted) {
    test(what, async () => {
      assert.equal((await verify(token(fake))).id, 'id-1');
    });
  }

  test('what it says, and no more', async () => {
    const expiration = now() + 30;
    const notBefore = now() - 1;
    const lists = { adapterSessionIds: ['s_one'], keycloakSessionIds: ['one', 'two'] };
    assert.deepEqual(await verify(fake.adminAction('LOGOUT', { expiration, notBefore, ...lists })), {
      issuer: fake.issuer,
      clientId: CLIENT_ID,
      id: 'id-1',
      expiresAtSeconds: expiration,
      notBeforeSeconds: notBefore,
      ...lists,
    });
  });

  test('a notBefore of 0, which Keycloak pushes where none is set', async () => {
    const push = fake.adminAction('PUSH_NOT_BEFORE', { notBefore: 0 });
    assert.equal((await verify(push, 'PUSH_NOT_BEFORE')).notBeforeSeconds, 0);
  });

  test('the action TEST_AVAILABILITY, whatever else it says', async () => {
    const action = await verify(fake.adminAction('TEST_AVAILABILITY', { notBefore: 'x' }), 'TEST_AVAILABILITY');
    assert.equal(action.notBeforeSeconds, 0);
  });
});

test('an admin action is no logout token', async () => {
  for (const action of ['LOGOUT', 'PUSH_NOT_BEFORE']) {
    const { code } = await outcome(verifyLogoutToken(provider, fake.adminAction(action, { notBefore: now() })));
    assert.equal(code, 'notice_refused');
  }
});

test('an admin action is not an ID token: a sign-in with one is refused', async () => {
  fake.issue = (grant) => ({ ...fake.tokens(grant), id_token: fake.adminAction('LOGOUT', { nonce: grant.nonce }) });
  assert.equal((await outcome(fake.login(provider))).code, 'id_token_invalid');
});

function swapId(token: string): string {
  const [head, payload = '', signature] = token.split('.');
  const body = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return [head, encode(JSON.stringify({ ...body, id: 'id-2' })), signature].join('.');
}

function bomb(token: string): string {
  const [head, , signature] = token.split('.');
  return [head, encode(deflateRawSync(Buffer.alloc(1024 * 1024))), signature].join('.');
}
