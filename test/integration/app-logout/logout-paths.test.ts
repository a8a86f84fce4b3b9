// The application's own logout link (`routes[].logout.paths`): the application is asked first, then the session ends here
// and at the provider.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { BrowserClient, RequestOptions } from '../../support/browser-client.ts';
import { PATHS } from '../../support/embedded-provider.ts';
import { instant } from '../../support/instant.ts';
import { TestGate } from '../../support/test-gate.ts';

const routes = (upstream: string) => [{ name: 'app', upstream, logout: { paths: ['/logout'] } }];

/** A person's click on a link of the page. */
const CLICK: RequestOptions = { mode: 'navigate', site: 'same-origin' };

describe('the application’s own logout link', () => {
  let gate: TestGate;
  before(async () => {
    gate = await TestGate.start({ config: { routes }, provider: { endsByRefreshToken: true } });
  });
  after(() => gate.close());

  async function isSignedIn(browser: BrowserClient): Promise<boolean> {
    return (await browser.request(gate.url('/echo'))).status === 200;
  }

  test('ends the application’s session, ours and the provider’s, and comes back to where the application led', async () => {
    const browser = await gate.signedIn('alice');
    const { text: id } = await browser.request(gate.url('/begin'));
    const stream = browser.download(gate.url('/events'));
    const download = browser.download(gate.url('/download'));
    await Promise.all([stream.moreBytes(), download.moreBytes()]);
    const answer = await browser.request(gate.url('/logout'), CLICK);
    assert.equal(gate.app.sessions.live.has(id), false);
    assert.equal(answer.status, 303);
    assert.ok(answer.headers.location?.startsWith(`${gate.provider.issuer}${PATHS.endSession}?`));
    assert.equal(answer.text, '', 'nothing of the application’s page');
    assert.deepEqual(answer.headers['set-cookie']?.map((cookie) => cookie.split(';')[0]).sort(), [
      ...['left=yes', 'legacy=', 'portcullis-user=', 'portcullis='],
    ]);
    assert.equal(answer.headers['clear-site-data'], '"cache"');
    assert.match(answer.headers['cache-control'] ?? '', /no-store/);
    assert.deepEqual([await stream.ended, await download.ended], ['cut', 'cut']);
    assert.equal(browser.cookies.names().includes('legacy'), false);
    assert.equal(await isSignedIn(browser), false);
    const ended = await gate.event('session.ended', { reason: 'app_logout' });
    assert.deepEqual([ended['requests'], ended['streams']], [1, 1], 'the messenger itself is not cut');

    const page = await browser.navigate(answer.headers.location!);
    assert.match(page.text, /username/, 'the provider asks who comes back');
    const led = page.hops.map(({ url }) => url);
    assert.ok(led.includes(gate.url('/goodbye')), led.join('\n'));
  });

  test('by POST counts like a link, and its body reaches the application', async () => {
    const browser = await gate.signedIn('bob');
    const answer = await browser.request(gate.url('/logout'), {
      ...CLICK,
      method: 'POST',
      body: 'token=1',
      headers: { Origin: new URL(gate.url('/')).origin, 'Content-Type': 'application/x-www-form-urlencoded' },
    });
    assert.equal(answer.status, 303);
    assert.equal(gate.app.seen('/logout').at(-1)!.receivedBytes, 7);
    assert.equal(await isSignedIn(browser), false);
  });

  test('by fetch gets the application’s answer, and the provider’s session ends by the back channel', async () => {
    const [browser, other] = [await gate.signedIn('carol'), await gate.signedIn('bob')];
    const { text: id } = await browser.request(gate.url('/begin'));
    const stream = browser.download(gate.url('/events'));
    await stream.moreBytes();
    const before = gate.provider.count(PATHS.endSession);
    const hold = gate.provider.hold(PATHS.endSession, 'request');
    const answer = await browser.request(gate.url('/logout?status=200'), { method: 'POST' });
    assert.deepEqual([answer.status, answer.text], [200, 'the application has answered']);
    assert.ok(answer.headers['set-cookie']?.some((cookie) => cookie.startsWith('portcullis=; ')));
    assert.equal(answer.headers['clear-site-data'], '"cache"');
    assert.equal(gate.app.sessions.live.has(id), false);
    assert.equal(await stream.ended, 'cut');
    assert.equal(await isSignedIn(browser), false, 'without waiting for the provider');
    const asked = await hold.arrived;
    assert.equal(asked.method, 'POST');
    hold.release();
    const page = await browser.navigate(gate.url('/echo'));
    assert.match(page.text, /username/, 'the provider asks again');
    assert.equal(gate.provider.count(PATHS.endSession), before + 1);
    assert.equal(await isSignedIn(other), true);
  });

  for (const [what, options] of [
    ['answers that it does not serve the method', '?status=405'],
    ['refuses', '?status=403'],
    ['breaks', '?status=500'],
  ] as const) {
    test(`ends the session of a person who clicked, also where the application ${what}`, async () => {
      const browser = await gate.signedIn('alice');
      const answer = await browser.request(gate.url(`/logout${options}`), CLICK);
      assert.equal(answer.status, 303);
      assert.equal(await isSignedIn(browser), false);
      const status = Number(options.split('=')[1]);
      const warnings = gate.log
        .filter(({ code }) => code === 'app_logout_refused')
        .map(({ message }) => String(message));
      assert.ok(
        warnings.some((message) => message.includes(`answered ${status} `)),
        warnings.join('\n'),
      );
    });

    test(`ends nothing for a script whose request the application ${what}`, async () => {
      const browser = await gate.signedIn('alice');
      const answer = await browser.request(gate.url(`/logout${options}`), { method: 'POST' });
      assert.equal(answer.text, 'the application has answered');
      assert.equal(await isSignedIn(browser), true);
    });
  }

  test('follows the application from one spelling of its logout to the other before anything ends', async () => {
    const browser = await gate.signedIn('alice');
    const { text: id } = await browser.request(gate.url('/begin'));
    const first = await browser.request(gate.url('/logout?status=301&to=/logout/'), CLICK);
    assert.deepEqual([first.status, first.headers.location], [301, '/logout/']);
    assert.equal(await isSignedIn(browser), true);
    assert.equal((await browser.request(gate.url('/logout/'), CLICK)).status, 303);
    assert.equal(await isSignedIn(browser), false);
    assert.ok(id);
  });

  for (const [what, to] of [
    ['another site', 'https://evil.example/'],
    ['another site in disguise', '//evil.example/'],
    ['the gate itself', '/_gate/logout'],
    ['nothing', '\\\\evil.example'],
  ] as const) {
    test(`leads on to ${what}: the way back ends at our own page`, async () => {
      const browser = await gate.signedIn('alice');
      const page = await browser.navigate(gate.url(`/logout?to=${encodeURIComponent(to)}`), CLICK);
      assert.equal(page.url.split('?')[0], gate.url('/_gate/logged-out'));
      assert.match(page.text, /You are signed out/);
    });
  }

  test('of an anonymous browser is an anonymous request', async () => {
    const answer = await gate.browser().request(gate.url('/logout'), CLICK);
    assert.equal(answer.status, 302);
    assert.ok(answer.headers.location?.startsWith(`${gate.provider.issuer}${PATHS.authorization}`));
  });
});

