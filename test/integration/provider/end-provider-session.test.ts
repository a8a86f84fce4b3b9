// Ending the provider's session without a browser: Keycloak's POST of the refresh token, and what is done where a provider
// does not know it.

import assert from 'node:assert/strict';
import { createVerify, generateKeyPairSync } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';
import { Secret } from '../../../src/base/secret.ts';
import { endProviderSession, type ProviderEnd } from '../../../src/oidc/end-provider-session.ts';
import type { ProviderOptions } from '../../../src/oidc/provider.ts';
import { createOutboundFetch } from '../../../src/proxy/outbound-fetch.ts';
import { CLIENT_ID, CLIENT_SECRET, FakeProvider, json } from '../../support/fake-provider.ts';
import { type Answer, HookedServer } from '../../support/hooked-server.ts';
import { outcome, testProvider } from '../../support/test-provider.ts';

const GONE: Answer = { status: 204, headers: {}, body: '' };
const TOKEN = 'the-refresh-token';
const CHALLENGE = { headers: { 'content-type': 'application/json', 'www-authenticate': 'Basic realm="acme"' } };

let fake: FakeProvider;
before(async () => {
  fake = await FakeProvider.start();
});
afterEach(() => {
  fake.metadata = {};
});
after(() => fake.server.stop());

type Test = { after: (undo: () => void) => void };

async function end(t: Test, answer: Answer, options: Partial<ProviderOptions> = {}): Promise<ProviderEnd> {
  const { provider } = testProvider({ issuer: fake.issuer, ...options });
  const restore = fake.server.mutate('/logout', () => answer);
  t.after(() => {
    provider.stop();
    restore();
  });
  return endProviderSession(provider, TOKEN);
}

const lastLogout = () => fake.server.received('/logout').at(-1)!;
const formOf = ({ body }: { body: string }) => Object.fromEntries(new URLSearchParams(body));

describe('the provider’s session is ended by its refresh token', () => {
  test('in one POST with the client’s credentials; 204 is all that it says', async (t) => {
    assert.equal(await end(t, GONE), 'ended');
    const { method, headers, body } = lastLogout();
    assert.equal(method, 'POST');
    assert.deepEqual(formOf({ body }), { refresh_token: TOKEN });
    const [user, password] = Buffer.from(headers.authorization!.replace('Basic ', ''), 'base64').toString().split(':');
    assert.equal(user, CLIENT_ID);
    assert.equal(new URLSearchParams(`is=${password}`).get('is'), CLIENT_SECRET);
    assert.equal(fake.server.count('/revoke'), 0);
  });

  test('with the secret in the form, where the client authenticates so', async (t) => {
    const clientAuth = { method: 'client_secret_post', secret: new Secret(CLIENT_SECRET) } as const;
    assert.equal(await end(t, GONE, { clientAuth }), 'ended');
    assert.deepEqual(formOf(lastLogout()), {
      refresh_token: TOKEN,
      client_id: CLIENT_ID,
      client_secret: CLIENT_SECRET,
    });
    assert.equal(lastLogout().headers.authorization, undefined);
  });

  test('with an assertion that the client’s key has signed for this issuer', async (t) => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const privateKeyPem = new Secret(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
    assert.equal(await end(t, GONE, { clientAuth: { method: 'private_key_jwt', privateKeyPem } }), 'ended');
    const [header, payload, signature] = formOf(lastLogout())['client_assertion']!.split('.');
    const verify = createVerify('sha256').update(`${header}.${payload}`);
    assert.ok(verify.verify(publicKey, signature!, 'base64url'));
    assert.equal(JSON.parse(Buffer.from(payload!, 'base64url').toString()).aud, fake.issuer);
  });

  test('at the name that servers reach, where the provider publishes the token endpoint under another one', async (t) => {
    fake.metadata = {
      end_session_endpoint: 'https://sso.example.com/realms/acme/protocol/openid-connect/logout',
      token_endpoint: `${fake.issuer}/realms/acme/protocol/openid-connect/token`,
    };
    const path = '/realms/acme/protocol/openid-connect/logout';
    t.after(fake.server.mutate(path, () => GONE));
    assert.equal(await end(t, GONE), 'ended');
    assert.equal(fake.server.count(path), 1);
  });
});

