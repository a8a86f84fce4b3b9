// Access tokens that are none, or not for us, by name (RFC 6750 section 5.2, RFC 8725, RFC 9068 sections 4 and 5; security
// catalogue BCL-10, HDR-11).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Provider, ProviderOptions } from '../../../src/oidc/provider.ts';
import { verifyAccessToken } from '../../../src/oidc/verify-access-token.ts';
import { CLIENT_ID, CLIENT_SECRET, FakeProvider, type Signing } from '../../support/fake-provider.ts';
import { newSigningKey } from '../../support/signing-key.ts';
import { outcome, testProvider } from '../../support/test-provider.ts';

const now = () => Math.floor(Date.now() / 1000);
const ecKey = newSigningKey('ES256', 'ec-key');
const foreign = newSigningKey('RS256', 'foreign');
const foreignSameKid = newSigningKey('RS256', 'key-1');

type Changes = Record<string, unknown> | (() => Record<string, unknown>);
type Token = (fake: FakeProvider) => string;
type Row = readonly [what: string, token: Token, why: RegExp];

/** As Keycloak issues it to our client; a member that is undefined is left out. */
function keycloakToken(fake: FakeProvider, changes: Changes = {}, signing: Signing = {}): string {
  const iat = now();
  const honest = { iss: fake.issuer, aud: 'account', azp: CLIENT_ID, typ: 'Bearer', sub: 'alice', sid: 'sid-1' };
  const changed = typeof changes === 'function' ? changes() : changes;
  return fake.sign({ ...honest, iat, exp: iat + 300, jti: 'onrtac:1', ...changed }, signing);
}

const claims =
  (changes: Changes): Token =>
  (fake) =>
    keycloakToken(fake, changes);
const signed =
  (signing: Signing): Token =>
  (fake) =>
    keycloakToken(fake, {}, signing);

