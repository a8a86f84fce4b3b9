// `session.recheck`: sessions without a refresh token, which only their user's browser can ask the provider for
// (OpenID Connect Core 1.0 sections 3.1.2.1 and 3.1.2.6, `prompt=none`).

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import type { Answer, BrowserClient, Page } from '../../support/browser-client.ts';
import { PATHS } from '../../support/embedded-provider.ts';
import type { LiveTransfer } from '../../support/live-transfer.ts';
import { advance } from '../../support/moved-time.ts';
import { linkOf } from '../../support/page-links.ts';
import { TestGate } from '../../support/test-gate.ts';

const MINUTE = 60_000;

const routes = (upstream: string) => [
  { name: 'app', upstream, authorization_params: { ui_locales: 'de' }, access: [{ path: '/vault', acr: ['2'] }] },
  { name: 'asking', path: '/asking', upstream, authorization_params: { prompt: 'login', acr_values: '1' } },
  { name: 'mounted', path: '/mounted', upstream, strip_prefix: true },
];

describe('a session without a refresh token', () => {
  let gate: TestGate;
  before(async () => {
    gate = await TestGate.start({
      config: { routes, session: { recheck: { after: '1m', exempt_paths: ['/api', '/mounted/api'] } } },
      provider: { configuration: { issueRefreshToken: async () => false } },
    });
  });
  after(() => gate.close());
  afterEach(async () => {
    for (const user of ['alice', 'bob']) {
      await gate.admin('DELETE', `/api/sessions?sub=sub-${user}`);
      gate.provider.dropSessions(user);
    }
  });

  /** What the provider was asked last. */
  const asked = () => Object.fromEntries(new URLSearchParams(gate.provider.received(PATHS.par).at(-1)?.body));
  const questions = () => gate.provider.count(PATHS.par);
  const codeOf = ({ status, text }: Answer) => [status, (JSON.parse(text) as { error: string }).error];

  async function sessionOf(user: string) {
    const { body } = await gate.admin('GET', `/api/sessions?user=${user}`);
    const [session, ...more] = body['sessions'] as { handle: string; created_at: string }[];
    assert.deepEqual(more, []);
    return session;
  }

  /** Signed in, and a minute has passed. */
  async function stale(user = 'alice'): Promise<BrowserClient> {
    const browser = await gate.signedIn(user);
    advance(MINUTE);
    return browser;
  }

  async function downloading(browser: BrowserClient): Promise<LiveTransfer> {
    const download = browser.download(gate.url('/download'));
    assert.equal((await download.head).status, 200);
    await download.moreBytes();
    return download;
  }

  /** Goes to `path`, as far as the provider, and no further. */
  async function setOut(browser: BrowserClient, path = '/echo'): Promise<string> {
    const { status, headers } = await browser.request(gate.url(path), { mode: 'navigate', site: 'none' });
    assert.deepEqual([status, asked()['prompt']], [302, 'none']);
    return headers.location!;
  }

  /** Where an answer of the provider with these parameters leads. */
  function answer(browser: BrowserClient, parameters: Record<string, string>): Promise<Page> {
    const query = new URLSearchParams({ state: asked()['state']!, iss: gate.provider.issuer, ...parameters });
    return browser.navigate(gate.url(`/_gate/callback?${query}`), { site: 'cross-site' });
  }

  test('is confirmed on the way to a page, and its user sees nothing of it', async () => {
    const browser = await gate.signedIn();
    const before = await sessionOf('alice');
    const cookie = browser.cookies.value('portcullis', gate.url('/'));
    const download = await downloading(browser);
    advance(MINUTE);
    const page = await browser.navigate(gate.url('/echo?a=1&b=%2F'));
    assert.deepEqual([page.status, page.url], [200, gate.url('/echo?a=1&b=%2F')]);
    assert.deepEqual(
      page.hops.map(({ status }) => status),
      [302, 303, 303],
    );
    assert.deepEqual([asked()['prompt'], asked()['ui_locales']], ['none', 'de']);
    assert.equal(decodeJwt(asked()['id_token_hint']!).sub, 'sub-alice');
    assert.notEqual(browser.cookies.value('portcullis', gate.url('/')), cookie);
    const { handle, created_at } = (await sessionOf('alice'))!;
    assert.deepEqual([handle, created_at], [before!.handle, before!.created_at], 'the same, and as old');
    await download.moreBytes();
    await gate.event('session.refreshed', { session: before!.handle });
    const count = questions();
    assert.equal((await browser.navigate(gate.url('/echo'))).hops.length, 0);
    assert.equal(questions(), count, 'for the next minute nobody is asked');
  });

  test('goes on when its access token has ended', async () => {
    const browser = await gate.signedIn();
    advance(10 * MINUTE);
    assert.equal((await browser.navigate(gate.url('/echo'))).status, 200);
    assert.equal(asked()['prompt'], 'none');
  });

  test('ends where the provider would have to ask its user, who signs in then, once', async () => {
    const browser = await gate.signedIn();
    const { handle } = (await sessionOf('alice'))!;
    const download = await downloading(browser);
    advance(MINUTE);
    gate.provider.dropSessions('alice');
    const count = questions();
    const form = await browser.navigate(gate.url('/echo?x=1'));
    assert.match(form.text, /User name/);
    assert.deepEqual([questions(), asked()['prompt'], asked()['ui_locales']], [count + 2, undefined, 'de']);
    const ended = await gate.event('session.ended', { session: handle });
    assert.deepEqual([ended['reason'], ended['notice_missed']], ['revalidation', false]);
    assert.equal(await download.ended, 'cut');
    const page = await browser.submit(form, { username: 'alice' });
    assert.deepEqual([page.status, page.url], [200, gate.url('/echo?x=1')]);
  });

  test('keeps what is no page out, with an error of its own, until a page was opened', async () => {
    const browser = await stale();
    const count = questions();
    const refused = await browser.request(gate.url('/echo'));
    assert.deepEqual(codeOf(refused), [401, 'recheck_needed']);
    assert.equal(refused.headers['www-authenticate'], 'Portcullis realm="sign-in", error="recheck_needed"');
    assert.equal(refused.headers['set-cookie'], undefined);
    for (const mode of ['image', 'iframe'] as const) {
      assert.equal((await browser.request(gate.url('/echo'), { mode })).status, 401);
    }
    const prefetch = await browser.request(gate.url('/echo'), {
      mode: 'navigate',
      headers: { 'Sec-Purpose': 'prefetch' },
    });
    assert.equal(prefetch.status, 401);
    await assert.rejects(browser.openWebSocket(gate.url('/ws')).opened, { status: 401 });
    const { signed_in, recheck_needed } = JSON.parse((await browser.request(gate.url('/_gate/session'))).text);
    assert.deepEqual([signed_in, recheck_needed], [true, true]);
    assert.equal(questions(), count);
    // As the script does it, in another window.
    const beside = await browser.navigate(gate.url('/_gate/login?return_to=%2F_gate%2Fsigned-in'));
    assert.deepEqual([beside.url, asked()['prompt']], [gate.url('/_gate/signed-in'), 'none']);
    assert.equal((await browser.request(gate.url('/echo'))).status, 200);
    assert.equal(JSON.parse((await browser.request(gate.url('/_gate/session'))).text).recheck_needed, undefined);
  });

  test('is let through on exempt paths, by whichever way they are read', async () => {
    const browser = await stale();
    const status = async (path: string) => (await browser.request(gate.url('/'), { target: path })).status;
    for (const path of ['/api', '/api/echo', '/api/a;b=c', '/mounted/api/x']) {
      assert.equal(await status(path), 200, path);
    }
    for (const path of [
      '/apis',
      '/Api',
      '/%61pi/echo',
      '/x/../api',
      '/api/..;/echo',
      '/api/%2e%2e/echo',
      '/mounted//api',
      '/mounted',
    ]) {
      assert.equal(await status(path), 401, path);
    }
    await browser.openWebSocket(gate.url('/api/ws')).opened;
  });

  test('keeps a form that comes meanwhile, and its sign-in begins unseen', async () => {
    const browser = await stale();
    const page = await browser.navigate(gate.url('/save'), {
      method: 'POST',
      site: 'same-origin',
      body: 'a=1',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: new URL(gate.url('/')).origin },
    });
    assert.match(page.text, /Your form is kept/);
    const ready = await browser.navigate(linkOf(page, 'Sign in'), { site: 'same-origin' });
    assert.match(ready.text, /Send your form now\?/);
    assert.equal(asked()['prompt'], 'none');
    assert.equal(gate.app.seen('/save').length, 0);
    assert.equal((await browser.submit(ready, {}, 'Send it now')).status, 200);
    assert.equal(gate.app.seen('/save').length, 1);
  });

  test('of a user who is another one at the provider by now ends, and the other one is signed in', async () => {
    const browser = await stale();
    const { handle } = (await sessionOf('alice'))!;
    const other = await gate.signedIn('bob');
    for (const name of other.cookies.names().filter((each) => each.startsWith('_session'))) {
      browser.cookies.put(name, other.cookies.value(name, gate.provider.issuer)!, gate.provider.issuer);
    }
    const page = await browser.navigate(gate.url('/echo'));
    assert.equal(page.status, 200);
    assert.equal(gate.app.seen('/echo').at(-1)!.headers['x-forwarded-preferred-username'], 'bob');
    await gate.event('session.ended', { session: handle });
  });

  test('is let through while the provider is down, and confirmed when it is back', async () => {
    const browser = await stale();
    await gate.provider.stop();
    try {
      assert.equal((await browser.navigate(gate.url('/echo'))).status, 200);
      assert.equal((await browser.request(gate.url('/echo'))).status, 200);
      const { handle } = (await sessionOf('alice'))!;
      await gate.event('probe.unavailable', { session: handle });
    } finally {
      await gate.provider.restart();
    }
    advance(5_000);
    assert.deepEqual(codeOf(await browser.request(gate.url('/echo'))), [401, 'recheck_needed']);
    assert.equal((await browser.navigate(gate.url('/echo'))).status, 200);
    assert.equal(asked()['prompt'], 'none');
  });

  test('stays, and gets no further, where the browser brings that the provider is busy', async () => {
    const browser = await stale();
    const { handle } = (await sessionOf('alice'))!;
    for (const error of ['temporarily_unavailable', 'server_error']) {
      await setOut(browser);
      const page = await answer(browser, { error });
      assert.equal(page.status, 400);
      assert.match(page.text, /Please try again in a moment/);
      assert.deepEqual(
        codeOf(await browser.request(gate.url('/echo'))),
        [401, 'recheck_needed'],
        'nobody can say so for it',
      );
    }
    await setOut(browser);
    const page = await answer(browser, { error: 'temporarily_unavailable' });
    assert.equal((await browser.navigate(linkOf(page, 'Start again'))).url, gate.url('/echo'));
    assert.equal((await sessionOf('alice'))!.handle, handle);
  });

  test('of which the provider will hear nothing is kept for who signs in', async () => {
    const browser = await stale();
    const { handle } = (await sessionOf('alice'))!;
    await setOut(browser);
    const page = await answer(browser, { error: 'invalid_request' });
    assert.deepEqual([page.status, asked()['prompt']], [200, undefined]);
    assert.equal((await sessionOf('alice'))!.handle, handle);
  });

  test('is ended by no answer that is made up', async () => {
    const browser = await stale();
    const { handle } = (await sessionOf('alice'))!;
    await setOut(browser);
    for (const made of [{ state: 'x'.repeat(43) }, { iss: 'https://evil.example' }, { code: 'x' }, { id_token: 'x' }]) {
      const page = await answer(browser, { error: 'login_required', ...made });
      assert.equal(page.status, 400);
      assert.equal((await sessionOf('alice'))?.handle, handle);
      await setOut(browser);
    }
    const stranger = gate.browser();
    assert.equal((await answer(stranger, { error: 'login_required' })).status, 400);
    assert.equal((await sessionOf('alice'))?.handle, handle);
  });

  test('that was confirmed in another window meanwhile is not ended by an older answer', async () => {
    const browser = await stale();
    const { handle } = (await sessionOf('alice'))!;
    await setOut(browser, '/echo?late');
    const late = asked()['state']!;
    assert.equal((await browser.navigate(gate.url('/echo'))).status, 200);
    const page = await answer(browser, { state: late, error: 'login_required' });
    assert.deepEqual([page.status, page.url], [200, gate.url('/echo?late')]);
    assert.equal((await sessionOf('alice'))!.handle, handle);
  });

  test('is one session after two windows have had it confirmed, and both arrive', async () => {
    const browser = await stale();
    const { handle } = (await sessionOf('alice'))!;
    const slow = await setOut(browser, '/echo?slow');
    assert.equal((await browser.navigate(gate.url('/echo?fast'))).url, gate.url('/echo?fast'));
    const page = await browser.navigate(slow, { site: 'cross-site' });
    assert.deepEqual([page.status, page.url], [200, gate.url('/echo?slow')]);
    assert.equal((await sessionOf('alice'))!.handle, handle);
  });

  test('whose code the provider refuses is kept for who signs in', async () => {
    const browser = await stale();
    const { handle } = (await sessionOf('alice'))!;
    await setOut(browser);
    const page = await answer(browser, { code: 'made void by another window' });
    assert.deepEqual([page.status, asked()['prompt']], [200, undefined]);
    assert.equal((await sessionOf('alice'))!.handle, handle);
  });

  test('of another user who has signed in meanwhile is not replaced by an older answer', async () => {
    const browser = await stale();
    const late = await browser.request(await setOut(browser, '/echo?late'), { mode: 'navigate', site: 'cross-site' });
    const bob = await gate.signedIn('bob');
    const { handle } = (await sessionOf('bob'))!;
    browser.cookies.put('portcullis', bob.cookies.value('portcullis', gate.url('/'))!, gate.url('/'));
    const page = await browser.navigate(late.headers.location!, { site: 'cross-site' });
    assert.deepEqual([page.status, page.url], [200, gate.url('/echo?late')]);
    assert.equal(gate.app.seen('/echo').at(-1)!.headers['x-forwarded-preferred-username'], 'bob');
    assert.equal((await sessionOf('bob'))?.handle, handle);
  });

  test('that its user has ended meanwhile is not begun anew by the answer: the provider is asked again, in the open', async () => {
    const browser = await stale();
    const late = await browser.request(await setOut(browser), { mode: 'navigate', site: 'cross-site' });
    const left = await browser.request(gate.url('/_gate/logout'), { mode: 'navigate', method: 'POST' });
    assert.equal(left.status, 303);
    const [back, exchanges] = [late.headers.location!, gate.provider.count(PATHS.token)];
    const { status, headers } = await browser.request(back, { mode: 'navigate', site: 'cross-site' });
    assert.deepEqual([status, asked()['prompt'], gate.provider.count(PATHS.token)], [302, undefined, exchanges]);
    assert.ok(headers.location!.startsWith(gate.provider.issuer));
    assert.equal(await sessionOf('alice'), undefined);
  });

  test('BCL-17 that a notice ends during the silent sign-in is not brought back by it', async () => {
    const browser = await stale();
    const hold = gate.provider.hold(PATHS.token, 'answer');
    const arriving = browser.navigate(gate.url('/echo'));
    await hold.arrived;
    await gate.provider.endSessions('alice');
    await gate.event('session.ended', { reason: 'backchannel_logout' });
    hold.release();
    const page = await arriving;
    assert.equal(page.status, 400);
    assert.match(page.text, /signed out while you were signing in/i);
    assert.equal((await browser.request(gate.url('/echo'))).status, 401);
    assert.equal(await sessionOf('alice'), undefined);
  });

  test('asks nothing of its user where the route would', async () => {
    const browser = await stale();
    const page = await browser.navigate(gate.url('/asking/echo'));
    assert.deepEqual([page.status, page.url], [200, gate.url('/asking/echo')]);
    assert.deepEqual([asked()['prompt'], asked()['acr_values']], ['none', undefined]);
  });

  test('loses the connections that nobody has confirmed for twice as long, but for exempt ones', async () => {
    const browser = await gate.signedIn();
    const socket = browser.openWebSocket(gate.url('/ws'));
    const exempt = browser.openWebSocket(gate.url('/api/ws'));
    await Promise.all([socket.opened, exempt.opened]);
    advance(MINUTE);
    await browser.navigate(gate.url('/echo'));
    advance(1.5 * MINUTE);
    await new Promise((resolve) => setTimeout(resolve, 600));
    assert.equal(socket.isClosed, false, 'confirmed a minute and a half ago');
    advance(MINUTE / 2);
    assert.equal((await socket.closed).code, 1008);
    exempt.send('still here');
    assert.ok(await exempt.message('still here'));
    assert.notEqual(await sessionOf('alice'), undefined);
  });

  test('keeps its connections while the provider is down, until it is back', async () => {
    const browser = await gate.signedIn();
    const socket = browser.openWebSocket(gate.url('/ws'));
    await socket.opened;
    await gate.provider.stop();
    try {
      const seen = gate.log.length;
      advance(2 * MINUTE);
      while (!gate.log.slice(seen).some(({ event }) => event === 'probe.unavailable')) {
        await gate.event('probe.unavailable');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assert.equal(socket.isClosed, false);
    } finally {
      await gate.provider.restart();
    }
    advance(15_000);
    assert.equal((await socket.closed).code, 1008);
  });
});
