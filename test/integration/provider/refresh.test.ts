// Refreshing a session: what is adopted, what ends the session (LOGIN-16, SESS-10) and what must not.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Provider, ProviderOptions } from '../../../src/oidc/provider.ts';
import { type Refreshable, type Refreshed, refreshTokens } from '../../../src/oidc/refresh-tokens.ts';
import { FakeProvider, type Grant, HANDLE, type Signing } from '../../support/fake-provider.ts';
import type { Answer } from '../../support/hooked-server.ts';
import { newSigningKey } from '../../support/signing-key.ts';
import { outcome, testProvider } from '../../support/test-provider.ts';

const foreign = newSigningKey('RS256', 'key-1');
const now = () => Math.floor(Date.now() / 1000);

let fake: FakeProvider;
before(async () => {
  fake = await FakeProvider.start();
});
after(() => fake.server.stop());

/** A session signed in honestly; `issue` then says what a refresh gets. */
async function session(
  t: { after: (undo: () => void) => void },
  issue: (grant: Grant) => Record<string, unknown>,
  options: Partial<ProviderOptions> = {},
): Promise<{ provider: Provider; before: Refreshable; refresh: () => Promise<Refreshed> }> {
  const { provider } = testProvider({ issuer: fake.issuer, ...options });
  t.after(() => provider.stop());
  fake.issue = (grant) => (grant.type === 'refresh_token' ? issue(grant) : fake.tokens(grant));
  const { sid, ...signedIn } = await fake.login(provider);
  const record = { ...signedIn, sid, handle: HANDLE };
  return { provider, before: record, refresh: () => refreshTokens(provider, record) };
}

describe('a refresh ends the session for good when the new ID token has', () => {
  const rows: { what: string; claims?: Record<string, unknown>; signing?: Signing; why: RegExp }[] = [
    { what: 'another sub', claims: { sub: 'mallory' }, why: /another user/ },
    { what: 'another sid', claims: { sid: 'sid-2' }, why: /another session/ },
    { what: 'another iss', claims: { iss: 'https://evil.example' }, why: /iss is/ },
    { what: 'another aud', claims: { aud: 'other' }, why: /aud is not our client/ },
    { what: 'a bad signature', signing: { signer: foreign }, why: /signature does not hold/ },
    { what: 'alg none', signing: { header: { alg: 'none' }, signer: 'unsigned' }, why: /not a signed JWT/ },
    { what: 'an exp past', claims: { exp: now() - 3600 }, why: /expired/ },
    { what: 'another nonce than at sign-in', claims: { nonce: 'other' }, why: /nonce/ },
  ];
  for (const { what, claims, signing, why } of rows) {
    test(what, async (t) => {
      const { refresh } = await session(t, (grant) => ({
        ...fake.tokens(grant),
        id_token: fake.idToken(claims, signing),
      }));
      const { code, message } = await outcome(refresh());
      assert.equal(code, 'refresh_refused', message);
      assert.match(message, why);
    });
  }
});

describe('a refresh that is answered with', () => {
  const JSON_TYPE = { 'content-type': 'application/json' };
  const error = (status: number, name: string, text = 'Session not active'): Answer => ({
    status,
    headers: JSON_TYPE,
    body: JSON.stringify({ error: name, error_description: text }),
  });
  const rows: { what: string; answer: Answer; code: string; why: RegExp }[] = [
    {
      what: '400 invalid_grant',
      answer: error(400, 'invalid_grant'),
      code: 'refresh_refused',
      why: /Session not active/,
    },
    {
      what: '401 invalid_client',
      answer: error(401, 'invalid_client'),
      code: 'provider_unavailable',
      why: /check client_id/,
    },
    {
      what: '400 unauthorized_client',
      answer: error(400, 'unauthorized_client'),
      code: 'provider_unavailable',
      why: /check client_id/,
    },
    {
      what: '400 invalid_request',
      answer: error(400, 'invalid_request'),
      code: 'provider_unavailable',
      why: /invalid_request/,
    },
    {
      what: '500 invalid_grant',
      answer: error(500, 'invalid_grant'),
      code: 'provider_unavailable',
      why: /answered 500/,
    },
    {
      what: '503',
      answer: { status: 503, headers: {}, body: 'busy' },
      code: 'provider_unavailable',
      why: /answered 503/,
    },
    { what: '429', answer: { status: 429, headers: {}, body: '' }, code: 'provider_unavailable', why: /answered 429/ },
    {
      what: '200 and HTML',
      answer: { status: 200, headers: {}, body: '<p>' },
      code: 'provider_unavailable',
      why: /200/,
    },
    {
      what: '400 and HTML',
      answer: { status: 400, headers: {}, body: 'invalid_grant' },
      code: 'provider_unavailable',
      why: /4/,
    },
  ];
  for (const { what, answer, code, why } of rows) {
    test(`${what}: ${code}, asked once`, async (t) => {
      const { refresh } = await session(t, fake.tokens.bind(fake));
      const before = fake.server.count('/token');
      t.after(fake.server.mutate('/token', () => answer));
      const result = await outcome(refresh());
      assert.equal(result.code, code, result.message);
      assert.match(result.message, why);
      assert.equal(fake.server.count('/token'), before + 1);
    });
  }

  test('a broken connection: unavailable, asked once', async (t) => {
    const { refresh } = await session(t, fake.tokens.bind(fake));
    const before = fake.server.count('/token');
    const hold = fake.server.hold('/token');
    const result = outcome(refresh());
    await hold.arrived;
    hold.drop();
    assert.equal((await result).code, 'provider_unavailable');
    assert.equal(fake.server.count('/token'), before + 1);
  });
});

