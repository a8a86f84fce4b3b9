// The application's cookies of a session (`cookies: jar`) at two gates on one store.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BrowserClient } from '../support/browser-client.ts';
import { FaultyPair } from './faulty-pair.ts';
import { type Gate, url } from './gate-pair.ts';

const routes = (upstream: string) => [
  { name: 'app', upstream, cookies: 'jar', logout: { relay: { url: `${upstream}/logout`, method: 'POST' } } },
];

describe('an application whose cookies stay at two gates', () => {
  let pair: FaultyPair;
  before(async () => {
    pair = await FaultyPair.startBehind('b', { routes });
  });
  after(() => pair.close());

  /** The Cookie header that the application gets. */
  async function seenBy(browser: BrowserClient, gate: Gate): Promise<string | null> {
    return (JSON.parse((await browser.request(url(gate, '/whoami'))).text) as { cookie: string | null }).cookie;
  }

  /** The cookies of the calls of its logout, `times` of them. */
  async function calls(times: number): Promise<(string | undefined)[]> {
    while (pair.app.seen('/logout').length < times) await new Promise((resolve) => setTimeout(resolve, 10));
    return pair.app.seen('/logout').map(({ headers }) => headers.cookie);
  }

  test('knows its user at both, and the browser never sees a cookie of it', async () => {
    const alice = await pair.signedIn(pair.a);
    const begun = await alice.request(url(pair.a, '/begin'));
    assert.equal(begun.headers['set-cookie'], undefined);
    assert.equal(await seenBy(alice, pair.b), `legacy=${begun.text}`);
    assert.equal(alice.cookies.names().includes('legacy'), false);
  });

  test('keeps the cookies of answers that come through both at once', async () => {
    const alice = await pair.signedIn(pair.a);
    const set = (i: number) => alice.request(url(i % 2 ? pair.a : pair.b, `/set?line=c${i}%3D1%3B%20Path%3D%2F`));
    await Promise.all(Array.from({ length: 20 }, (_, i) => set(i)));
    const expected = Array.from({ length: 20 }, (_, i) => `c${i}=1`).sort();
    assert.deepEqual((await seenBy(alice, pair.b))?.split('; ').sort(), expected);
  });

  test('is called once when a session ends, whichever gate held it and whichever was told', async () => {
    pair.provider.dropSessions('alice');
    const before = pair.app.seen('/logout').length;
    const [alice, bob] = [await pair.signedIn(pair.b, 'alice'), await pair.signedIn(pair.a, 'bob')];
    const hers = (await alice.request(url(pair.b, '/begin'))).text;
    const his = (await bob.request(url(pair.a, '/begin'))).text;
    // The notices go to A, which has never seen Alice; Bob's session is held by both.
    assert.equal(await seenBy(bob, pair.b), `legacy=${his}`);
    await pair.provider.endSessions('alice');
    await pair.provider.endSessions('bob');
    const cookies = (await calls(before + 2)).slice(before);
    assert.deepEqual(cookies.sort(), [`legacy=${hers}`, `legacy=${his}`].sort());
    assert.equal((await alice.request(url(pair.b, '/whoami'))).status, 401);
    assert.deepEqual([pair.app.sessions.live.has(hers), pair.app.sessions.live.has(his)], [false, false]);
    assert.equal(pair.app.seen('/logout').length, before + 2);
  });

  test('keeps the cookies that it has where it sets ever more, and the gate says so', async () => {
    const alice = await pair.signedIn(pair.a);
    const begun = (await alice.request(url(pair.a, '/begin'))).text;
    const fill = `
      for _, key in ipairs(redis.call('KEYS', 'portcullis:c:*')) do
        for i = 1, 512 do redis.call('HSET', key, 'another application ' .. i, '') end
      end`;
    await pair.server.command('EVAL', fill, '0');
    await alice.request(url(pair.a, '/set?line=one-more%3D1%3B%20Path%3D%2F'));
    const { message } = (await pair.a.process.event('gate.warning', ({ code }) => code === 'jar_full'))!;
    assert.match(String(message), /cookies: jar/);
    assert.doesNotMatch(String(message), /one-more/);
    assert.equal(await seenBy(alice, pair.a), `legacy=${begun}`);
  });

  test('is asked by nobody while the store is gone, and knows its user again when it is back', async () => {
    const alice = await pair.signedIn(pair.b, 'alice');
    await alice.request(url(pair.b, '/begin'));
    const before = pair.app.seen('/whoami').length;
    pair.proxy.cut();
    const answer = await alice.request(url(pair.b, '/whoami'));
    assert.deepEqual([answer.status, answer.headers['retry-after'] !== undefined], [503, true]);
    assert.equal(pair.app.seen('/whoami').length, before);
    pair.proxy.restore();
    while ((await alice.request(url(pair.b, '/echo'))).status !== 200) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.match((await seenBy(alice, pair.b))!, /legacy=/);
  });
});
