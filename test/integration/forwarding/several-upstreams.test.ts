// Several upstreams of one route: each in turn, or always the same one for a session; one that is down gets nothing until it
// is up again.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
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
  before(async () => {
    second = await new LegacyApp().listen();
    dead = `http://127.0.0.1:${await freePort()}`;
    const both = (first: string) => [first, second.origin];
    const routes = (first: string) => [
      { name: 'turns', upstream: both(first) },
      { name: 'sticky', path: '/sticky', upstream: both(first), balance: 'session' },
      { name: 'limping', path: '/limping', upstream: [dead, first] },
      { name: 'limping-sticky', path: '/limping-sticky', upstream: [dead, ...both(first)], balance: 'session' },
      { name: 'gone', path: '/gone', upstream: [dead, dead.replace('127.0.0.1', 'localhost')] },
      { name: 'moved', path: '/moved', upstream: both(first), strip_prefix: true },
    ];
    gate = await TestGate.start({ config: { routes } });
  });
  after(async () => {
    await gate.close();
    await second.close();
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

  test('WebSockets go to one that is up', async () => {
    const browser = await gate.signedIn('alice');
    await hostsOf(browser, '/limping', 2);
    for (let i = 0; i < 3; i++) await browser.openWebSocket(gate.url('/limping/ws')).opened;
  });
});
