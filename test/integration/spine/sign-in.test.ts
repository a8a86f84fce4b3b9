// Sign-in as a browser goes through it, against the embedded provider.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BrowserClient } from '../../support/browser-client.ts';
import { callbackOf } from '../../support/callback-of.ts';
import { TestGate } from '../../support/test-gate.ts';

describe('sign-in', () => {
  let gate: TestGate;
  before(async () => {
    gate = await TestGate.start();
  });
  after(() => gate.close());

  test('an anonymous navigation goes to the provider and comes back to the page that was wanted', async () => {
    const browser = gate.browser();
    const page = await gate.signIn(browser, 'alice', '/echo?a=1&b=%2F');
    assert.equal(page.status, 200);
    assert.equal(page.url, gate.url('/echo?a=1&b=%2F'));
    const seen = gate.app.seen('/echo').at(-1)!;
    assert.equal(seen.headers['x-forwarded-user'], 'sub-alice');
    assert.doesNotMatch(String(seen.headers.cookie), /portcullis/);
    const session = await browser.request(gate.url('/_gate/session'));
    assert.equal(JSON.parse(session.text).user.sub, 'sub-alice');
  });

  test('everything but a top-level navigation gets a 401 without a cookie', async () => {
    for (const mode of ['fetch', 'image', 'iframe'] as const) {
      const answer = await gate.browser().request(gate.url('/echo'), { mode });
      assert.equal(answer.status, 401, mode);
      assert.equal(answer.headers['set-cookie'], undefined);
    }
    const post = await gate.browser().request(gate.url('/echo'), { method: 'POST', body: 'a=1', mode: 'navigate' });
    assert.equal(post.status, 401);
    assert.equal(post.headers['set-cookie'], undefined);
  });

  test('ten tabs opened at once all arrive', async () => {
    const browser = gate.browser();
    const forms = await Promise.all(
      Array.from({ length: 10 }, (_, tab) => browser.navigate(gate.url(`/echo?tab=${tab}`))),
    );
    for (const [tab, form] of forms.entries()) {
      const page = await browser.submit(form, { username: 'alice' });
      assert.equal(page.status, 200, `tab ${tab}: ${page.url} ${page.text.slice(0, 200)}`);
      assert.equal(page.url, gate.url(`/echo?tab=${tab}`));
    }
  });

  test('a callback that a browser brings twice at once is used once, and both arrive where they wanted to', async (t) => {
    // This provider voids the tokens of the first sign-in when the second one comes, so nothing is asked with them.
    const gate = await TestGate.start({ config: { provider: { userinfo: 'never' } } });
    t.after(() => gate.close());
    const browser = await gate.signedIn('alice');
    browser.cookies.remove('portcullis');
    const callback = await callbackOf(browser, gate.url('/echo?twice'));
    const before = gate.provider.count('/token');
    const pages = await Promise.all([browser.navigate(callback), browser.navigate(callback)]);
    for (const { status, url } of pages) assert.deepEqual([status, url], [200, gate.url('/echo?twice')]);
    const anew = pages.filter(({ hops }) => hops[0]!.headers.location!.startsWith(gate.provider.issuer));
    assert.equal(anew.length, 1);
    assert.equal(gate.provider.count('/token'), before + 2, 'one code of each sign-in');
  });

  test('a callback whose sign-in began anew already is not begun a third time', async () => {
    const browser = await gate.signedIn('alice');
    browser.cookies.remove('portcullis');
    const statuses: number[] = [];
    for (let from = gate.url('/echo'); statuses.length < 2; ) {
      const callback = await callbackOf(browser, from);
      const kept = browser.cookies.header(new URL(gate.url('/_gate/callback')))!;
      await gate.browser().request(callback, { mode: 'navigate', headers: { Cookie: kept } });
      const again = await browser.request(callback, { mode: 'navigate' });
      statuses.push(again.status);
      from = again.headers.location ?? gate.url('/');
    }
    assert.deepEqual(statuses, [302, 400]);
  });

  test('a replayed callback makes no token request and offers to start again', async () => {
    const browser = gate.browser();
    const page = await gate.signIn(browser, 'bob');
    const callback = page.hops.find((hop) => hop.url.includes('/_gate/callback'))!.url;
    const before = gate.provider.count('/token');
    const replay = await browser.request(callback, { mode: 'navigate' });
    const foreign = await gate.browser().request(callback, { mode: 'navigate' });
    assert.equal(replay.status, 400);
    assert.equal(foreign.status, 400);
    assert.match(foreign.text, /Start again/);
    assert.equal(gate.provider.count('/token'), before);
  });
});

test('with SameSite=Strict the way back from the provider ends on a page of our own, which goes on by itself', async () => {
  const gate = await TestGate.start({ config: { session: { cookie: { same_site: 'strict' } } } });
  const page = await gate.signIn(gate.browser(), 'alice', '/echo?a=1');
  assert.equal(page.status, 200);
  assert.match(page.url, /\/_gate\/callback/);
  assert.equal(page.headers['refresh'], `0; url=${gate.url('/echo?a=1')}`);
  await gate.close();
});

describe('signing in over a session', () => {
  let gate: TestGate;
  before(async () => {
    gate = await TestGate.start();
  });
  after(() => gate.close());
  const sessionCookie = (browser: BrowserClient) =>
    /(?:^|; )portcullis=([^;]+)/.exec(browser.cookies.header(new URL(gate.url('/'))) ?? '')?.[1];

  test('the same user gets a new session id, nothing is cut, and the old id is good for a moment', async () => {
    const browser = await gate.signedIn('alice');
    const stream = browser.download(gate.url('/events'));
    await stream.moreBytes();
    const old = sessionCookie(browser);
    const page = await browser.navigate(gate.url('/_gate/login?return_to=/echo'));
    assert.equal(page.status, 200);
    assert.notEqual(sessionCookie(browser), old);
    await stream.moreBytes();
    const late = await gate.browser().request(gate.url('/echo'), { headers: { Cookie: `portcullis=${old}` } });
    assert.equal(late.status, 200);
    await gate.provider.endSessions('alice');
    assert.equal(await stream.ended, 'cut');
  });

  test('another user ends the old session first, its stream included', async () => {
    const browser = await gate.signedIn('bob');
    const stream = browser.download(gate.url('/events'));
    await stream.moreBytes();
    const old = sessionCookie(browser);
    // A provider at which somebody else has signed in meanwhile.
    gate.provider.dropSessions('bob');
    await gate.signIn(browser, 'carol', '/_gate/login?return_to=/echo');
    assert.equal(await stream.ended, 'cut');
    assert.notEqual(sessionCookie(browser), old);
    assert.equal(gate.app.seen('/echo').at(-1)!.headers['x-forwarded-user'], 'sub-carol');
    assert.equal((await gate.event('session.ended', { user: 'bob' }))['reason'], 'replaced');
  });

  test('an id that the client chose is never taken', async () => {
    const chosen = 'A'.repeat(43);
    const browser = gate.browser();
    const form = await browser.navigate(gate.url('/echo'), { headers: { Cookie: `portcullis=${chosen}` } });
    await browser.submit(form, { username: 'alice' });
    assert.notEqual(sessionCookie(browser), chosen);
  });
});
