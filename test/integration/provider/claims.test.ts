// Where claims come from: ID token, UserInfo (LOGIN-15), access token; who wins, and what never gets in.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ProviderOptions } from '../../../src/oidc/provider.ts';
import { CLIENT_ID, FakeProvider, type Signing } from '../../support/fake-provider.ts';
import type { Answer } from '../../support/hooked-server.ts';
import { newSigningKey } from '../../support/signing-key.ts';
import { outcome, testProvider } from '../../support/test-provider.ts';

const now = () => Math.floor(Date.now() / 1000);
const foreign = newSigningKey('RS256', 'key-1');
const roles = { realm_access: { roles: ['admin'] } };

let fake: FakeProvider;
before(async () => {
  fake = await FakeProvider.start();
});
after(() => fake.server.stop());

interface Sources {
  readonly idToken?: Record<string, unknown>;
  readonly access?: Record<string, unknown>;
  readonly accessSigning?: Signing;
  readonly userinfo?: Record<string, unknown>;
  readonly options?: Partial<ProviderOptions>;
}

async function signIn(
  t: { after: (undo: () => void) => void },
  { idToken, access, accessSigning, userinfo, options }: Sources,
) {
  const { provider } = testProvider({ issuer: fake.issuer, ...options });
  t.after(() => provider.stop());
  fake.userinfo = { sub: 'alice', ...userinfo };
  fake.issue = (grant) => ({
    ...fake.tokens(grant),
    id_token: fake.idToken({ nonce: grant.nonce, ...idToken }),
    ...(access && {
      access_token: fake.sign(
        { iss: fake.issuer, sub: 'alice', aud: 'account', exp: now() + 300, ...access },
        accessSigning,
      ),
    }),
  });
  return (await fake.login(provider)).claims;
}

describe('claims of a sign-in', () => {
  test('come from the ID token before UserInfo, and from UserInfo before the access token', async (t) => {
    const claims = await signIn(t, {
      idToken: { a: 'id' },
      userinfo: { a: 'userinfo', b: 'userinfo' },
      access: { a: 'access', b: 'access', c: 'access' },
      options: { userinfo: 'always' },
    });
    assert.deepEqual([claims['a'], claims['b'], claims['c']], ['id', 'userinfo', 'access']);
  });

  test('about identity, times and session come from the ID token only', async (t) => {
    const foreignClaims = { sid: 'other', acr: 'gold', auth_time: 1, nonce: 'x', azp: 'x', typ: 'x', iat: 1, jti: 'x' };
    const claims = await signIn(t, {
      idToken: { sid: undefined },
      userinfo: foreignClaims,
      access: foreignClaims,
      options: { userinfo: 'always' },
    });
    for (const name of ['sid', 'acr', 'auth_time', 'azp', 'typ', 'jti']) assert.equal(claims[name], undefined, name);
    assert.notEqual(claims['iat'], 1);
    assert.equal(claims['aud'], CLIENT_ID);
  });

  test('named after members of every object are only names', async (t) => {
    const odd = JSON.parse('{"__proto__": {"roles": ["admin"]}, "constructor": "c", "hasOwnProperty": "h"}');
    const claims = await signIn(t, { userinfo: odd, options: { userinfo: 'always' } });
    assert.equal(Object.getPrototypeOf(claims), null);
    assert.equal(claims['roles'], undefined);
    assert.deepEqual(Object.getOwnPropertyDescriptor(claims, '__proto__')?.value, { roles: ['admin'] });
    assert.equal(claims['constructor'], 'c');
  });

  test('are not asked of UserInfo when the tokens have all that is needed', async (t) => {
    const asked = fake.server.count('/userinfo');
    const claims = await signIn(t, {
      idToken: { email: 'a@example.com' },
      access: roles,
      options: { neededClaims: ['email', 'realm_access'] },
    });
    assert.deepEqual(claims['realm_access'], roles.realm_access);
    assert.equal(fake.server.count('/userinfo'), asked);
  });

  test('are asked of UserInfo when one that is needed is in no token', async (t) => {
    const claims = await signIn(t, {
      userinfo: { department: 'it' },
      options: { neededClaims: ['email', 'department'] },
    });
    assert.equal(claims['department'], 'it');
  });

  test('are never asked of UserInfo where the option says so', async (t) => {
    const asked = fake.server.count('/userinfo');
    await signIn(t, { options: { userinfo: 'never', neededClaims: ['department'] } });
    assert.equal(fake.server.count('/userinfo'), asked);
  });
});

