// Several upstreams of one route: each in turn, or always the same one for a session; one that is down gets nothing until it
// is up again.

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { BrowserClient } from '../../support/browser-client.ts';
import { freePort } from '../../support/free-port.ts';
import { LegacyApp } from '../../support/legacy-app.ts';
import { TestGate } from '../../support/test-gate.ts';

describe('several upstreams', () => {
  let gate: TestGate;
  let second: LegacyApp;
  /** Where nobody listens. */
  let dead: string;
  /** Accepts connections, and never shakes hands for TLS. */
  let mute: Server;
  const held = new Set<Socket>();
  before(async () => {
    const pages = { '/sticky/crash': ({ socket }: IncomingMessage) => void socket.destroy() };
    second = await new LegacyApp({ pages }).listen();
    mute = createTcpServer((socket) => held.add(socket.on('error', () => {})));
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const silent = `https://127.0.0.1:${(mute.address() as AddressInfo).port}`;
    dead = `http://127.0.0.1:${await freePort()}`;
    const both = (first: string) => [first, second.origin];
    const routes = (first: string) => [
      { name: 'turns', upstream: both(first) },
      { name: 'sticky', path: '/sticky', upstream: both(first), balance: 'session' },
      { name: 'limping', path: '/limping', upstream: [dead, first] },
      { name: 'limping-sticky', path: '/limping-sticky', upstream: [dead, ...both(first)], balance: 'session' },
      { name: 'limping-sockets', path: '/limping-sockets', upstream: [dead, first] },
      { name: 'mute', path: '/mute', upstream: [silent, first], timeouts: { connect: '200ms' } },
      { name: 'mute-sockets', path: '/mute-sockets', upstream: [silent, first], timeouts: { connect: '200ms' } },
      { name: 'gone', path: '/gone', upstream: [dead, dead.replace('127.0.0.1', 'localhost')] },
      { name: 'moved', path: '/moved', upstream: both(first), strip_prefix: true },
    ];
    gate = await TestGate.start({ config: { routes } });
  });
  after(async () => {
    await gate.close();
    await second.close();
    for (const socket of held) socket.destroy();
    await new Promise((resolve) => mute.close(resolve));
  });

  /** The host that the application was asked under: each upstream has its own. */
  async function hostOf(browser: BrowserClient, path: string): Promise<string> {
    const answer = await browser.request(gate.url(path));
    assert.equal(answer.status, 200, answer.text);
    const seen = [...gate.app.seen(path), ...second.seen(path)];
    return seen.at(-1)!.headers.host!;
  }

  async function hostsOf(browser: BrowserClient, path: string, count: number): Promise<Set<string>> {
    const hosts = new Set<string>();
    for (let i = 0; i < count; i++) hosts.add(await hostOf(browser, `${path}/${i}-${Math.random()}`));
    return hosts;
  }

  test('get requests in turn, each under its own name', async () => {
    const browser = await gate.signedIn('alice');
    const expected = [gate.app.origin, second.origin].map((origin) => new URL(origin).host);
    assert.deepEqual([...(await hostsOf(browser, '/turn', 4))].sort(), expected.sort());
  });

  test('with balance: session, one for every request of a session, and not the same one for all sessions', async () => {
    const all = new Set<string>();
    for (let i = 0; i < 24 && all.size < 2; i++) {
      const hosts = await hostsOf(await gate.signedIn('alice'), '/sticky', 3);
      assert.equal(hosts.size, 1);
      for (const host of hosts) all.add(host);
    }
    assert.equal(all.size, 2);
  });

  test('one that is down costs no request without a body, and is not asked again by the next ones', async () => {
    const browser = await gate.signedIn('alice');
    const alive = new URL(gate.app.origin).host;
    assert.deepEqual([...(await hostsOf(browser, '/limping', 4))], [alive]);
    const { status } = await browser.request(gate.url('/limping/form'), { method: 'POST', body: 'a=1' });
    assert.equal(status, 200, 'the one that is down is known');
    for (let i = 0; i < 6; i++) {
      const other = await gate.signedIn('bob');
      assert.equal((await hostsOf(other, '/limping-sticky', 2)).size, 1);
    }
    assert.equal(gate.log.filter(({ event }) => event === 'upstream.failed').length, 0);
  });

  test('where all are down the answer is 502', async () => {
    const browser = await gate.signedIn('alice');
    for (let i = 0; i < 3; i++) assert.equal((await browser.request(gate.url('/gone/echo'))).status, 502);
  });

  test('one that comes up gets requests again, which no request had to find out', async () => {
    const browser = await gate.signedIn('alice');
    await hostsOf(browser, '/limping', 2);
    const late = createServer((_, response) => response.end('late'));
    await new Promise<void>((resolve) => late.listen(Number(new URL(dead).port), '127.0.0.1', resolve));
    for (const deadline = Date.now() + 30_000; ; ) {
      const { status, text } = await browser.request(gate.url('/limping/echo'));
      assert.equal(status, 200);
      if (text === 'late') break;
      assert.ok(Date.now() < deadline, 'it was never asked again');
      await delay(50);
    }
    late.closeAllConnections();
    await new Promise((resolve) => late.close(resolve));
    const all = await Promise.all(Array.from({ length: 4 }, () => browser.request(gate.url('/limping/echo'))));
    assert.deepEqual(
      all.map(({ status }) => status),
      [200, 200, 200, 200],
      'and is gone again',
    );
  });

  test('an address of any of them in a redirect becomes the public one', async () => {
    const browser = await gate.signedIn('alice');
    for (const { origin } of [gate.app, second]) {
      const path = `/moved/logout?to=${encodeURIComponent(`${origin}/x`)}`;
      assert.equal((await browser.request(gate.url(path))).headers.location, gate.url('/moved/x'));
    }
  });

  test('one that breaks off a request it was sent is not down: nobody moves', async () => {
    const home = new URL(second.origin).host;
    for (;;) {
      const browser = await gate.signedIn('alice');
      if ((await hostOf(browser, '/sticky/home')) !== home) continue;
      const { status } = await browser.request(gate.url('/sticky/crash'), { method: 'POST', body: 'a=1' });
      assert.equal(status, 502);
      assert.deepEqual([...(await hostsOf(browser, '/sticky', 3))], [home]);
      return;
    }
  });

  test('one that lets no connection come about is down, for uploads too', async () => {
    const browser = await gate.signedIn('alice');
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) {
      const { status } = await browser.request(gate.url('/mute/form'), { method: 'POST', body: 'a=1' });
      statuses.push(status);
    }
    assert.deepEqual(statuses, [504, 200, 200, 200]);
  });

  for (const [what, path] of [
    ['refuses connections', '/limping-sockets/ws'],
    ['lets none come about', '/mute-sockets/ws'],
  ]) {
    test(`the first WebSocket goes to another one where the first ${what}, and the next ones at once`, async () => {
      const browser = await gate.signedIn('alice');
      for (let i = 0; i < 3; i++) await browser.openWebSocket(gate.url(path!)).opened;
      const hosts = gate.app.sockets.filter(({ target }) => target === path).map(({ headers }) => headers.host);
      const expected = new URL(gate.app.origin).host;
      assert.deepEqual(hosts, [expected, expected, expected]);
    });
  }

  test('WebSockets go to one that is up', async () => {
    const browser = await gate.signedIn('alice');
    await hostsOf(browser, '/limping', 2);
    for (let i = 0; i < 3; i++) await browser.openWebSocket(gate.url('/limping/ws')).opened;
  });
});
