// Who comes in with an access token, what everybody else is told, and what the application sees (RFC 6750; design:
// config.md, `auth`).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Answer, BrowserClient, RequestOptions } from '../../support/browser-client.ts';
import { PATHS } from '../../support/embedded-provider.ts';
import type { SocketRefused } from '../../support/live-socket.ts';
import { rawExchange } from '../../support/raw-exchange.ts';
import { TestGate } from '../../support/test-gate.ts';

const routes = (upstream: string) => [
  { name: 'app', upstream },
  { name: 'api', path: '/api', upstream, auth: 'bearer', strip_prefix: true, unauthenticated: 'auto' },
  {
    name: 'both',
    path: '/both',
    upstream,
    auth: ['session', 'bearer'],
    strip_prefix: true,
    access: [
      { path: '/both/admin', roles: ['admin'] },
      { path: '/both/browsers', auth: 'session' },
      { path: '/both/programs', auth: 'bearer' },
    ],
  },
];

/** The challenges of a 401, each as it came. */
function challenges({ rawHeaders }: Answer): string[] {
  return rawHeaders.filter((_, i) => rawHeaders[i - 1]?.toLowerCase() === 'www-authenticate');
}

const BEARER = 'Bearer realm="portcullis"';
const INVALID = 'Bearer realm="portcullis", error="invalid_token"';
const SIGN_IN = 'Portcullis realm="sign-in"';