describe('an access token gives no claims when', () => {
  const rows: {
    what: string;
    access?: Record<string, unknown>;
    signing?: Signing;
    options?: Partial<ProviderOptions>;
  }[] = [
    { what: 'the option says never', options: { accessTokenClaims: 'never' } },
    { what: 'its signature does not hold', signing: { signer: foreign } },
    { what: 'it is not signed', signing: { header: { alg: 'none' }, signer: 'unsigned' } },
    { what: 'it is signed with a secret', signing: { header: { alg: 'HS256' }, signer: { hmacSecret: 'x' } } },
    { what: 'its key is unknown', signing: { header: { kid: 'other' } } },
    { what: 'it is of another issuer', access: { iss: 'https://evil.example' } },
    { what: 'it is of another user', access: { sub: 'mallory' } },
    { what: 'it has expired', access: { exp: now() - 3600 } },
    { what: 'it has no exp', access: { exp: undefined } },
    { what: 'it is another kind of token', signing: { header: { typ: 'logout+jwt' } } },
  ];
  for (const { what, access, signing = {}, options = {} } of rows) {
    test(`${what}, and the sign-in succeeds without`, async (t) => {
      const claims = await signIn(t, { access: { ...roles, ...access }, accessSigning: signing, options });
      assert.equal(claims['realm_access'], undefined);
      assert.equal(claims['sub'], 'alice');
    });
  }

  test('it is opaque', async (t) => {
    assert.equal((await signIn(t, {}))['realm_access'], undefined);
  });
});

describe('an access token gives its claims with', () => {
  for (const typ of [undefined, 'JWT', 'at+jwt', 'application/at+jwt']) {
    test(`typ ${typ}`, async (t) => {
      const claims = await signIn(t, { access: roles, accessSigning: { header: { typ } } });
      assert.deepEqual(claims['realm_access'], roles.realm_access);
    });
  }

  test('no sub, as lightweight ones of Keycloak', async (t) => {
    assert.deepEqual((await signIn(t, { access: { ...roles, sub: undefined } }))['realm_access'], roles.realm_access);
  });
});

describe('a sign-in is refused when UserInfo answers', () => {
  const JSON_TYPE = { 'content-type': 'application/json' };
  const ok = (body: string, headers: Record<string, string> = JSON_TYPE): Answer => ({ status: 200, headers, body });
  const signed = (claims: Record<string, unknown>, signing: Signing = {}): Answer =>
    ok(fake.sign({ iss: fake.issuer, aud: CLIENT_ID, sub: 'alice', ...claims }, signing), {
      'content-type': 'application/jwt',
    });
  const rows: { what: string; answer: () => Answer; code: string }[] = [
    { what: 'with another sub', answer: () => ok('{"sub":"mallory"}'), code: 'userinfo_mismatch' },
    { what: 'without sub', answer: () => ok('{"email":"a@example.com"}'), code: 'userinfo_mismatch' },
    { what: 'with a sub in a list', answer: () => ok('{"sub":["alice"]}'), code: 'userinfo_mismatch' },
    {
      what: 'with a sub under __proto__',
      answer: () => ok('{"__proto__":{"sub":"alice"}}'),
      code: 'userinfo_mismatch',
    },
    { what: 'with a list', answer: () => ok('[{"sub":"alice"}]'), code: 'provider_unavailable' },
    { what: 'with text', answer: () => ok('"alice"'), code: 'provider_unavailable' },
    { what: 'with HTML', answer: () => ok('<html>', { 'content-type': 'text/html' }), code: 'provider_unavailable' },
    {
      what: 'with JSON called HTML',
      answer: () => ok('{"sub":"alice"}', { 'content-type': 'text/html' }),
      code: 'provider_unavailable',
    },
    {
      what: 'with a redirect',
      answer: () => ({ status: 302, headers: { location: '/elsewhere' }, body: '' }),
      code: 'provider_unavailable',
    },
    {
      what: 'with 401',
      answer: () => ({ status: 401, headers: { 'www-authenticate': 'Bearer' }, body: '' }),
      code: 'session_ended',
    },
    { what: 'with 500', answer: () => ({ status: 500, headers: {}, body: '' }), code: 'provider_unavailable' },
    { what: 'with a JWT of a foreign key', answer: () => signed({}, { signer: foreign }), code: 'userinfo_mismatch' },
    {
      what: 'with an unsigned JWT',
      answer: () => signed({}, { header: { alg: 'none' }, signer: 'unsigned' }),
      code: 'userinfo_mismatch',
    },
    { what: 'with a JWT for another client', answer: () => signed({ aud: 'other' }), code: 'userinfo_mismatch' },
    { what: 'with a JWT about another user', answer: () => signed({ sub: 'mallory' }), code: 'userinfo_mismatch' },
    { what: 'with a logout token', answer: () => signed({ events: {} }), code: 'userinfo_mismatch' },
  ];
  for (const { what, answer, code } of rows) {
    test(what, async (t) => {
      t.after(fake.server.mutate('/userinfo', answer));
      const result = await outcome(signIn(t, { options: { userinfo: 'always' } }));
      assert.equal(result.code, code, result.message);
      assert.equal(fake.server.count('/elsewhere'), 0);
    });
  }

  test('signed as ID tokens are: accepted', async (t) => {
    t.after(fake.server.mutate('/userinfo', () => signed({ department: 'it' })));
    assert.equal((await signIn(t, { options: { userinfo: 'always' } }))['department'], 'it');
  });
});