describe('after a refresh', () => {
  test('tokens and claims are the new ones: a role that was taken away is gone', async (t) => {
    const { provider, before, refresh } = await session(t, (grant) => ({
      ...fake.tokens(grant),
      access_token: 'new access token',
      refresh_token: 'new refresh token',
      id_token: fake.idToken({ email: 'new@example.com', iat: now() - 1 }),
    }));
    fake.issue = (
      (issue) => (grant) =>
        issue(grant)
    )(fake.issue);
    const refreshed = await refresh();
    assert.equal(refreshed.tokens.accessToken, 'new access token');
    assert.equal(refreshed.tokens.refreshToken, 'new refresh token');
    assert.equal(refreshed.claims['email'], 'new@example.com');
    assert.equal(refreshed.tokens.issuedAtSeconds, refreshed.claims['iat']);
    const withRoles = { ...before, ...refreshed, claims: { ...refreshed.claims, groups: ['admins'] } };
    assert.equal((await refreshTokens(provider, withRoles)).claims['groups'], undefined);
  });

  test('the old refresh token and its end stay where no new one came', async (t) => {
    const { before, refresh } = await session(t, (grant) => ({
      ...fake.tokens(grant),
      refresh_token: undefined,
      refresh_expires_in: undefined,
    }));
    const { tokens } = await refresh();
    assert.equal(tokens.refreshToken, before.tokens.refreshToken);
    assert.equal(tokens.refreshExpiresAt, before.tokens.refreshExpiresAt);
  });

  test('a new refresh token without an end has none', async (t) => {
    const { refresh } = await session(t, (grant) => ({ ...fake.tokens(grant), refresh_expires_in: 0 }));
    assert.equal((await refresh()).tokens.refreshExpiresAt, undefined);
  });

  test('the ID token at hand stays where no new one came, and its claims are made anew', async (t) => {
    const { before, refresh } = await session(t, (grant) => ({ ...fake.tokens(grant), id_token: undefined }));
    const refreshed = await refresh();
    assert.equal(refreshed.tokens.idToken, before.tokens.idToken);
    assert.equal(refreshed.claims['sub'], 'alice');
    assert.equal(refreshed.tokens.issuedAtSeconds, before.tokens.issuedAtSeconds);
  });

  test('UserInfo is asked again as the option says', async (t) => {
    fake.userinfo = { sub: 'alice', department: 'old' };
    const { refresh } = await session(t, fake.tokens.bind(fake), { neededClaims: ['department'] });
    fake.userinfo = { sub: 'alice', department: 'new' };
    assert.equal((await refresh()).claims['department'], 'new');
  });

  test('its claims stay while UserInfo cannot be had, and the tokens are adopted', async (t) => {
    fake.userinfo = { sub: 'alice', department: 'old' };
    const { refresh } = await session(t, (grant) => ({ ...fake.tokens(grant), refresh_token: 'rotated' }), {
      userinfo: 'always',
    });
    t.after(fake.server.mutate('/userinfo', () => ({ status: 503, headers: {}, body: '' })));
    const refreshed = await refresh();
    assert.equal(refreshed.claims['department'], 'old');
    assert.equal(refreshed.tokens.refreshToken, 'rotated');
  });

  test('somebody else in UserInfo ends the session', async (t) => {
    fake.userinfo = { sub: 'alice' };
    const { refresh } = await session(t, fake.tokens.bind(fake), { userinfo: 'always' });
    fake.userinfo = { sub: 'mallory' };
    assert.equal((await outcome(refresh())).code, 'refresh_refused');
  });

  test('with a new key that cannot be fetched, tokens are adopted and claims stay', async (t) => {
    const rotated = newSigningKey('RS256', 'key-2');
    const { before, refresh } = await session(t, (grant) => ({
      ...fake.tokens(grant),
      refresh_token: 'rotated',
      id_token: fake.idToken({ sub: 'mallory' }, { signer: rotated, header: { kid: 'key-2' } }),
    }));
    t.after(fake.server.mutate('/jwks', () => ({ status: 503, headers: {}, body: '' })));
    const refreshed = await refresh();
    assert.equal(refreshed.tokens.refreshToken, 'rotated');
    assert.equal(refreshed.tokens.idToken, before.tokens.idToken);
    assert.deepEqual(refreshed.claims, before.claims);
    assert.equal(refreshed.tokens.issuedAtSeconds, before.tokens.issuedAtSeconds);
  });
});

test('a session without a refresh token cannot be refreshed', async (t) => {
  const { provider, before } = await session(t, fake.tokens.bind(fake));
  const none = { ...before, tokens: { ...before.tokens, refreshToken: undefined } };
  assert.equal((await outcome(refreshTokens(provider, none))).code, 'refresh_refused');
});