/** Looked at before any key: none of these makes a request. */
const cheap: readonly Row[] = [
  // Signatures that are none
  ['alg none without a signature', signed({ header: { alg: 'none' }, signer: 'unsigned' }), /not a signed JWT/],
  ['alg none with a signature', signed({ header: { alg: 'none' } }), /asymmetric/],
  [
    'HS256 with the client secret',
    signed({ header: { alg: 'HS256' }, signer: { hmacSecret: CLIENT_SECRET } }),
    /asymmetric/,
  ],
  ['its own key', signed({ header: { jwk: foreign.publicJwk, kid: 'foreign' }, signer: foreign }), /"jwk"/],
  ['the address of its key', (fake) => keycloakToken(fake, {}, { header: { jku: `${fake.issuer}/evil` } }), /"jku"/],
  ['its certificate', signed({ header: { x5c: ['MII'] } }), /"x5c"/],
  ['crit', signed({ header: { crit: ['x'], x: 1 } }), /"crit"/],
  ['an opaque token', () => '2YotnFZFEjr1zCsicMWpAA', /three parts/],
  ['an encrypted token', () => 'a.b.c.d.e', /encrypted/],
  ['more than 256 KiB', claims({ padding: 'x'.repeat(300_000) }), /longer than/],
  // Another kind of token
  ['an ID token of ours', (fake) => fake.idToken({ azp: CLIENT_ID }), /says that it is an access token/],
  ["Keycloak's ID token", (fake) => fake.idToken({ azp: CLIENT_ID, typ: 'ID' }), /typ is not Bearer/],
  ["Keycloak's refresh token, signed with a key of the realm", claims({ typ: 'Refresh' }), /typ is not Bearer/],
  ["Keycloak's offline token", claims({ typ: 'Offline' }), /typ is not Bearer/],
  [
    'a refresh token as Keycloak signs it',
    signed({ header: { alg: 'HS512' }, signer: { hmacSecret: 'k' } }),
    /asymmetric/,
  ],
  ["Keycloak's DPoP token", claims({ typ: 'DPoP' }), /typ is not Bearer/],
  ['a logout token', (fake) => fake.logoutToken(), /typ of its header/],
  [
    'a logout token of Keycloak before 25',
    (fake) => fake.logoutToken({ typ: 'Logout' }, { header: { typ: 'JWT' } }),
    /typ is not Bearer/,
  ],
  ['events', claims({ events: {} }), /has events/],
  [
    'an admin action of Keycloak',
    (fake) => fake.sign({ id: '1', expiration: now() + 30, resource: CLIENT_ID, action: 'LOGOUT', notBefore: 0 }),
    /says that it is an access token/,
  ],
  [
    'a client assertion',
    (fake) => fake.sign({ iss: CLIENT_ID, sub: CLIENT_ID, aud: fake.issuer, exp: now() + 60 }),
    /says that it/,
  ],
  ['typ dpop+jwt', signed({ header: { typ: 'dpop+jwt' } }), /typ of its header/],
  ['typ secevent+jwt', signed({ header: { typ: 'secevent+jwt' } }), /typ of its header/],
  ['a header typ of 42', signed({ header: { typ: 42 } }), /typ of its header/],
  ['a typ that is a list', claims({ typ: ['Bearer'] }), /typ is not Bearer/],
  [
    'at+jwt in the header and ID in the payload',
    (fake) => keycloakToken(fake, { typ: 'ID' }, { header: { typ: 'at+jwt' } }),
    /typ is not/,
  ],
  ['nothing that says what it is', claims({ typ: undefined }), /says that it is an access token/],
  // Bound to a key that is not asked for
  ['a DPoP key', claims({ cnf: { jkt: 'x' } }), /bound to a key/],
  ['a client certificate', claims({ cnf: { 'x5t#S256': 'x' } }), /bound to a key/],
  ['an empty cnf', claims({ cnf: null }), /bound to a key/],
  // Another issuer
  ['the token of another realm', (fake) => keycloakToken(fake, { iss: `${fake.issuer}/realms/other` }), /iss is/],
  ['an iss with a slash more', (fake) => keycloakToken(fake, { iss: `${fake.issuer}/` }), /iss is/],
  ['no iss', claims({ iss: undefined }), /iss is missing/],
  // Another application
  ['another client and the audience of everybody', claims({ azp: 'other' }), /for another application/],
  ['another client that has no audience', claims({ azp: 'other', aud: undefined }), /for another application/],
  ['no client and the audience of everybody', claims({ azp: undefined }), /for another application/],
  [
    'our client only as client_id beside another azp',
    claims({ azp: 'other', client_id: CLIENT_ID }),
    /another application/,
  ],
  ['an audience that contains our name', claims({ azp: 'other', aud: `${CLIENT_ID}-2` }), /another application/],
  ['our name in capitals', claims({ azp: CLIENT_ID.toUpperCase() }), /another application/],
  ['an azp in a list', claims({ azp: [CLIENT_ID] }), /another application/],
  ['an aud that is an object', claims({ azp: CLIENT_ID, aud: { 0: CLIENT_ID } }), /aud is malformed/],
  ['an aud with a number', claims({ aud: [CLIENT_ID, 1] }), /aud is malformed/],
  // Times
  ['an exp past', claims(() => ({ exp: now() - 1 })), /expired/],
  ['an exp past within the tolerance', claims(() => ({ exp: now() - 5 })), /expired/],
  ['no exp', claims({ exp: undefined }), /exp is missing/],
  ['an exp of 1e300', claims({ exp: 1e300 }), /exp is missing/],
  ['an exp that is text', claims(() => ({ exp: String(now() + 60) })), /exp is missing/],
  ['no iat', claims({ iat: undefined }), /iat is missing/],
  ['an iat in the future', claims(() => ({ iat: now() + 120, exp: now() + 240 })), /in the future/],
  ['an nbf in the future', claims(() => ({ nbf: now() + 120 })), /not valid yet/],
  ['an nbf that is text', claims({ nbf: '0' }), /not valid yet/],
  // Whose
  ['no sub', claims({ sub: undefined }), /sub is missing/],
  ['an empty sub', claims({ sub: ' ' }), /sub is missing/],
  ['a sub that is a list', claims({ sub: ['alice'] }), /sub is missing/],
];

const unverifiable: readonly Row[] = [
  ['a foreign key under our kid', signed({ signer: foreignSameKid }), /signature does not hold/],
  ['a foreign key and kid', signed({ header: { kid: 'foreign' }, signer: foreign }), /no key with its kid/],
  ['a kid that is a path', signed({ header: { kid: '../../etc/passwd' }, signer: foreign }), /no key with its kid/],
  ['claims changed after signing', (fake) => swapSub(keycloakToken(fake)), /signature does not hold/],
  [
    'the signature of another token',
    (fake) => withSignatureOf(keycloakToken(fake, { sub: 'bob' }), keycloakToken(fake)),
    /not hold/,
  ],
];

