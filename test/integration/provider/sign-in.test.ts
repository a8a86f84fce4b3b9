// Signing in, living and logging out against a whole provider: each way of client authentication, roles in access tokens,
// pushed requests, the probe, rotation, and logout tokens as a real provider makes them.

import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { Secret } from '../../../src/base/secret.ts';
import { beginLogin } from '../../../src/oidc/begin-login.ts';
import type { ClientAuthOptions } from '../../../src/oidc/client-authentication.ts';
import { type EndSessionRequest, type EndSessionStep, endSessionStep } from '../../../src/oidc/end-session-step.ts';
import { finishLogin, type SignedIn } from '../../../src/oidc/finish-login.ts';
import { probeSession } from '../../../src/oidc/probe-session.ts';
import type { Provider, ProviderOptions } from '../../../src/oidc/provider.ts';
import { refreshTokens } from '../../../src/oidc/refresh-tokens.ts';
import { revokeRefreshToken } from '../../../src/oidc/revoke-refresh-token.ts';
import { verifyLogoutToken } from '../../../src/oidc/verify-logout-token.ts';
import {
  type EmbeddedClient,
  EmbeddedProvider,
  type EmbeddedProviderOptions,
  PATHS,
} from '../../support/embedded-provider.ts';
import { CLIENT_ID, CLIENT_SECRET, FakeProvider, HANDLE, REDIRECT_URI } from '../../support/fake-provider.ts';
import { outcome, testProvider } from '../../support/test-provider.ts';

const LOGGED_OUT = 'http://127.0.0.1:9/_gate/logged-out';
const CLIENT: EmbeddedClient = {
  id: CLIENT_ID,
  secret: CLIENT_SECRET,
  redirectUris: [REDIRECT_URI],
  postLogoutRedirectUris: [LOGGED_OUT],
};

interface Room {
  readonly op: EmbeddedProvider;
  readonly provider: Provider;
  readonly events: readonly { event: string }[];
  readonly signIn: (user?: string, cookies?: Map<string, string>) => Promise<SignedIn>;
}

async function room(
  t: { after: (undo: () => unknown) => void },
  settings: {
    op?: Partial<EmbeddedProviderOptions>;
    client?: Partial<EmbeddedClient>;
    gate?: Partial<ProviderOptions>;
  } = {},
): Promise<Room> {
  const op = await EmbeddedProvider.start({ clients: [{ ...CLIENT, ...settings.client }], ...settings.op });
  const { provider, events } = testProvider({ issuer: op.issuer, ...settings.gate });
  t.after(() => {
    provider.stop();
    return op.close();
  });
  const signIn = async (user = 'alice', cookies?: Map<string, string>) => {
    const { url, transaction } = await beginLogin(provider, { redirectUri: REDIRECT_URI });
    const callbackUrl = await op.signIn(url, user, cookies);
    return finishLogin(provider, { callbackUrl, redirectUri: REDIRECT_URI, transaction, handle: HANDLE });
  };
  return { op, provider, events, signIn };
}

