// FAULT-01, FAULT-02 and SSRF-01: the provider that is down, wrong, somewhere else or back again.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { beginLogin } from '../../../src/oidc/begin-login.ts';
import { verifyLogoutToken } from '../../../src/oidc/verify-logout-token.ts';
import { FakeProvider, json, REDIRECT_URI } from '../../support/fake-provider.ts';
import { outcome, testProvider } from '../../support/test-provider.ts';

const DISCOVERY = '/.well-known/openid-configuration';

describe('a provider is not used, and no sign-in begins, when its metadata', () => {
  const rows: { what: string; metadata: (fake: FakeProvider) => Record<string, unknown>; why: RegExp }[] = [
    {
      what: 'has another issuer',
      metadata: () => ({ issuer: 'https://evil.example' }),
      why: /says that the issuer is "https:\/\/evil/,
    },
    {
      what: 'has an issuer with a slash more',
      metadata: (fake) => ({ issuer: `${fake.issuer}/` }),
      why: /the same to the letter/,
    },
    { what: 'has no issuer', metadata: () => ({ issuer: undefined }), why: /discovery/ },
    { what: 'has no token endpoint', metadata: () => ({ token_endpoint: undefined }), why: /no usable token_endpoint/ },
    { what: 'has no key set', metadata: () => ({ jwks_uri: undefined }), why: /no usable jwks_uri/ },
    {
      what: 'has an endpoint that is no URL',
      metadata: () => ({ userinfo_endpoint: '/me' }),
      why: /no usable userinfo_endpoint/,
    },
    {
      what: 'has an endpoint that is a number',
      metadata: () => ({ token_endpoint: 7 }),
      why: /no usable token_endpoint/,
    },
    { what: 'has its keys in a file', metadata: () => ({ jwks_uri: 'file:///etc/passwd' }), why: /jwks_uri is file:/ },
    {
      what: 'has its keys at a plain-http address',
      metadata: () => ({ jwks_uri: 'http://169.254.169.254/keys' }),
      why: /jwks_uri is http:.*use https/,
    },
  ];
  for (const { what, metadata, why } of rows) {
    test(what, async (t) => {
      const fake = await FakeProvider.start();
      fake.metadata = metadata(fake);
      const { provider } = testProvider({ issuer: fake.issuer });
      t.after(() => {
        provider.stop();
        return fake.server.stop();
      });
      const { code, message } = await outcome(beginLogin(provider, { redirectUri: REDIRECT_URI }));
      assert.equal(code, 'provider_unavailable');
      assert.match(message, why);
      assert.equal(fake.server.count('/jwks'), 0);
    });
  }

  for (const [what, answer] of [
    ['is an error', { status: 500, headers: {}, body: '' }],
    ['is HTML', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' }],
    ['is a list', json([])],
    ['is a redirect', { status: 302, headers: { location: '/elsewhere' }, body: '' }],
  ] as const) {
    test(what, async (t) => {
      const fake = await FakeProvider.start();
      fake.server.mutate(DISCOVERY, () => answer);
      const { provider } = testProvider({ issuer: fake.issuer });
      t.after(() => {
        provider.stop();
        return fake.server.stop();
      });
      const { code, message } = await outcome(beginLogin(provider, { redirectUri: REDIRECT_URI }));
      assert.equal(code, 'provider_unavailable');
      assert.match(message, /discovery \(http/);
      assert.equal(fake.server.count('/elsewhere'), 0);
    });
  }

  test('would be asked over plain http beyond loopback', async (t) => {
    const asked: string[] = [];
    const { provider } = testProvider({
      issuer: 'http://sso.example.com',
      fetch: async (input) => {
        asked.push(String(input));
        return Response.json({});
      },
    });
    t.after(() => provider.stop());
    const { message } = await outcome(beginLogin(provider, { redirectUri: REDIRECT_URI }));
    assert.match(message, /provider\.issuer is http:\/\/sso\.example\.com: use https, or set provider\.allow_http/);
    assert.deepEqual(asked, []);
  });
});

describe('where discovery is not found, the usual mistakes in provider.issuer are named:', () => {
  const rows: [what: string, path: string, cure: RegExp][] = [
    [
      'a Keycloak without its realm',
      '',
      /404: .*ends with \/realms\/NAME, and before version 17 with \/auth\/realms\/NAME/,
    ],
    [
      'a realm that does not exist, or an old Keycloak',
      '/realms/acme',
      /404: check the name of the realm.* before version 17 it has/,
    ],
    [
      '/auth before the realm of a newer one',
      '/auth/realms/acme',
      /404: check the name of the realm.* since version 17 it has not/,
    ],
  ];
  for (const [what, path, cure] of rows) {
    test(what, async (t) => {
      const fake = await FakeProvider.start();
      fake.server.mutate(DISCOVERY, () => ({ status: 404, headers: {}, body: '<html>' }));
      const { provider } = testProvider({ issuer: `${fake.issuer}${path}` });
      t.after(() => {
        provider.stop();
        return fake.server.stop();
      });
      const { code, message } = await outcome(beginLogin(provider, { redirectUri: REDIRECT_URI }));
      assert.equal(code, 'provider_unavailable');
      assert.match(message, cure);
    });
  }
});

test('a provider that is down at the start is found when it comes, without a restart', async (t) => {
  const fake = await FakeProvider.start();
  const { issuer } = fake;
  await fake.server.stop();
  const { provider, happened } = testProvider({ issuer });
  t.after(() => {
    provider.stop();
    return fake.server.stop();
  });
  provider.start();
  await happened('provider.unavailable');
  const readiness = provider.readiness();
  assert.equal(readiness.ready, false);
  assert.match('why' in readiness ? readiness.why : '', /discovery \(http:.*cannot be reached: ECONNREFUSED/);
  assert.equal(await provider.reach(5_000), undefined);
  await fake.server.start();
  await happened('provider.ready');
  assert.deepEqual(provider.readiness(), { ready: true });
  assert.equal((await fake.login(provider)).sub, 'alice');
});

test('a provider without a key for the configured algorithm is not ready, and says which setting', async (t) => {
  const fake = await FakeProvider.start('ES256');
  const { provider, happened } = testProvider({ issuer: fake.issuer });
  t.after(() => {
    provider.stop();
    return fake.server.stop();
  });
  provider.start();
  await happened('provider.unavailable');
  assert.match(JSON.stringify(provider.readiness()), /no key for RS256; check provider\.id_token_signed_response_alg/);
});

test('once ready, a provider that goes away changes nothing for what is at hand', async (t) => {
  const fake = await FakeProvider.start();
  const { provider, happened } = testProvider({ issuer: fake.issuer, par: 'never' });
  t.after(() => {
    provider.stop();
    return fake.server.stop();
  });
  provider.start();
  await happened('provider.ready');
  const token = fake.logoutToken();
  await fake.server.stop();
  assert.deepEqual(provider.readiness(), { ready: true });
  assert.equal((await verifyLogoutToken(provider, token)).sid, 'sid-1');
  assert.ok(provider.discovered()?.serverMetadata().end_session_endpoint);
  assert.ok((await beginLogin(provider, { redirectUri: REDIRECT_URI })).url);
  assert.equal((await outcome(fake.login(provider))).code, 'provider_unavailable');
});

test('a sign-in does not wait for the back-off, and a hundred make one request', async (t) => {
  const fake = await FakeProvider.start();
  const { provider, happened } = testProvider({ issuer: fake.issuer });
  t.after(() => {
    provider.stop();
    return fake.server.stop();
  });
  const logins = Array.from({ length: 100 }, () => beginLogin(provider, { redirectUri: REDIRECT_URI }));
  await Promise.all(logins);
  assert.equal(fake.server.count(DISCOVERY), 1);
  await happened('provider.ready');
});

test('endpoints are taken from the settings before the metadata, and the metadata from another address', async (t) => {
  const fake = await FakeProvider.start();
  const inside = await FakeProvider.start();
  const issuer = 'https://sso.example.com/realms/a';
  // What Keycloak says behind its frontend URL: browsers are sent outside, we call inside.
  inside.metadata = {
    issuer,
    authorization_endpoint: 'https://sso.example.com/auth',
    jwks_uri: 'https://sso.example.com/jwks',
  };
  const { provider } = testProvider({
    issuer,
    par: 'never',
    endpoints: { discovery: `${inside.issuer}${DISCOVERY}`, jwks_uri: `${inside.issuer}/jwks` },
  });
  t.after(async () => {
    provider.stop();
    await fake.server.stop();
    await inside.server.stop();
  });
  const { url } = await beginLogin(provider, { redirectUri: REDIRECT_URI });
  assert.match(url, /^https:\/\/sso\.example\.com\/auth\?/);
  assert.equal((await verifyLogoutToken(provider, inside.logoutToken({ iss: issuer }))).issuer, issuer);
});

test('the way to the provider is not asked for more often than once a second while it is down', async (t) => {
  const fake = await FakeProvider.start();
  fake.server.mutate(DISCOVERY, () => ({ status: 503, headers: {}, body: '' }));
  const { provider } = testProvider({ issuer: fake.issuer });
  t.after(() => {
    provider.stop();
    return fake.server.stop();
  });
  for (let each = 0; each < 50; each++) await outcome(beginLogin(provider, { redirectUri: REDIRECT_URI }));
  assert.equal(fake.server.count(DISCOVERY), 1);
});