const accepted: readonly (readonly [what: string, token: Token])[] = [
  ["Keycloak's form, issued to our client", claims({})],
  ['no audience at all, issued to our client', claims({ aud: undefined })],
  ['our audience, issued to another client', claims({ azp: 'other', aud: [CLIENT_ID, 'account'] })],
  ['our audience as text', claims({ azp: 'other', aud: CLIENT_ID })],
  ['an audience of the configuration', claims({ azp: 'other', aud: ['wiki-api', 'account'] })],
  [
    'the form of RFC 9068',
    (fake) =>
      keycloakToken(fake, { typ: undefined, azp: undefined, client_id: CLIENT_ID }, { header: { typ: 'at+jwt' } }),
  ],
  [
    'the long form of its type',
    (fake) => keycloakToken(fake, { typ: undefined }, { header: { typ: 'application/AT+JWT' } }),
  ],
  ['no typ in its header', signed({ header: { typ: undefined } })],
  ['another algorithm than ID tokens have', signed({ header: { alg: 'ES256', kid: 'ec-key' }, signer: ecKey })],
  ['a nonce, as Keycloak before 25 has', claims({ nonce: 'n' })],
  ['an iat within the tolerance of the future', claims(() => ({ iat: now() + 5 }))],
];

describe('an access token is refused, and nobody is asked for keys, when it is or has', () => {
  const room = roomFor();
  for (const [what, token, why] of cheap) {
    test(what, async () => {
      const { fake, provider } = room();
      const requests = fake.server.count('/jwks') + fake.server.count('/.well-known/openid-configuration');
      const { code, message } = await outcome(verifyAccessToken(provider, token(fake)));
      assert.equal(code, 'token_refused', message);
      assert.match(message, why);
      assert.equal(fake.server.count('/jwks') + fake.server.count('/.well-known/openid-configuration'), requests);
      assert.equal(fake.server.count('/evil'), 0);
    });
  }
});

describe('an access token is refused by its signature when it has', () => {
  const room = roomFor();
  for (const [what, token, why] of unverifiable) {
    test(what, async () => {
      const { fake, provider } = room();
      const { code, message } = await outcome(verifyAccessToken(provider, token(fake)));
      assert.equal(code, 'token_refused', message);
      assert.match(message, why);
    });
  }
});

describe('an access token is accepted with', () => {
  const room = roomFor();
  for (const [what, token] of accepted) {
    test(what, async () => {
      const { fake, provider } = room();
      const { sub, sid } = await verifyAccessToken(provider, token(fake));
      assert.deepEqual([sub, sid], ['alice', 'sid-1']);
    });
  }

  test('what it says: its user and session, the second of its issue and its end, and every claim', async () => {
    const { fake, provider } = room();
    const at = now();
    const times = { iat: at - 2.25, exp: at + 60 };
    const token = keycloakToken(fake, { ...times, sid: undefined, session_state: 'old', groups: ['/staff'] });
    const verified = await verifyAccessToken(provider, token);
    assert.equal(verified.sid, 'old');
    assert.deepEqual([verified.issuedAtSeconds, verified.expiresAtSeconds], [at - 3, at + 60]);
    assert.deepEqual(verified.claims['groups'], ['/staff']);
  });

  test('a key that appeared after the others were fetched', async () => {
    const { fake, provider } = room();
    const rotated = newSigningKey('RS256', 'rotated');
    fake.jwks.keys.push(rotated.publicJwk);
    const token = keycloakToken(fake, {}, { header: { kid: 'rotated' }, signer: rotated });
    assert.equal((await verifyAccessToken(provider, token)).sub, 'alice');
  });
});

test('an access token that no key can be had for is not refused but a failure', async () => {
  const fake = await FakeProvider.start();
  const { provider } = testProvider({ issuer: fake.issuer });
  const token = keycloakToken(fake);
  await fake.server.stop();
  assert.equal((await outcome(verifyAccessToken(provider, token))).code, 'provider_unavailable');
  provider.stop();
});

/** A provider with keys at hand, for the tests of one `describe`. */
function roomFor(options: Partial<ProviderOptions> = {}): () => { fake: FakeProvider; provider: Provider } {
  let fake: FakeProvider;
  let provider: Provider;
  before(async () => {
    fake = await FakeProvider.start();
    fake.jwks.keys.push(ecKey.publicJwk);
    provider = testProvider({ issuer: fake.issuer, bearerAudiences: ['wiki-api'], ...options }).provider;
    await provider.keys.refetch();
  });
  after(() => {
    provider.stop();
    return fake.server.stop();
  });
  return () => ({ fake, provider });
}

function swapSub(token: string): string {
  const [header, payload, signature] = token.split('.');
  const changed = Buffer.from(payload!, 'base64url').toString().replace('"alice"', '"bob"');
  return [header, Buffer.from(changed).toString('base64url'), signature].join('.');
}

function withSignatureOf(token: string, other: string): string {
  return [...token.split('.').slice(0, 2), other.split('.')[2]].join('.');
}