describe('a user signs in with', () => {
  const pem = (key: KeyObject, type: 'pkcs8' | 'pkcs1' | 'sec1' = 'pkcs8') =>
    key.export({ format: 'pem', type }).toString();
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' });
  const ed = generateKeyPairSync('ed25519');
  const jwt = (key: string): ClientAuthOptions => ({ method: 'private_key_jwt', privateKeyPem: new Secret(key) });
  const secret = new Secret(CLIENT_SECRET);
  const jwtClient = (key: KeyObject): Partial<EmbeddedClient> => ({
    auth: 'private_key_jwt',
    jwks: { keys: [key.export({ format: 'jwk' })] },
  });
  const rows: { what: string; clientAuth: ClientAuthOptions; client: Partial<EmbeddedClient> }[] = [
    {
      what: 'client_secret_basic and a secret of reserved characters',
      clientAuth: { method: 'client_secret_basic', secret },
      client: {},
    },
    {
      what: 'client_secret_post and a secret of reserved characters',
      clientAuth: { method: 'client_secret_post', secret },
      client: { auth: 'client_secret_post' },
    },
    { what: 'private_key_jwt and an RSA key', clientAuth: jwt(pem(rsa.privateKey)), client: jwtClient(rsa.publicKey) },
    {
      what: 'private_key_jwt and an old RSA file',
      clientAuth: jwt(pem(rsa.privateKey, 'pkcs1')),
      client: jwtClient(rsa.publicKey),
    },
    {
      what: 'private_key_jwt and a P-256 key',
      clientAuth: jwt(pem(p256.privateKey)),
      client: jwtClient(p256.publicKey),
    },
    {
      what: 'private_key_jwt and a P-521 file of openssl',
      clientAuth: jwt(pem(p521.privateKey, 'sec1')),
      client: jwtClient(p521.publicKey),
    },
    {
      what: 'private_key_jwt and an Ed25519 key',
      clientAuth: jwt(pem(ed.privateKey)),
      client: jwtClient(ed.publicKey),
    },
  ];
  for (const { what, clientAuth, client } of rows) {
    test(what, async (t) => {
      const { op, provider, signIn } = await room(t, {
        client,
        gate: { clientAuth },
        op: { configuration: { enabledJWA: { clientAuthSigningAlgValues: ['RS256', 'ES256', 'ES512', 'EdDSA'] } } },
      });
      const signedIn = await signIn();
      assert.equal(signedIn.sub, 'sub-alice');
      assert.equal(signedIn.probe, 'introspect');
      assert.equal(signedIn.idTokenIssuedAtSeconds, signedIn.claims['iat']);
      await refreshTokens(provider, { ...signedIn, sid: signedIn.sid, handle: HANDLE });
      for (const { body, path } of [...op.received(PATHS.token), ...op.received(PATHS.par)]) {
        const assertion = new URLSearchParams(body).get('client_assertion');
        if (clientAuth.method !== 'private_key_jwt') assert.equal(assertion, null);
        else
          assert.equal(JSON.parse(Buffer.from(assertion!.split('.')[1]!, 'base64url').toString()).aud, op.issuer, path);
      }
    });
  }
});

describe('a sign-in', () => {
  test('is pushed where the provider offers it, and the browser carries nothing but a reference', async (t) => {
    const { op, provider, signIn } = await room(t);
    assert.equal((await signIn()).sub, 'sub-alice');
    const { url } = await beginLogin(provider, { redirectUri: REDIRECT_URI });
    assert.deepEqual([...new URL(url).searchParams.keys()].sort(), ['client_id', 'request_uri']);
    assert.equal(op.count(PATHS.par), 2);
  });

  test('is not pushed where the setting says so', async (t) => {
    const { op, signIn } = await room(t, { gate: { par: 'never' } });
    assert.equal((await signIn()).sub, 'sub-alice');
    assert.equal(op.count(PATHS.par), 0);
  });

  test('has claims of the ID token, and roles of the access token where it can be read', async (t) => {
    const { signIn } = await room(t, {
      op: { accessTokens: 'jwt' },
      gate: { neededClaims: ['email', 'realm_access'] },
    });
    const { claims } = await signIn('bob');
    assert.equal(claims['email'], 'bob@example.com');
    assert.deepEqual(claims['realm_access'], { roles: ['user'] });
  });

  test('has claims of UserInfo where the ID token says only who it is', async (t) => {
    const { op, signIn } = await room(t, { op: { claimsIn: 'userinfo' }, gate: { neededClaims: ['email'] } });
    assert.equal((await signIn('bob')).claims['email'], 'bob@example.com');
    assert.equal(op.count(PATHS.userinfo), 1);
  });

  test('of a second browser is another session of the same user', async (t) => {
    const { signIn } = await room(t);
    const [one, two] = [await signIn(), await signIn()];
    assert.equal(one.sub, two.sub);
    assert.notEqual(one.sid, two.sid);
  });

  test('after a rotation of keys succeeds, the old ones dropped or not', async (t) => {
    const { op, signIn } = await room(t);
    await signIn();
    op.rotateKeys('keep');
    assert.equal((await signIn()).sub, 'sub-alice');
    op.rotateKeys('drop');
    assert.equal((await signIn()).sub, 'sub-alice');
  });

  test('whose code was used before is refused', async (t) => {
    const { op, provider } = await room(t);
    const { url, transaction } = await beginLogin(provider, { redirectUri: REDIRECT_URI });
    const callbackUrl = await op.signIn(url, 'alice');
    const login = { callbackUrl, redirectUri: REDIRECT_URI, transaction, handle: HANDLE };
    await finishLogin(provider, login);
    assert.equal((await outcome(finishLogin(provider, login))).code, 'code_refused');
  });

  test('with the verifier of another attempt is refused', async (t) => {
    const { op, provider } = await room(t);
    const { url, transaction } = await beginLogin(provider, { redirectUri: REDIRECT_URI });
    const other = await beginLogin(provider, { redirectUri: REDIRECT_URI });
    const callbackUrl = await op.signIn(url, 'alice');
    const swapped = { ...transaction, codeVerifier: other.transaction.codeVerifier };
    const { code } = await outcome(
      finishLogin(provider, { callbackUrl, redirectUri: REDIRECT_URI, transaction: swapped, handle: HANDLE }),
    );
    assert.equal(code, 'code_refused');
  });

  test('arms no probe that calls a fresh token dead, and says so', async (t) => {
    const { op, signIn, events } = await room(t);
    op.mutate(PATHS.introspection, (answer) => ({ ...answer, body: '{"active":false}' }));
    assert.equal((await signIn()).probe, 'refresh');
    assert.match(JSON.stringify(events), /probe\.not_armed.*not active/);
  });

  test('arms the probe that the setting forces, without a try', async (t) => {
    const { op, signIn } = await room(t, { gate: { liveness: 'introspect' } });
    assert.equal((await signIn()).probe, 'introspect');
    assert.equal(op.count(PATHS.introspection), 0);
  });

  test('arms no probe, and succeeds, when introspection is refused to us', async (t) => {
    const { op, signIn, events } = await room(t);
    op.mutate(PATHS.introspection, () => ({ status: 403, headers: {}, body: '' }));
    assert.equal((await signIn()).probe, 'refresh');
    assert.match(JSON.stringify(events), /probe\.not_armed.*answered 403/);
  });
});