describe('a provider that does not know this call has the token revoked instead', () => {
  const rows: [what: string, answer: Answer][] = [
    ['a page that asks the browser', { status: 200, headers: { 'content-type': 'text/html' }, body: '<form></form>' }],
    ['a redirect', { status: 302, headers: { location: 'https://evil.example/' }, body: '' }],
    ['no such method', { status: 405, headers: {}, body: '' }],
    ['a missing parameter', json({ error: 'invalid_request', error_description: 'id_token_hint is missing' }, 400)],
  ];
  for (const [what, answer] of rows) {
    test(what, async (t) => {
      const before = fake.server.count('/revoke');
      assert.equal(await end(t, answer), 'revoked');
      assert.equal(fake.server.count('/revoke'), before + 1);
      assert.equal(formOf(fake.server.received('/revoke').at(-1)!)['token'], TOKEN);
    });
  }

  test('no such endpoint', async (t) => {
    fake.metadata = { end_session_endpoint: undefined };
    assert.equal(await end(t, GONE), 'revoked');
  });
});

const REFUSALS: [what: string, answer: Answer, message: RegExp][] = [
  ['of the token', json({ error: 'invalid_grant', error_description: 'Invalid refresh token' }, 400), /400 invalid_g/],
  ['of the client', json({ error: 'invalid_client' }, 401), /401 invalid_client.*check client_id/],
  ['of a client that may not', json({ error: 'unauthorized_client' }, 400), /400 unauthorized_client/],
  ['of plain HTTP', json({ error: 'invalid_request', error_description: 'HTTPS required' }, 403), /HTTPS required/],
];

describe('a refusal is final, and says why without the token', () => {
  for (const [what, answer, why] of REFUSALS) {
    test(what, async (t) => {
      const before = fake.server.count('/revoke');
      const { code, message } = await outcome(end(t, answer));
      assert.equal(code, 'provider_refused');
      assert.match(message, why);
      assert.ok(!message.includes(TOKEN));
      assert.equal(fake.server.count('/revoke'), before, 'revocation would be refused too');
    });
  }

  for (const [what, answer] of [
    ...REFUSALS,
    ['of the client, with a challenge', { ...json({ error: 'invalid_client' }, 401), ...CHALLENGE }] as const,
  ]) {
    test(`of the revocation: ${what}`, async (t) => {
      t.after(fake.server.mutate('/revoke', () => answer));
      const { code, message } = await outcome(end(t, { status: 405, headers: {}, body: '' }));
      assert.equal(code, 'provider_refused');
      assert.match(message, /the revocation endpoint/);
      assert.ok(!message.includes(TOKEN));
    });
  }

  test('and a client that is refused is what readyz tells from then on', async (t) => {
    const { provider, happened } = testProvider({ issuer: fake.issuer });
    t.after(() => provider.stop());
    t.after(fake.server.mutate('/logout', () => json({ error: 'invalid_client' }, 401)));
    provider.start();
    await happened('provider.ready');
    assert.deepEqual(provider.readiness(), { ready: true });
    await outcome(endProviderSession(provider, TOKEN));
    const readiness = provider.readiness();
    assert.match(readiness.ready ? '' : readiness.why, /end_session_endpoint .* answered 401 invalid_client/);
  });
});

describe('a failure that may pass', () => {
  for (const [what, answer] of [
    ['of a provider that is broken', { status: 502, headers: {}, body: 'bad gateway' }],
    ['of one that is asked too often', json({ error: 'slow_down' }, 429)],
    ['of one that is broken in JSON', json({ error: 'server_error' }, 500)],
  ] as const) {
    test(what, async (t) => {
      const before = fake.server.count('/revoke');
      const { code, message } = await outcome(end(t, answer));
      assert.equal(code, 'provider_unavailable');
      assert.match(message, new RegExp(`answered ${answer.status}`));
      assert.equal(fake.server.count('/revoke'), before);
    });
  }

  test('by silence: the call is bounded in time', async (t) => {
    const hold = fake.server.hold('/logout');
    t.after(() => hold.drop());
    const ending = outcome(end(t, GONE, { fetch: createOutboundFetch({ timeoutMs: 300 }) }));
    await hold.arrived;
    assert.match((await ending).message, /timed out/);
  });

  test('by nobody there', async (t) => {
    const gone = new HookedServer(async () => GONE);
    await gone.start();
    fake.metadata = { end_session_endpoint: `${gone.origin}/elsewhere` };
    await gone.stop();
    assert.match((await outcome(end(t, GONE))).message, /cannot be reached: ECONNREFUSED/);
  });
});
