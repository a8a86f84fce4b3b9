// The application's logout URL is called when the session ends anywhere (`routes[].logout.relay`), as a request of its user.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { BrowserClient } from '../../support/browser-client.ts';
import { freePort } from '../../support/free-port.ts';
import { LegacyApp, type SeenExchange } from '../../support/legacy-app.ts';
import { TestGate } from '../../support/test-gate.ts';

const routes = (upstream: string) => [
  {
    name: 'app',
    upstream,
    cookies: 'jar',
    headers: { set: { 'X-Remote-User': '{preferred_username}' } },
    logout: { relay: { url: `${upstream}/logout`, method: 'POST' }, paths: ['/bye'] },
  },
];

describe('the application’s session ends with ours', () => {
  let gate: TestGate;
  afterEach(() => gate.close());

  async function begin(browser: BrowserClient): Promise<string> {
    return (await browser.request(gate.url('/begin'))).text;
  }

  async function called(path = '/logout', times = 1): Promise<SeenExchange> {
    while (gate.app.seen(path).length < times) await new Promise((resolve) => setTimeout(resolve, 10));
    return gate.app.seen(path)[times - 1]!;
  }

  test('by a call that carries what a request of the user carries: cookies, identity, addresses', async () => {
    gate = await TestGate.start({ config: { routes } });
    const [alice, bob] = [await gate.signedIn('alice'), await gate.signedIn('bob')];
    const [hers, his] = [await begin(alice), await begin(bob)];
    await alice.request(gate.url('/echo'), { headers: { 'User-Agent': 'her browser' } });
    await gate.provider.endSessions('alice');
    const { method, headers, requestEnd, receivedBytes } = await called();
    assert.deepEqual([method, requestEnd, receivedBytes], ['POST', 'complete', 0]);
    assert.equal(headers.cookie, `legacy=${hers}`);
    assert.equal(headers['x-remote-user'], 'alice');
    assert.equal(headers['x-forwarded-user'], 'sub-alice');
    assert.equal(headers.host, new URL(gate.app.origin).host);
    assert.equal(headers['x-forwarded-host'], new URL(gate.addresses.publicUrl).host);
    assert.equal(headers['x-forwarded-proto'], 'http');
    assert.equal(headers['x-forwarded-for'], '127.0.0.1');
    assert.deepEqual([...gate.app.sessions.live], [his]);
  });

  const reasons: [what: string, end: (browser: BrowserClient) => Promise<unknown>][] = [
    ['a logout at the gate', (browser) => browser.request(gate.url('/_gate/logout'), { method: 'POST' })],
    ['an operator', () => gate.admin('DELETE', '/api/sessions?user=alice')],
    [
      'another user in the same browser',
      async (browser) => {
        gate.provider.dropSessions('alice');
        await browser.submit(await browser.navigate(gate.url('/_gate/login')), { username: 'bob' });
      },
    ],
  ];
  for (const [what, end] of reasons) {
    test(`whoever ends it: ${what}`, async () => {
      gate = await TestGate.start({ config: { routes } });
      const browser = await gate.signedIn('alice');
      const id = await begin(browser);
      await end(browser);
      assert.equal((await called()).headers.cookie, `legacy=${id}`);
      while (gate.app.sessions.live.size > 0) await new Promise((resolve) => setImmediate(resolve));
    });
  }

  test('without a call where the user has no session there', async () => {
    gate = await TestGate.start({ config: { routes } });
    const [visitor, user] = [await gate.signedIn('alice'), await gate.signedIn('bob')];
    await begin(user);
    await gate.admin('DELETE', '/api/sessions?user=alice');
    await gate.admin('DELETE', '/api/sessions?user=bob');
    assert.equal((await called()).headers['x-remote-user'], 'bob');
    assert.equal(gate.app.seen('/logout').length, 1);
    assert.ok(visitor);
  });

  test('without a second word where its own link was used, unless it did not take it', async () => {
    gate = await TestGate.start({
      config: {
        routes: (upstream: string) => [
          { ...routes(upstream)[0], logout: { paths: ['/logout'], relay: { url: `${upstream}/relay` } } },
          {
            name: 'other',
            path: '/other',
            upstream: upstream.replace('127.0.0.1', 'localhost'),
            cookies: 'jar',
            strip_prefix: true,
            logout: { relay: { url: `${upstream}/other-relay` } },
          },
        ],
      },
    });
    const browser = await gate.signedIn('alice');
    await begin(browser);
    await browser.request(gate.url('/other/begin'));
    await browser.request(gate.url('/logout'), { mode: 'navigate' });
    await called('/other-relay');
    assert.equal(gate.app.seen('/relay').length, 0);
    await browser.navigate(gate.url('/echo'));
    await begin(browser);
    await browser.request(gate.url('/logout?status=405'), { mode: 'navigate' });
    await called('/relay');
  });

  test('for the other session on the same sign-on too, which did not use the link', async () => {
    gate = await TestGate.start({ config: { routes } });
    const browser = await gate.signedIn('alice');
    const other = gate.browser();
    other.cookies.put('portcullis', browser.cookies.value('portcullis', gate.url('/'))!, gate.url('/'));
    const id = await begin(other);
    browser.cookies.remove('portcullis');
    await browser.navigate(gate.url('/echo'));
    await begin(browser);
    await browser.request(gate.url('/bye'), { mode: 'navigate' });
    assert.equal((await called()).headers.cookie, `legacy=${id}`);
    assert.equal((await other.request(gate.url('/echo'))).status, 401);
  });

  test('and a notice is answered without waiting for an application that hangs', async () => {
    gate = await TestGate.start({
      config: {
        routes: (upstream: string) => [
          { ...routes(upstream)[0], logout: { relay: { url: `${upstream}/slow`, method: 'GET' } } },
        ],
      },
    });
    const browser = await gate.signedIn('alice');
    await begin(browser);
    const startedAt = performance.now();
    await gate.provider.endSessions('alice');
    assert.ok(performance.now() - startedAt < 2_000, `${performance.now() - startedAt} ms`);
    await called('/slow');
    assert.equal((await browser.request(gate.url('/echo'))).status, 401);
  });

  test('or the log says that the application would not have it', async () => {
    gate = await TestGate.start({
      config: {
        routes: (upstream: string) => [
          { ...routes(upstream)[0], logout: { relay: { url: `${upstream}/logout?status=403`, method: 'POST' } } },
        ],
      },
    });
    const browser = await gate.signedIn('alice');
    const id = await begin(browser);
    await gate.provider.endSessions('alice');
    const { call, route, attempts, why, user } = await gate.event('relay.failed');
    assert.deepEqual([call, route, attempts, why, user], ['relay', 'app', 1, 'it answered 403', 'alice']);
    assert.equal(gate.output.includes(id), false, 'no cookie in the log');
  });

  test('without a jar it is called with the user’s identity alone', async () => {
    gate = await TestGate.start({
      config: {
        routes: (upstream: string) => [{ name: 'app', upstream, logout: { relay: { url: `${upstream}/logout` } } }],
      },
    });
    await gate.signedIn('carol');
    await gate.provider.endSessions('carol');
    const { method, headers } = await called();
    assert.deepEqual([method, headers.cookie, headers['x-forwarded-user']], ['GET', undefined, 'sub-carol']);
  });

  test('at the one of several upstreams that has it, with balance: session', async (t) => {
    const second = await new LegacyApp().listen();
    t.after(() => second.close());
    gate = await TestGate.start({
      config: {
        routes: (first: string) => [{ ...routes(first)[0], upstream: [first, second.origin], balance: 'session' }],
      },
    });
    const apps = [gate.app, second];
    const lives = () => apps.map(({ sessions }) => sessions.live.size);
    let begun = 0;
    for (; lives().includes(0); begun++) await begin(await gate.signedIn('alice'));
    const before = lives();
    assert.equal(before[0]! + before[1]!, begun);
    await gate.admin('DELETE', '/api/sessions?user=alice');
    while (lives().some((live) => live > 0)) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual(
      apps.map((app) => app.seen('/logout').length),
      before,
    );
    for (const app of apps) assert.equal(app.seen('/logout')[0]!.headers.host, new URL(app.origin).host);
  });

  for (const balance of ['round_robin', 'session'] as const) {
    test(`at another one where the one to call is down, with balance: ${balance}, and the prefix is told`, async () => {
      const dead = `http://127.0.0.1:${await freePort()}`;
      gate = await TestGate.start({
        config: {
          routes: (upstream: string) => [
            {
              ...routes(upstream)[0],
              path: '/app',
              strip_prefix: true,
              upstream: [dead, upstream],
              balance,
              logout: { relay: { url: `${dead}/logout`, method: 'POST' } },
            },
          ],
        },
      });
      // With balance: session about every second one has its home where nobody listens.
      const browsers = await Promise.all([0, 1, 2, 3].map(() => gate.signedIn('alice', '/app/echo')));
      const ids = await Promise.all(browsers.map(async (each) => (await each.request(gate.url('/app/begin'))).text));
      await gate.admin('DELETE', '/api/sessions?user=alice');
      await called('/logout', ids.length);
      assert.deepEqual([...gate.app.sessions.live], []);
      const calls = gate.app.seen('/logout').map(({ headers }) => [headers.host, headers['x-forwarded-prefix']]);
      assert.deepEqual(
        calls,
        ids.map(() => [new URL(gate.app.origin).host, '/app']),
      );
      assert.equal(gate.log.filter(({ event }) => event === 'relay.failed').length, 0);
    });
  }

  test('again where none of them was up', async () => {
    const [first, second] = [await freePort(), await freePort()].map((port) => `http://127.0.0.1:${port}`) as [
      string,
      string,
    ];
    gate = await TestGate.start({
      config: {
        routes: (upstream: string) => [
          { name: 'up', upstream },
          {
            name: 'down',
            path: '/down',
            upstream: [first, second],
            logout: { relay: { url: `${first}/logout`, method: 'POST' } },
          },
        ],
      },
    });
    await gate.signedIn('alice');
    await gate.admin('DELETE', '/api/sessions?user=alice');
    // It comes up between two attempts, at the address that is not named.
    const late = new LegacyApp();
    await late.listen('127.0.0.1', Number(new URL(second).port));
    try {
      while (late.seen('/logout').length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      assert.equal(late.seen('/logout')[0]!.headers.host, new URL(second).host);
    } finally {
      await late.close();
    }
  });
});
