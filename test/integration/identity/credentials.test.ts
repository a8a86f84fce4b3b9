// What a route's `headers` put in the place of a client's Authorization: HTTP Basic credentials of each user, or the
// session's access token (design: config.md, `headers`; catalogue HDR-11).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PATHS } from '../../support/embedded-provider.ts';
import { jsonOf } from '../../support/hooked-server.ts';
import { TestGate } from '../../support/test-gate.ts';
import { seenHeaders } from './seen-headers.ts';

const PASSWORD = 'a password that only the application knows';
const basic = (user: string) => `Basic ${Buffer.from(`${user}:${PASSWORD}`).toString('base64')}`;

const routes = (upstream: string) => [
  { name: 'plain', upstream },
  {
    name: 'basic',
    path: '/basic',
    upstream,
    strip_prefix: true,
    auth: ['session', 'bearer'],
    access: [{ path: '/basic/echo/open', auth: 'public' }],
    headers: { preset: 'none', basic_auth: { username: '{preferred_username}', password: PASSWORD } },
  },
  {
    name: 'token',
    path: '/token',
    upstream,
    strip_prefix: true,
    access: [{ path: '/token/echo/open', auth: 'public' }],
    headers: { preset: 'none', access_token: 'authorization' },
  },
  {
    name: 'beside',
    path: '/beside',
    upstream,
    strip_prefix: true,
    headers: { preset: 'none', access_token: 'x-forwarded-access-token' },
  },
];

describe('credentials for the application', () => {
  let gate: TestGate;
  let issued: string[];
  before(async () => {
    gate = await TestGate.start({
      config: { routes },
      provider: {
        lifetimes: { accessTokenSeconds: 3 },
        users: { alice: {}, 'Žofie 王': { sub: 'sub-zofie' }, 'a:b': { sub: 'sub-colon' }, dora: {} },
      },
    });
    issued = [];
    gate.provider.mutate(PATHS.token, (answer) => {
      issued.push(String(jsonOf(answer)['access_token']));
      return answer;
    });
  });
  after(() => gate.close());

  const forged = { Authorization: 'Basic Zm9yZ2VkOng=' };

  test('basic_auth: the user by name in UTF-8, in the place of what the client sends, for HTTP and WebSockets', async () => {
    for (const user of ['alice', 'Žofie 王']) {
      const browser = await gate.signedIn(user);
      const answer = await browser.request(gate.url('/basic/echo'), { headers: forged });
      assert.deepEqual(seenHeaders(answer, 'authorization'), [basic(user)]);
      const socket = browser.openWebSocket(gate.url('/basic/ws'), { headers: forged });
      await socket.opened;
      assert.equal(gate.app.sockets.at(-1)!.headers.authorization, basic(user));
    }
    assert.ok(!gate.output.includes(PASSWORD));
  });

  test('basic_auth: a user who came with a token of their own too', async () => {
    const token = gate.provider.accessToken({ preferred_username: 'alice' });
    const answer = await gate.browser().request(gate.url('/basic/echo'), {
      mode: 'none',
      headers: { Authorization: `Bearer ${token}` },
    });
    assert.deepEqual(seenHeaders(answer, 'authorization'), [basic('alice')]);
  });

  test("basic_auth: a user name with a colon is no 500: nothing is sent, the client's neither, and the log says why", async () => {
    const browser = await gate.signedIn('a:b');
    const answer = await browser.request(gate.url('/basic/echo'), { headers: forged });
    assert.equal(answer.status, 200);
    assert.deepEqual(seenHeaders(answer, 'authorization'), []);
    const { message } = await gate.event('gate.warning', { code: 'header_left_out' });
    assert.match(String(message), /^Route basic: Authorization was left out: .* colon/);
  });

  test("on public paths of such routes nothing is sent, the client's neither; on other routes the client's passes", async () => {
    for (const path of ['/basic/echo/open', '/token/echo/open']) {
      const answer = await gate.browser().request(gate.url(path), { headers: forged });
      assert.deepEqual(seenHeaders(answer, 'authorization'), [], path);
    }
    const browser = await gate.signedIn('alice');
    const answer = await browser.request(gate.url('/echo'), { headers: forged });
    assert.deepEqual(seenHeaders(answer, 'authorization'), [forged.Authorization]);
  });

  test('access_token: the current token, and the new one after a refresh', async () => {
    const browser = await gate.signedIn('dora');
    const first = issued.at(-1)!;
    const answer = await browser.request(gate.url('/token/echo'), { headers: forged });
    assert.deepEqual(seenHeaders(answer, 'authorization'), [`Bearer ${first}`]);
    const beside = await browser.request(gate.url('/beside/echo'), {
      headers: { ...forged, 'X-Forwarded-Access-Token': 'forged', X_Forwarded_Access_Token: 'forged' },
    });
    assert.deepEqual(seenHeaders(beside, 'authorization'), [forged.Authorization]);
    assert.deepEqual(seenHeaders(beside, 'x-forwarded-access-token'), [first]);
    await gate.event('session.refreshed', { user: 'dora' });
    const later = await browser.request(gate.url('/token/echo'));
    const [second] = seenHeaders(later, 'authorization');
    assert.notEqual(second, `Bearer ${first}`);
    assert.ok(issued.includes(second!.slice('Bearer '.length)));
    const socket = browser.openWebSocket(gate.url('/token/ws'));
    await socket.opened;
    assert.match(gate.app.sockets.at(-1)!.headers.authorization ?? '', /^Bearer /);
    for (const token of issued) assert.ok(!gate.output.includes(token));
  });
});
