// Sign-in as a browser goes through it, against the embedded provider.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
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
