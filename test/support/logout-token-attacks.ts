// The attack list on logout tokens as data (security catalogue BCL-02 to BCL-12), and the genuine ones that look like attacks.
// Played against the check of tokens (test/integration/provider) and against the gate's doors (test/security).

import { createPublicKey } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { CLIENT_ID, CLIENT_SECRET, type FakeProvider, type Signing } from './fake-provider.ts';
import { encode, newSigningKey, signJws } from './signing-key.ts';

const now = (): number => Math.floor(Date.now() / 1000);
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const ecKey = newSigningKey('ES256', 'ec-key');
const pssKey = newSigningKey('PS256', 'pss-key');
const edKey = newSigningKey('EdDSA', 'ed-key');
const foreign = newSigningKey('RS256', 'foreign');
const foreignSameKid = newSigningKey('RS256', 'key-1');

/** A token, made by the keys of `fake` where it needs them. */
export type Token = (fake: FakeProvider) => string;

/** `why` is what operators read. */
export type AttackRow = readonly [what: string, token: Token, why: RegExp];

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

/** Refused before any key is thought of: none of these makes a request. */
export const REFUSED_BY_WHAT_THEY_SAY: readonly AttackRow[] = [
  ['BCL-02 alg none without a signature', signed({ header: { alg: 'none' }, signer: 'unsigned' }), /not a signed JWT/],
  ['BCL-02 alg none with a signature', signed({ header: { alg: 'none' } }), /asymmetric/],
  ['BCL-03 alg NONE', signed({ header: { alg: 'NONE' } }), /asymmetric/],
  ['BCL-03 alg nOnE', signed({ header: { alg: 'nOnE' } }), /asymmetric/],
  ['BCL-03 an empty alg', signed({ header: { alg: '' } }), /asymmetric/],
  ['BCL-03 no alg', signed({ header: { alg: undefined } }), /asymmetric/],
  ['BCL-03 alg as a list', signed({ header: { alg: ['RS256'] } }), /asymmetric/],
  [
    'BCL-03 HS256 with the client secret',
    signed({ header: { alg: 'HS256' }, signer: { hmacSecret: CLIENT_SECRET } }),
    /asymmetric/,
  ],
  [
    'BCL-03 HS256 with the PEM of the public key as secret',
    (fake) => {
      const pem = createPublicKey(fake.key.privateKey).export({ format: 'pem', type: 'spki' }).toString();
      return fake.logoutToken({}, { header: { alg: 'HS256' }, signer: { hmacSecret: pem } });
    },
    /asymmetric/,
  ],
  [
    'BCL-03 HS256 with the public key as secret',
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
    'BCL-02 ES256 with a published key',
    signed({ header: { alg: 'ES256', kid: 'ec-key' }, signer: ecKey }),
    /signed with ES256/,
  ],
  [
    'BCL-03 PS256 with a published key',
    signed({ header: { alg: 'PS256', kid: 'pss-key' }, signer: pssKey }),
    /signed with PS256/,
  ],
  [
    'BCL-03 EdDSA with a published key',
    signed({ header: { alg: 'EdDSA', kid: 'ed-key' }, signer: edKey }),
    /signed with EdDSA/,
  ],
  ['BCL-03 ES256K', signed({ header: { alg: 'ES256K' } }), /asymmetric/],
  ['BCL-02 a wrong iss', claims({ iss: 'https://sso.example.comINVALID' }), /iss is/],
  ['BCL-02 an iss with a slash more', (fake) => fake.logoutToken({ iss: `${fake.issuer}/` }), /iss is/],
  ['BCL-02 an iss in capitals', (fake) => fake.logoutToken({ iss: fake.issuer.toUpperCase() }), /iss is/],
  ['BCL-02 a wrong aud', claims({ aud: `${CLIENT_ID}INVALID` }), /aud is not our client/],
  [
    'BCL-02 a wrong event',
    claims({ events: { 'http://schemas.openid.net/event/foobar': {} } }),
    /no back-channel logout event/,
  ],
  ['BCL-02 no events', claims({ events: undefined }), /events is missing/],
  ['BCL-02 a nonce', claims({ nonce: 'n' }), /has a nonce/],
  ['BCL-04 no iss', claims({ iss: undefined }), /iss is missing/],
  ['BCL-04 an iss that is a list', (fake) => fake.logoutToken({ iss: [fake.issuer] }), /iss is missing/],
  ['BCL-04 no aud', claims({ aud: undefined }), /aud is missing/],
  ['BCL-04 an aud that is a number', claims({ aud: 42 }), /aud is missing or malformed/],
  ['BCL-04 an empty aud list', claims({ aud: [] }), /aud is not our client/],
  ['BCL-04 an aud list of others', claims({ aud: ['other'] }), /aud is not our client/],
  ['BCL-04 an aud list with others and no azp', claims({ aud: [CLIENT_ID, 'other'] }), /other audiences/],
  ['BCL-04 no iat', claims({ iat: undefined }), /iat is missing/],
  ['BCL-04 no exp', claims({ exp: undefined }), /no exp/],
  ['BCL-04 no jti', claims({ jti: undefined }), /jti is missing/],
  ['BCL-04 an empty jti', claims({ jti: '' }), /jti is missing/],
  ['BCL-04 a jti that is a number', claims({ jti: 1 }), /jti is missing/],
  ['BCL-04 neither sub nor sid', claims({ sub: undefined, sid: undefined }), /neither sub nor sid/],
  ['BCL-04 an empty sub', claims({ sub: '' }), /sub is malformed/],
  ['BCL-04 a sub of blanks', claims({ sub: '  ' }), /sub is malformed/],
  ['BCL-04 a sub that is null', claims({ sub: null }), /sub is malformed/],
  ['BCL-04 a sub of 256 characters', claims({ sub: 'a'.repeat(256) }), /sub is malformed/],
  ['BCL-04 a sid in a list', claims({ sid: ['a'] }), /sid is malformed/],
  ['BCL-04 a sid that is an object', claims({ sid: {} }), /sid is malformed/],
  ['BCL-04 an empty sid', claims({ sid: '' }), /sid is malformed/],
  ['BCL-04 events as text', claims({ events: EVENT }), /events is missing or not an object/],
  ['BCL-04 events as a list', claims({ events: [EVENT] }), /events is missing or not an object/],
  ['BCL-04 events null', claims({ events: null }), /events is missing or not an object/],
  ['BCL-04 an event of true', claims({ events: { [EVENT]: true } }), /no back-channel logout event/],
  ['BCL-04 an event of null', claims({ events: { [EVENT]: null } }), /no back-channel logout event/],
  ['BCL-04 an event of text', claims({ events: { [EVENT]: 'x' } }), /no back-channel logout event/],
  ['BCL-04 an event of a list', claims({ events: { [EVENT]: [] } }), /no back-channel logout event/],
  ['BCL-05 a nonce of null', claims({ nonce: null }), /has a nonce/],
  ['BCL-05 an empty nonce', claims({ nonce: '' }), /has a nonce/],
  ['BCL-06 an exp past', claims(() => ({ exp: now() - 60 })), /expired/],
  ['BCL-06 an iat in the future', claims(() => ({ iat: now() + 120, exp: now() + 240 })), /in the future/],
  ['BCL-06 an iat an hour old', claims(() => ({ iat: now() - 3600, exp: now() + 60 })), /36\d\d s old/],
  ['BCL-06 an exp ten years away', claims(() => ({ exp: now() + 315_360_000 })), /exp is more than 600 s/],
  ['BCL-06 an exp of 1e300', claims({ exp: 1e300 }), /exp is not a time/],
  ['BCL-06 an exp of null', claims({ exp: null }), /exp is not a time/],
  ['BCL-06 an iat that is text', claims(() => ({ iat: String(now()) })), /iat is missing or not a time/],
  ['BCL-06 a negative iat', claims({ iat: -5 }), /iat is missing or not a time/],
  ['BCL-06 an nbf in the future', claims(() => ({ nbf: now() + 120 })), /not valid yet/],
  ['BCL-08 typ at+jwt', signed({ header: { typ: 'at+jwt' } }), /typ is that of another/],
  ['BCL-08 typ dpop+jwt', signed({ header: { typ: 'dpop+jwt' } }), /typ is that of another/],
  ['BCL-08 typ secevent+jwt', signed({ header: { typ: 'secevent+jwt' } }), /typ is that of another/],
  ['BCL-08 an empty typ', signed({ header: { typ: '' } }), /typ is that of another/],
  ['BCL-08 typ 42', signed({ header: { typ: 42 } }), /typ is not a string/],
  ['BCL-09 an ID token', (fake) => fake.idToken({ nonce: 'n' }), /events is missing/],
  [
    'BCL-09 a UserInfo answer that is signed',
    (fake) => fake.sign({ iss: fake.issuer, aud: CLIENT_ID, sub: 'alice', iat: now(), exp: now() + 60, jti: 'x' }),
    /events is missing/,
  ],
  [
    'BCL-09 an access token',
    (fake) => fake.sign({ iss: fake.issuer, aud: 'account', iat: now(), exp: now() + 60 }),
    /aud is not/,
  ],
  ['BCL-09 the logout token of another client', claims({ aud: 'other-client' }), /aud is not our client/],
  [
    'BCL-09 the logout token of another realm',
    (fake) => fake.logoutToken({ iss: `${fake.issuer}/realms/other` }),
    /iss is/,
  ],
  [
    'BCL-09 a refresh token of the provider',
    (fake) => fake.sign({}, { header: { alg: 'HS512' }, signer: { hmacSecret: 'k' } }),
    /asymmetric/,
  ],
  ['BCL-11 its own key', signed({ header: { jwk: foreign.publicJwk, kid: 'foreign' }, signer: foreign }), /"jwk"/],
  [
    'BCL-11 the address of its key',
    (fake) => fake.logoutToken({}, { header: { jku: `${fake.issuer}/evil` } }),
    /"jku"/,
  ],
  [
    'BCL-11 the address of its certificate',
    (fake) => fake.logoutToken({}, { header: { x5u: `${fake.issuer}/evil` } }),
    /"x5u"/,
  ],
  ['BCL-11 its certificate', signed({ header: { x5c: ['MII'] } }), /"x5c"/],
  ['BCL-11 a kid of 10 KiB', signed({ header: { kid: 'k'.repeat(10_240) } }), /kid is malformed/],
  ['BCL-11 crit', signed({ header: { crit: ['x'], x: 1 } }), /"crit"/],
  ['BCL-11 b64 false', signed({ header: { b64: false } }), /"b64"/],
  ['BCL-11 zip', signed({ header: { zip: 'DEF' } }), /"zip"/],
  ['BCL-12 five parts', () => 'a.b.c.d.e', /encrypted/],
  ['BCL-12 a compressed payload', (fake) => bomb(fake), /payload is not/],
  ['BCL-12 a JWS in JSON', (fake) => inJson(fake.logoutToken()), /three parts/],
  ['BCL-12 two parts', spoiled((token) => token.split('.').slice(0, 2).join('.')), /three parts/],
  ['BCL-12 a dot at the end', spoiled((token) => `${token}.`), /three parts/],
  ['BCL-12 a dot at the front', spoiled((token) => `.${token}`), /three parts/],
  ['BCL-12 a blank at the end', spoiled((token) => `${token} `), /not canonical/],
  ['BCL-12 a line break in front', spoiled((token) => `\n${token}`), /not a JSON object in canonical/],
  ['BCL-12 a padded signature', spoiled((token) => `${token}==`), /not canonical/],
  ['BCL-12 base64 instead of base64url', (fake) => ordinaryBase64(fake), /not canonical/],
  ['BCL-12 a signature of other bits', spoiled(lastBitsChanged), /not canonical/],
  ['BCL-12 more than 16 KiB', claims({ padding: 'x'.repeat(20_000) }), /longer than/],
  ['BCL-12 nothing', () => '', /three parts/],
  ['BCL-12 only dots', () => '..', /three parts/],
  ['BCL-12 payload null', (fake) => signJws({ alg: 'RS256', kid: 'key-1' }, 'null', fake.key), /payload is not/],
  [
    'BCL-12 broken UTF-8',
    spoiled((token) => token.replace(/\.[^.]+\./, `.${encode(Buffer.from('{"a":"\xff"}', 'latin1'))}.`)),
    /payload is not/,
  ],
];

