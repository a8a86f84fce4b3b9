// HTTP Basic credentials per user (RFC 7617): what can be carried, and what is left out.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type BasicAuthOptions, compileBasicCredentials } from '../../../src/access/basic-credentials.ts';
import {
  compileIdentityHeaders,
  type IdentityHeaderOptions,
  identityHeaderNames,
  neededClaims,
} from '../../../src/access/identity-headers.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { Claims } from '../../../src/base/tokens.ts';

const PASSWORD = new Secret('pass:wörd');

function credentials(claims: Claims, options: Partial<BasicAuthOptions> = {}): unknown {
  return compileBasicCredentials({ username: '{u}', password: PASSWORD, ...options }).render(claims);
}

const decoded = (value: unknown) => Buffer.from(String(value).replace(/^Basic /, ''), 'base64').toString();

describe('HTTP Basic credentials', () => {
  for (const user of ['alice', 'Žofie 王', '😀', 'a b', 'a%41', 'a,b', ' a ', 'DOMAIN\\alice', 'alice@example.com']) {
    it(`${JSON.stringify(user)} arrives as it is, in UTF-8, and the password keeps its colon`, () => {
      const value = credentials({ u: user });
      assert.match(String(value), /^Basic [A-Za-z0-9+/]+=*$/);
      assert.equal(decoded(value), `${user}:pass:wörd`);
    });
  }

  for (const [user, why] of [
    ['a:b', /colon/],
    ['urn:user:7', /colon/],
    ['a\r\nX-Role: admin', /colon/],
    ['a\nb', /control/],
    ['a\u0000', /control/],
    ['a\u0085b', /control/],
    ['a\ud800', /Unicode/],
  ] as const) {
    it(`${JSON.stringify(user)} has no credentials, and why is told`, () => {
      assert.match((credentials({ u: user }) as { leftOut: string }).leftOut, why);
    });
  }

  it('a user without the claim has none', () => {
    for (const claims of [{}, { u: '' }, { u: [] }, { u: {} }, { u: null }]) {
      assert.equal(credentials(claims), undefined);
    }
  });

  it("password_claim gives each user their own; without it there is none, and another's is never sent", () => {
    const own = { password: { claim: 'legacy.password' } };
    assert.equal(decoded(credentials({ u: 'alice', legacy: { password: 'a: b' } }, own)), 'alice:a: b');
    assert.equal(credentials({ u: 'bob', legacy: {} }, own), undefined);
    assert.match(
      (credentials({ u: 'bob', legacy: { password: 'a\tb' } }, own) as { leftOut: string }).leftOut,
      /contr/,
    );
  });
});

describe('in the identity headers', () => {
  const identity = { sub: 's', user: 'u', claims: { u: 'alice' }, accessToken: 'an.access-token' };
  const headers = (options: Partial<IdentityHeaderOptions>, changes: object = {}) =>
    compileIdentityHeaders({ preset: 'none', ...options })({ ...identity, ...changes });

  it('they are one Authorization header', () => {
    assert.deepEqual(headers({ basicAuth: { username: '{u}', password: new Secret('p') } }), [
      'Authorization',
      'Basic YWxpY2U6cA==',
    ]);
  });

  it('what is left out is named', () => {
    const heard: string[] = [];
    const options = { preset: 'none', basicAuth: { username: '{u}', password: PASSWORD } } as const;
    const pairs = compileIdentityHeaders(options)({ ...identity, claims: { u: 'a:b' } }, (...left) =>
      heard.push(...left),
    );
    assert.deepEqual(pairs, []);
    assert.equal(heard[0], 'Authorization');
  });

  it('access_token passes the token as a bearer token or by itself', () => {
    assert.deepEqual(headers({ accessToken: 'authorization' }), ['Authorization', 'Bearer an.access-token']);
    assert.deepEqual(headers({ accessToken: 'x-forwarded-access-token' }), [
      'X-Forwarded-Access-Token',
      'an.access-token',
    ]);
    assert.deepEqual(headers({ accessToken: 'none' }), []);
  });

  it('a token of 16 KiB passes, a longer one is left out, and one that no header can hold', () => {
    const long = 'x'.repeat(16_384);
    assert.deepEqual(headers({ accessToken: 'x-forwarded-access-token' }, { accessToken: long }).at(1), long);
    for (const accessToken of [`${long}x`, 'a b', 'a\r\nb', 'é', '', undefined]) {
      assert.deepEqual(headers({ accessToken: 'x-forwarded-access-token' }, { accessToken }), []);
    }
  });

  it("the client's own Authorization is removed where the route sets it, and only there", () => {
    const basic: IdentityHeaderOptions = { preset: 'none', basicAuth: { username: '{u}', password: PASSWORD } };
    const token: IdentityHeaderOptions = { preset: 'none', accessToken: 'authorization' };
    const beside: IdentityHeaderOptions = { preset: 'none', accessToken: 'x-forwarded-access-token' };
    const sets = (own: IdentityHeaderOptions) =>
      identityHeaderNames([basic, token, beside], own).includes('Authorization');
    assert.deepEqual([basic, token, beside].map(sets), [true, true, false]);
  });

  it('their claims are asked of UserInfo', () => {
    const basicAuth = { username: '{u}', password: { claim: 'legacy.password' } };
    assert.deepEqual(neededClaims([{ headers: { preset: 'none', basicAuth } }]), ['u', 'legacy']);
    const [name] = neededClaims([{ headers: { preset: 'none', signedAssertion: true } }]);
    assert.equal(name, 'preferred_username');
  });
});