describe('the application’s logout link, when others fail', () => {
  let gate: TestGate;
  afterEach(() => gate.close());

  test('holds here with the provider gone, and tells the user so', async () => {
    gate = await TestGate.start({ config: { routes } });
    const browser = await gate.signedIn('alice');
    // A provider that answered a moment ago is believed to be there.
    await new Promise((resolve) => setTimeout(resolve, 250));
    await gate.provider.stop();
    // An answer of the provider, to discovery for instance, is believed for 200 ms.
    await new Promise((resolve) => setTimeout(resolve, 250));
    const answer = await browser.request(gate.url('/logout'), CLICK);
    assert.equal(answer.status, 303);
    assert.equal((await browser.request(gate.url('/echo'))).status, 401);
    assert.match((await browser.navigate(answer.headers.location!)).text, /could not be reached/);
  });

  test('holds with the application gone: who clicked is signed out, a script hears that nobody answered', async () => {
    gate = await TestGate.start({ config: { routes } });
    const [browser, scripted] = [await gate.signedIn('alice'), await gate.signedIn('bob')];
    await gate.app.close();
    const failed = await scripted.request(gate.url('/logout'), { method: 'POST' });
    assert.equal(failed.status, 502);
    assert.equal((await scripted.request(gate.url('/_gate/session'))).text.includes('"signed_in":true'), true);
    const answer = await browser.request(gate.url('/logout'), CLICK);
    assert.equal(answer.status, 303);
    assert.equal((await browser.request(gate.url('/echo'))).status, 401);
    await gate.event('upstream.failed', { code: 'upstream_unreachable' });
  });

  test('a notice while the application thinks ends the session; nobody is signed in and nobody waits', async () => {
    gate = await TestGate.start({
      config: { routes: (upstream: string) => [{ name: 'app', upstream, logout: { paths: ['/slow'] } }] },
    });
    const browser = await gate.signedIn('alice');
    const leaving = browser.request(gate.url('/slow'), CLICK);
    while (gate.app.seen('/slow').length === 0) await new Promise((resolve) => setImmediate(resolve));
    await gate.provider.endSessions('alice');
    assert.equal((await leaving).status, 401);
    assert.equal((await browser.request(gate.url('/echo'))).status, 401);
    const ends = gate.log.filter(({ event }) => event === 'session.ended');
    assert.deepEqual(
      ends.map(({ reason }) => reason),
      ['backchannel_logout'],
    );
  });

  test('a script’s logout whose answer does not end is over after five seconds, and the answer with it', async () => {
    gate = await TestGate.start({
      config: { routes: (upstream: string) => [{ name: 'app', upstream, logout: { paths: ['/events'] } }] },
    });
    const browser = await gate.signedIn('alice');
    const answer = browser.download(gate.url('/events'), { method: 'POST' });
    await answer.moreBytes();
    const { reason } = await gate.event('session.ended');
    assert.equal(reason, 'app_logout');
    assert.equal(await answer.ended, 'cut');
  });

  test('a notice while the answer of a script’s logout is on its way cuts it like every other answer', async () => {
    gate = await TestGate.start({
      config: { routes: (upstream: string) => [{ name: 'app', upstream, logout: { paths: ['/download'] } }] },
    });
    const browser = await gate.signedIn('alice');
    const answer = browser.download(gate.url('/download'), { method: 'POST' });
    await answer.moreBytes();
    await gate.provider.endSessions('alice');
    const answeredAt = instant();
    assert.equal(await answer.ended, 'cut');
    assert.ok(answer.ticks().at(-1)! <= answeredAt, 'nothing after the notice was answered');
    assert.equal((await browser.request(gate.url('/echo'))).status, 401);
  });

  test('the session at another host of the same sign-on ends with it, whether a notice comes or not', async () => {
    gate = await TestGate.start({ config: { routes }, provider: { endsByRefreshToken: true } });
    const browser = await gate.signedIn('alice');
    // The same browser, a second session on the same SSO session: as on a second public host of the gate.
    const held = browser.cookies.value('portcullis', gate.url('/'))!;
    browser.cookies.remove('portcullis');
    assert.equal((await browser.navigate(gate.url('/echo'))).status, 200);
    const second = gate.browser();
    second.cookies.put('portcullis', held, gate.url('/'));
    assert.equal((await second.request(gate.url('/echo'))).status, 200);
    await gate.provider.stop();
    await browser.request(gate.url('/logout'), CLICK);
    assert.equal((await second.request(gate.url('/echo'))).status, 401);
  });
});