/** Refused by the signature alone. */
export const REFUSED_BY_THEIR_SIGNATURE: readonly AttackRow[] = [
  ['BCL-11 a foreign key under our kid', signed({ signer: foreignSameKid }), /signature does not hold/],
  ['BCL-11 a foreign key and kid', signed({ header: { kid: 'foreign' }, signer: foreign }), /no key with its kid/],
  [
    'BCL-11 a kid that is a path',
    signed({ header: { kid: '../../etc/passwd' }, signer: foreign }),
    /no key with its kid/,
  ],
  ['BCL-02 claims changed after signing', spoiled(swapSid), /signature does not hold/],
  ['BCL-11 a kid of a key of another kind', signed({ header: { kid: 'ec-key' } }), /no key with its kid/],
];

/** Accepted. */
export const GENUINE: readonly (readonly [what: string, token: Token])[] = [
  ['BCL-01 sid and sub', (fake) => fake.logoutToken()],
  ['BCL-01 sid only', claims({ sub: undefined })],
  ['BCL-01 sub only', claims({ sid: undefined })],
  ['BCL-01 an aud list of only us', claims({ aud: [CLIENT_ID] })],
  ['BCL-01 other audiences and us as azp', claims({ aud: [CLIENT_ID, 'other'], azp: CLIENT_ID })],
  ["BCL-07 Keycloak's second member in events", claims({ events: { [EVENT]: {}, revoke_offline_access: true } })],
  ['BCL-07 members in the event', claims({ events: { [EVENT]: { reason: 'x' } } })],
  ['BCL-07 unknown claims', claims({ ignored_claim: 'x', typ: 'Logout' })],
  ['BCL-06 fractions of seconds', claims(() => ({ iat: now() - 0.25, exp: now() + 119.5 }))],
  ['BCL-06 an iat as old as the setting and the tolerance', claims(() => ({ iat: now() - 315, exp: now() + 60 }))],
  ['BCL-06 an exp within the tolerance', claims(() => ({ exp: now() - 5 }))],
  ['BCL-08 no typ', signed({ header: { typ: undefined } })],
  ['BCL-08 typ JWT', signed({ header: { typ: 'JWT' } })],
  ['BCL-08 typ LOGOUT+JWT', signed({ header: { typ: 'LOGOUT+JWT' } })],
  ['BCL-08 typ application/logout+jwt', signed({ header: { typ: 'application/logout+jwt' } })],
  ['BCL-11 no kid', signed({ header: { kid: undefined } })],
];

/** Keys besides the provider's own that the attacked provider has to publish. */
export const OTHER_PUBLISHED_KEYS = [ecKey, pssKey, edKey].map(({ publicJwk }) => publicJwk);

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