describe('access tokens as credentials', () => {
  let gate: TestGate;
  let client: BrowserClient;
  before(async () => {
    gate = await TestGate.start({ config: { routes } });
    client = gate.browser();
  });
  after(() => gate.close());

  const call = (path: string, token: string | undefined, options: RequestOptions = {}, who = client) =>
    who.request(gate.url(path), {
      mode: 'none',
      ...options,
      headers: { ...options.headers, ...(token !== undefined && { Authorization: `Bearer ${token}` }) },
    });

  /** A header as the application saw it; undefined: it did not come. */
  function seenHeader(answer: Answer, name: string): string | undefined {
    const { rawHeaders } = JSON.parse(answer.text) as { rawHeaders: string[] };
    return rawHeaders.find((_, i) => rawHeaders[i - 1]?.toLowerCase() === name);
  }

  test("a token of the gate's own client comes in, and the application learns who it is and sees the token", async () => {
    const token = gate.provider.accessToken({ preferred_username: 'alice', email: 'alice@example.com' });
    const answer = await call('/api/echo', token);
    assert.equal(answer.status, 200);
    assert.equal(seenHeader(answer, 'x-forwarded-user'), 'sub-alice');
    assert.equal(seenHeader(answer, 'x-forwarded-preferred-username'), 'alice');
    assert.equal(seenHeader(answer, 'x-forwarded-email'), 'alice@example.com');
    assert.equal(seenHeader(answer, 'authorization'), `Bearer ${token}`);
    assert.match(answer.headers['cache-control'] ?? '', /private/);
    assert.equal(answer.headers.vary, 'Cookie, Authorization');
    assert.equal(answer.headers['set-cookie'], undefined);
  });

  test('an access token that the provider itself issued comes in', async () => {
    const jwtGate = await TestGate.start({
      config: { routes, provider: { bearer_audiences: ['urn:embedded:api'] } },
      provider: { accessTokens: 'jwt' },
    });
    try {
      const answers: string[] = [];
      jwtGate.provider.mutate(PATHS.token, (answer) => {
        answers.push(String(answer.body));
        return answer;
      });
      await jwtGate.signedIn('bob');
      const { access_token: token } = JSON.parse(answers[0]!) as { access_token: string };
      const headers = { Authorization: `Bearer ${token}` };
      const answer = await jwtGate.browser().request(jwtGate.url('/api/echo'), { headers });
      assert.equal(answer.status, 200, jwtGate.output);
      assert.equal(seenHeader(answer, 'x-forwarded-user'), 'sub-bob');
    } finally {
      await jwtGate.close();
    }
  });

  test('without a token nobody is sent to sign in: 401, with a challenge that names no error', async () => {
    for (const mode of ['none', 'fetch', 'navigate', 'iframe'] as const) {
      const answer = await call('/api/echo', undefined, { mode });
      assert.equal(answer.status, 401, mode);
      assert.deepEqual(challenges(answer), [BEARER], mode);
      assert.equal(answer.headers['set-cookie'], undefined, mode);
      assert.doesNotMatch(answer.text, /_gate\/login/, mode);
    }
  });

  test('where both come in, an anonymous request is told of both, and a navigation goes to sign in', async () => {
    const answer = await call('/both/echo', undefined, { mode: 'fetch' });
    assert.equal(answer.status, 401);
    assert.deepEqual(challenges(answer), [SIGN_IN, BEARER]);
    assert.equal((await call('/both/echo', undefined, { mode: 'navigate' })).status, 302);
  });

  test('a token that is no good is 401 with invalid_token for everybody, and why is only in the log', async () => {
    const expired = gate.provider.accessToken({ exp: Math.floor(Date.now() / 1000) - 1 });
    for (const mode of ['none', 'navigate'] as const) {
      const answer = await call('/api/echo', expired, { mode });
      assert.equal(answer.status, 401);
      assert.deepEqual(challenges(answer), [INVALID]);
      assert.doesNotMatch(answer.text, /expired \d s ago/);
    }
    const { why } = await gate.event('request.failed', { code: 'invalid_token' });
    assert.match(String(why), /^the access token is refused: it expired [12] s ago$/);
    assert.ok(!gate.output.includes(expired.split('.')[2]!), 'no token in the log');
  });

  test('the scheme is compared without case, and whatever stands behind it must be one token', async () => {
    const token = gate.provider.accessToken();
    const statusOf = async (value: string) =>
      (await call('/api/echo', undefined, { headers: { Authorization: value } })).status;
    for (const scheme of ['bearer', 'BEARER', 'bEaReR']) assert.equal(await statusOf(`${scheme} ${token}`), 200);
    assert.equal(await statusOf(`Bearer   ${token}`), 200);
    for (const value of [
      'Bearer',
      'Bearer ',
      `Bearer ${token} ${token}`,
      `Bearer ${token},x`,
      `Bearer "${token}"`,
      `Bearer=${token}`,
    ]) {
      assert.equal(await statusOf(value), 401, value.slice(0, 12));
    }
  });

  test('a token in the query, in a form, in a cookie or in another header is not read', async () => {
    const token = gate.provider.accessToken();
    const form = {
      method: 'POST',
      body: `access_token=${token}`,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    };
    const answers = [
      await call(`/api/echo?access_token=${token}`, undefined),
      await call('/api/echo', undefined, form),
      await call('/api/echo', undefined, { headers: { Cookie: `portcullis=${token}` } }),
      await call('/api/echo', undefined, { headers: { 'X-Forwarded-Access-Token': token } }),
      await call('/api/echo', undefined, { headers: { 'Proxy-Authorization': `Bearer ${token}` } }),
      await call('/api/echo', undefined, { headers: { Authorization: `DPoP ${token}` } }),
      await call('/api/echo', undefined, { headers: { Authorization: `Basic ${token}` } }),
    ];
    for (const answer of answers) {
      assert.equal(answer.status, 401);
      assert.deepEqual(challenges(answer), [BEARER]);
    }
  });

  test('two Authorization headers are 400, in whatever order, and reach no application', async () => {
    const token = gate.provider.accessToken();
    const seen = gate.app.exchanges.length;
    const { host } = new URL(gate.addresses.publicUrl);
    const lines = [`Authorization: Bearer ${token}`, 'authorization: Bearer other'];
    for (const path of ['/api/echo', '/both/echo']) {
      for (const pair of [lines, lines.toReversed(), [lines[0], 'Authorization: Basic eDp5']]) {
        const head = [`GET ${path} HTTP/1.1`, `Host: ${host}`, ...pair, '', ''].join('\r\n');
        assert.match(await rawExchange(host, head), /^HTTP\/1\.1 400 /);
      }
    }
    assert.equal(gate.app.exchanges.length, seen);
  });

  test('a session cookie opens no route for tokens, and a token none for sessions', async () => {
    const alice = await gate.signedIn('alice');
    assert.equal((await call('/api/echo', undefined, {}, alice)).status, 401);
    assert.equal((await call('/both/programs', undefined, {}, alice)).status, 401);
    assert.equal((await call('/both/browsers', undefined, {}, alice)).status, 200);
    const token = gate.provider.accessToken();
    assert.deepEqual(challenges(await call('/echo', token)), [SIGN_IN]);
    assert.equal((await call('/both/browsers', token)).status, 401);
    assert.equal((await call('/both/programs', token)).status, 200);
  });

  test('where both come, the token says who it is, and a bad one is not made good by a good cookie', async () => {
    const alice = await gate.signedIn('alice');
    const bob = gate.provider.accessToken({ sub: 'sub-bob' });
    assert.equal(seenHeader(await call('/both/echo', undefined, {}, alice), 'x-forwarded-user'), 'sub-alice');
    assert.equal(seenHeader(await call('/both/echo', bob, {}, alice), 'x-forwarded-user'), 'sub-bob');
    const foreign = gate.provider.accessToken({ azp: 'another', aud: 'another' });
    for (const bad of [foreign, 'junk', 'a.b.c', `${bob}x`]) {
      const answer = await call('/both/echo', bad, { mode: 'navigate' }, alice);
      assert.equal(answer.status, 401);
      assert.deepEqual(challenges(answer), [INVALID]);
    }
    const basic = await call('/both/echo', undefined, { headers: { Authorization: 'Basic eDp5' } }, alice);
    assert.equal(seenHeader(basic, 'x-forwarded-user'), 'sub-alice', "another scheme is the application's own");
    assert.equal(seenHeader(basic, 'authorization'), 'Basic eDp5');
  });

  test('access rules look at the claims of the token', async () => {
    const clerk = gate.provider.accessToken({ realm_access: { roles: ['user'] } });
    const admin = gate.provider.accessToken({ realm_access: { roles: ['admin'] } });
    assert.equal((await call('/both/admin', clerk)).status, 403);
    assert.equal((await call('/both/admin', admin)).status, 200);
    await gate.event('access.denied', { route: 'both', sub: 'sub-alice' });
  });

  test('identity headers that the client sends beside its token are removed', async () => {
    const answer = await call('/api/echo', gate.provider.accessToken(), {
      headers: { 'X-Forwarded-User': 'root', X_Forwarded_Email: 'root@x' },
    });
    assert.equal(seenHeader(answer, 'x-forwarded-user'), 'sub-alice');
    assert.equal(seenHeader(answer, 'x_forwarded_email'), undefined);
  });

  test('a WebSocket opens with a token, its Origin judged as ever, and not without one', async () => {
    const headers = { Authorization: `Bearer ${gate.provider.accessToken()}` };
    const socket = client.openWebSocket(gate.url('/api/ws'), { origin: null, headers });
    await socket.opened;
    socket.send('hello');
    assert.ok(await socket.message('hello'));
    socket.close();
    await assert.rejects(
      client.openWebSocket(gate.url('/api/ws'), { origin: 'https://evil.example', headers }).opened,
      { status: 403 },
    );
    const anonymous = client.openWebSocket(gate.url('/api/ws'), { origin: null });
    await assert.rejects(anonymous.opened, (refused: SocketRefused) => {
      assert.deepEqual([refused.status, refused.headers['www-authenticate']], [401, BEARER]);
      return true;
    });
  });

  test('a path that is not canonical needs the token too', async () => {
    assert.equal((await call('/', undefined, { target: '/api/%65cho' })).status, 401);
    assert.equal((await call('/', gate.provider.accessToken(), { target: '/api/%65cho' })).status, 200);
  });
});

describe('access tokens and a provider that is not there', () => {
  test('a token that no key can be had for is 503, never a pass', async () => {
    const gate = await TestGate.start({ config: { routes }, providerAtStart: 'down' });
    try {
      const headers = { Authorization: `Bearer ${gate.provider.accessToken()}` };
      const answer = await gate.browser().request(gate.url('/api/echo'), { headers });
      assert.equal(answer.status, 503);
      assert.equal(answer.headers['retry-after'], '5');
      await gate.provider.restart();
      await gate.event('provider.ready');
      assert.equal((await gate.browser().request(gate.url('/api/echo'), { headers })).status, 200);
    } finally {
      await gate.close();
    }
  });
});