describe('a session', () => {
  test('is called alive until it ends at the provider, then ended', async (t) => {
    const { op, provider, signIn } = await room(t);
    const { tokens, ...signedIn } = await signIn();
    assert.equal(await probeSession(provider, tokens.refreshToken!), 'alive');
    const [asked] = op.received(PATHS.introspection).slice(-1);
    assert.equal(new URLSearchParams(asked?.body).get('token_type_hint'), 'refresh_token');
    op.dropSessions('alice');
    assert.equal(await probeSession(provider, tokens.refreshToken!), 'ended');
    const refresh = await outcome(refreshTokens(provider, { tokens, ...signedIn, sid: signedIn.sid, handle: HANDLE }));
    assert.equal(refresh.code, 'refresh_refused');
  });

  for (const [what, answer] of [
    ['500', { status: 500, headers: {}, body: '' }],
    ['401', { status: 401, headers: { 'content-type': 'application/json' }, body: '{"error":"invalid_client"}' }],
    ['HTML', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' }],
    [
      'an active that is text',
      { status: 200, headers: { 'content-type': 'application/json' }, body: '{"active":"false"}' },
    ],
    ['a redirect', { status: 302, headers: { location: '/x' }, body: '' }],
  ] as const) {
    test(`is not called ended by ${what}`, async (t) => {
      const { op, provider, signIn } = await room(t);
      const { tokens } = await signIn();
      op.mutate(PATHS.introspection, () => answer);
      assert.equal((await outcome(probeSession(provider, tokens.refreshToken!))).code, 'provider_unavailable');
    });
  }

  test('survives a rotation of refresh tokens', async (t) => {
    const { provider, signIn } = await room(t, { op: { rotateRefreshTokens: true } });
    const { sid, ...signedIn } = await signIn();
    const first = await refreshTokens(provider, { ...signedIn, sid, handle: HANDLE });
    assert.notEqual(first.tokens.refreshToken, signedIn.tokens.refreshToken);
    const second = await refreshTokens(provider, { ...signedIn, sid, handle: HANDLE, ...first });
    assert.equal(second.claims['sub'], 'sub-alice');
  });

  test('ends by revocation, and revoking twice is no error', async (t) => {
    const { provider, signIn } = await room(t);
    const { tokens } = await signIn();
    await revokeRefreshToken(provider, tokens.refreshToken!);
    await revokeRefreshToken(provider, tokens.refreshToken!);
    assert.equal(await probeSession(provider, tokens.refreshToken!), 'ended');
  });

  test('ends at the provider by the logout address, which leads back to us with our state', async (t) => {
    const { op, provider, signIn } = await room(t);
    const cookies = new Map<string, string>();
    const { tokens } = await signIn('alice', cookies);
    const step = endSessionStep(provider.options, provider.discovered()!, {
      idToken: tokens.idToken,
      postLogoutRedirectUri: LOGGED_OUT,
      state: 'back',
    });
    assert.ok(step?.kind === 'redirect');
    assert.equal((await op.signIn(step.url, 'nobody', cookies)).href, `${LOGGED_OUT}?state=back`);
    assert.equal(await probeSession(provider, tokens.refreshToken!), 'ended');
  });

  test('is named by the notice that its end sends, and the notice is genuine', async (t) => {
    const { op, provider, signIn } = await room(t);
    const received = Promise.withResolvers<string>();
    const server = createServer(async (req, res) => {
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk);
      received.resolve(Buffer.concat(chunks).toString());
      res.end();
    }).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    op.setClient({ ...CLIENT, backchannelLogoutUri: `http://127.0.0.1:${port}/notice` });
    const { sub, sid } = await signIn();
    await op.endSessions('alice');
    const token = new URLSearchParams(await received.promise).get('logout_token') ?? '';
    const notice = await verifyLogoutToken(provider, token);
    assert.deepEqual([notice.sub, notice.sid, notice.issuer], [sub, sid, op.issuer]);
  });
});

describe('the authorization request', () => {
  async function request(
    t: { after: (undo: () => unknown) => void },
    gate: Partial<ProviderOptions>,
    fakeMetadata = {},
  ) {
    const fake = await FakeProvider.start();
    fake.metadata = fakeMetadata;
    const { provider } = testProvider({ issuer: fake.issuer, par: 'never', ...gate });
    t.after(() => {
      provider.stop();
      return fake.server.stop();
    });
    return { fake, provider, begun: () => beginLogin(provider, { redirectUri: REDIRECT_URI }) };
  }

  test('has what the flow needs, whatever the settings say', async (t) => {
    const evil = {
      ...{ client_id: 'evil', redirect_uri: 'https://evil.example', response_type: 'token', state: 'x', nonce: 'x' },
      ...{
        code_challenge: 'x',
        code_challenge_method: 'plain',
        scope: 'x',
        request: 'x',
        request_uri: 'x',
        response_mode: 'x',
      },
    };
    const { begun } = await request(t, { authorizationParams: { ...evil, kc_idp_hint: 'corp', ui_locales: 'de en' } });
    const { url, transaction } = await begun();
    const query = Object.fromEntries(new URL(url).searchParams);
    assert.deepEqual([...new URL(url).searchParams.keys()].sort(), [
      ...['client_id', 'code_challenge', 'code_challenge_method', 'kc_idp_hint', 'nonce', 'redirect_uri'],
      ...['response_type', 'scope', 'state', 'ui_locales'],
    ]);
    assert.deepEqual(
      [query['client_id'], query['redirect_uri'], query['response_type'], query['code_challenge_method']],
      [CLIENT_ID, REDIRECT_URI, 'code', 'S256'],
    );
    assert.deepEqual([query['state'], query['nonce']], [transaction.state, transaction.nonce]);
    assert.equal(query['scope'], 'openid profile email');
    assert.equal(query['ui_locales'], 'de en');
  });

  test('is another for each attempt', async (t) => {
    const { begun } = await request(t, {});
    const [one, two] = [await begun(), await begun()];
    for (const name of ['state', 'nonce', 'codeVerifier'] as const) {
      assert.notEqual(one.transaction[name], two.transaction[name]);
      assert.ok(one.transaction[name].length >= 43, name);
    }
  });

  test('asks for openid though the settings forgot it', async (t) => {
    const { begun } = await request(t, { scopes: ['email'] });
    assert.equal(new URL((await begun()).url).searchParams.get('scope'), 'openid email');
  });

  test('that must be pushed is refused where the provider cannot', async (t) => {
    const { begun } = await request(t, { par: 'require' });
    const { code, message } = await outcome(begun());
    assert.equal(code, 'provider_unavailable');
    assert.match(message, /provider\.par is require/);
  });

  test('that the provider does not accept names the address that must be allowed there', async (t) => {
    const { fake, begun } = await request(t, { par: 'auto' });
    fake.metadata = { pushed_authorization_request_endpoint: `${fake.issuer}/par` };
    const body = JSON.stringify({ error: 'invalid_request', error_description: 'Invalid parameter: redirect_uri' });
    fake.server.mutate('/par', () => ({ status: 400, headers: { 'Content-Type': 'application/json' }, body }));
    const { code, message } = await outcome(begun());
    assert.equal(code, 'provider_unavailable');
    assert.match(
      message,
      /answered 400 invalid_request .*must have https?:\/\/\S+\/callback among its valid redirect URIs/,
    );
  });

  for (const par of ['auto', 'require'] as const) {
    test(`that cannot be pushed does not go on in the open with par: ${par}`, async (t) => {
      const { fake, provider, begun } = await request(t, { par });
      fake.metadata = { pushed_authorization_request_endpoint: `${fake.issuer}/par` };
      fake.server.mutate('/par', () => ({ status: 500, headers: {}, body: '' }));
      const { code, message } = await outcome(begun());
      assert.equal(code, 'provider_unavailable');
      assert.match(message, /pushed authorization request endpoint .* answered 500/);
      assert.ok(provider);
    });
  }
});

describe('the logout address', () => {
  const ID_TOKEN = 'header.claims.signature';
  const REQUEST = { postLogoutRedirectUri: LOGGED_OUT, state: 's&t' };

  /** What a provider of these options makes of `request`. */
  async function step(t: TestContext, request: Partial<EndSessionRequest>, options: Partial<ProviderOptions> = {}) {
    const fake = await FakeProvider.start();
    const { provider } = testProvider({ issuer: fake.issuer, ...options });
    t.after(() => {
      provider.stop();
      return fake.server.stop();
    });
    return endSessionStep(provider.options, await provider.configuration(), { ...REQUEST, ...request })!;
  }

  /** The parameters of a step that is an address. */
  function parametersOf(step: EndSessionStep): Record<string, string> {
    assert.ok(step.kind === 'redirect');
    return Object.fromEntries(new URL(step.url).searchParams);
  }

  test('keeps the query of the endpoint, and works without an ID token', async (t) => {
    assert.deepEqual(parametersOf(await step(t, {})), {
      realm: 'a',
      client_id: CLIENT_ID,
      post_logout_redirect_uri: LOGGED_OUT,
      state: 's&t',
    });
  });

  test('has everything that RP-Initiated Logout 1.0 knows, and Keycloak’s initiating_idp', async (t) => {
    const asked = { idToken: ID_TOKEN, uiLocales: 'de en', logoutHint: 'a@b', initiatingIdp: 'corp' };
    assert.deepEqual(parametersOf(await step(t, asked)), {
      realm: 'a',
      client_id: CLIENT_ID,
      post_logout_redirect_uri: LOGGED_OUT,
      state: 's&t',
      ui_locales: 'de en',
      logout_hint: 'a@b',
      initiating_idp: 'corp',
      id_token_hint: ID_TOKEN,
    });
  });

  test('for Keycloak before 18 says redirect_uri in place of what that does not know', async (t) => {
    assert.deepEqual(parametersOf(await step(t, { idToken: ID_TOKEN }, { legacyLogoutRedirectUri: true })), {
      realm: 'a',
      redirect_uri: LOGGED_OUT,
      state: 's&t',
      id_token_hint: ID_TOKEN,
    });
  });

  test('with an ID token that makes it too long becomes a form, which carries the same', async (t) => {
    const long = await step(t, { idToken: 'x'.repeat(3_400) });
    assert.ok(long.kind === 'form');
    assert.match(long.action, /\/logout\?realm=a$/);
    assert.deepEqual(long.fields, {
      client_id: CLIENT_ID,
      post_logout_redirect_uri: LOGGED_OUT,
      state: 's&t',
      id_token_hint: 'x'.repeat(3_400),
    });
    assert.equal((await step(t, { idToken: 'x'.repeat(3_200) })).kind, 'redirect');
  });

  test('with a logout hint needs no ID token that makes it too long', async (t) => {
    const { id_token_hint, logout_hint } = parametersOf(
      await step(t, { idToken: 'x'.repeat(3_400), logoutHint: 'sid-1' }),
    );
    assert.deepEqual([id_token_hint, logout_hint], [undefined, 'sid-1']);
  });

  test('is none where the provider has none', async (t) => {
    const fake = await FakeProvider.start();
    fake.metadata = {
      end_session_endpoint: undefined,
      revocation_endpoint: undefined,
      introspection_endpoint: undefined,
    };
    const { provider, events } = testProvider({ issuer: fake.issuer });
    t.after(() => {
      provider.stop();
      return fake.server.stop();
    });
    const { tokens, probe } = await fake.login(provider);
    assert.equal(endSessionStep(provider.options, provider.discovered()!, REQUEST), undefined);
    await revokeRefreshToken(provider, tokens.refreshToken!);
    assert.equal(probe, 'refresh');
    assert.match(JSON.stringify(events), /probe\.not_armed.*no introspection endpoint/);
  });
});
