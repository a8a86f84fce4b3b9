// `session.recheck` beside the other settings that a sign-in or a session depends on.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import { PATHS } from '../../support/embedded-provider.ts';
import { jsonOf, withJson } from '../../support/hooked-server.ts';
import { advance } from '../../support/moved-time.ts';
import { TestGate, type TestGateOptions } from '../../support/test-gate.ts';

const MINUTE = 60_000;
const PROVIDER = { configuration: { issueRefreshToken: async () => false } };

describe('session.recheck', () => {
  let gate: TestGate;
  afterEach(() => gate.close());

  async function start({ session, ...more }: { session?: object } & NonNullable<TestGateOptions['config']>) {
    gate = await TestGate.start({
      config: { session: { recheck: { after: '1m' }, ...session }, ...more },
      provider: PROVIDER,
    });
  }

  /** What the provider was asked last, pushed or in the address. */
  function asked(): Record<string, string> {
    const pushed = gate.provider.received(PATHS.par).at(-1)?.body;
    return Object.fromEntries(
      pushed ? new URLSearchParams(pushed) : gate.provider.received(PATHS.authorization).at(-1)!.url.searchParams,
    );
  }

  const sessions = async () => (await gate.admin('GET', '/api/sessions')).body['sessions'] as { handle: string }[];

  test('with same_site: strict goes on with the same session, whose cookie does not come back from the provider', async () => {
    await start({ session: { cookie: { same_site: 'strict' } } });
    const browser = gate.browser();
    const form = await browser.navigate(gate.url('/echo'));
    await browser.submit(form, { username: 'alice' });
    const [before] = await sessions();
    advance(MINUTE);
    const { headers } = await browser.request(gate.url('/echo?a=1'), { mode: 'navigate', site: 'none' });
    const { headers: back } = await browser.request(headers.location!, { mode: 'navigate' });
    const name = 'portcullis';
    const strict = browser.cookies.value(name, gate.url('/'))!;
    browser.cookies.remove(name);
    const page = await browser.request(back.location!, { mode: 'navigate', site: 'cross-site' });
    assert.equal(page.headers['refresh'], `0; url=${gate.url('/echo?a=1')}`);
    assert.notEqual(browser.cookies.value(name, gate.url('/')), strict);
    assert.equal((await browser.request(gate.url('/echo'))).status, 200);
    assert.deepEqual(
      (await sessions()).map(({ handle }) => handle),
      [before!.handle],
    );
  });

  test('without pushed requests names its user in the address, and leaves that out where it is too long', async () => {
    const provider = { par: 'never', scopes: ['openid', 'profile', 'email', 'groups'] };
    gate = await TestGate.start({
      config: { provider, session: { recheck: { after: '1m' } } },
      provider: {
        ...PROVIDER,
        users: {
          alice: { groups: ['a'] },
          bob: { groups: Array.from({ length: 200 }, (_, at) => `a group of bob's ${at}`) },
        },
      },
    });
    for (const [user, isNamed] of [
      ['alice', true],
      ['bob', false],
    ] as const) {
      const browser = await gate.signedIn(user);
      advance(MINUTE);
      const page = await browser.navigate(gate.url('/echo'));
      assert.equal(page.status, 200);
      const { id_token_hint: hint, prompt } = asked();
      assert.deepEqual([hint && decodeJwt(hint).sub, prompt], [isNamed ? `sub-${user}` : undefined, 'none']);
    }
  });

  test('brings the user back to addresses of 2 000 characters, in a cookie that browsers take', async () => {
    await start({});
    const browser = await gate.signedIn();
    advance(MINUTE);
    const url = gate.url(`/echo?a=${'x'.repeat(1_950)}`);
    const page = await browser.navigate(url);
    assert.equal(page.url, url);
    const cookie = page.hops[0]!.headers['set-cookie']!.find((each) => each.includes('callback'))!;
    assert.ok(cookie.split(';')[0]!.length < 4_096, String(cookie.length));
  });

  test('brings forty tabs with such addresses back, whichever comes first', async () => {
    await start({});
    const browser = await gate.signedIn();
    advance(MINUTE);
    const address = (tab: number) => gate.url(`/echo?tab=${tab}&${randomBytes(1_000).toString('hex')}`);
    const addresses = Array.from({ length: 40 }, (_, tab) => address(tab));
    const setOut = (url: string) => browser.request(url, { mode: 'navigate', site: 'none' });
    const answers = await Promise.all(addresses.map(setOut));
    const page = await browser.navigate(answers[39]!.headers.location!);
    assert.deepEqual([page.status, page.url], [200, addresses[39]]);
  });

  test('asks for no stronger sign-in than there is: the page does, in the open, where it was lost', async () => {
    const routes = (upstream: string) => [{ name: 'app', upstream, access: [{ path: '/vault', acr: ['2'] }] }];
    await start({ routes });
    let given = '2';
    gate.provider.mutate(PATHS.token, (answer) => {
      const body = jsonOf(answer);
      const id_token = gate.provider.sign({ ...decodeJwt(String(body['id_token'])), acr: given });
      return withJson(answer, { ...body, id_token });
    });
    const browser = await gate.signedIn('alice', '/vault/echo');
    const questions = () =>
      gate.provider.received(PATHS.par).map(({ body }) => new URLSearchParams(body).get('acr_values'));
    advance(MINUTE);
    assert.equal((await browser.navigate(gate.url('/vault/echo'))).status, 200);
    assert.deepEqual([asked()['prompt'], questions()], ['none', ['2', null]]);
    advance(MINUTE);
    given = '1';
    const page = await browser.navigate(gate.url('/vault/echo'));
    assert.equal(page.status, 403);
    assert.match(page.text, /asks for a stronger sign-in/);
    assert.deepEqual([asked()['prompt'], questions()], [undefined, ['2', null, null, '2']]);
    // Who says "try again" is asked at once.
    advance(MINUTE);
    await browser.navigate(gate.url('/_gate/login?return_to=%2Fvault%2Fecho'));
    assert.deepEqual([asked()['prompt'], questions().at(-1)], [undefined, '2']);
    // The same where the provider asks its user: for what the page wants, at once.
    gate.provider.dropSessions('alice');
    given = '2';
    await browser.navigate(gate.url('/vault/echo'));
    assert.equal(questions().at(-1), '2');
  });

  test('does not stand in the way of an application’s own logout link, and lets nobody through by it', async () => {
    await start({
      routes: (upstream: string) => [{ name: 'app', upstream, logout: { paths: ['/logout', '/echo?do=logout'] } }],
    });
    const browser = await gate.signedIn();
    advance(MINUTE);
    const echo = gate.url('/echo?do=logout&do=show');
    assert.equal((await browser.request(echo, { site: 'cross-site' })).status, 401);
    // What an application may read as another page, or answers with a tunnel, is no logout that needs to come through.
    for (const target of [
      '/echo?do=logout&do=show',
      '/echo/..%2flogout',
      '/logout;/../echo',
      '/echo/x/..%2f..%2flogout',
    ]) {
      assert.equal((await browser.request(gate.url('/'), { method: 'POST', target })).status, 401, target);
    }
    const socket = browser.openWebSocket(gate.url('/logout'), {
      headers: { Accept: 'text/html', 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'navigate' },
    });
    await assert.rejects(socket.opened);
    assert.deepEqual([gate.app.exchanges.length, gate.app.sockets.length], [1, 0]);
    const answer = await browser.request(gate.url('/logout'), { mode: 'navigate', site: 'same-origin' });
    assert.ok(answer.headers.location?.startsWith(`${gate.provider.issuer}${PATHS.endSession}?`));
    assert.deepEqual(await sessions(), []);
  });

  test('with unauthenticated: login sends every GET to the provider, with deny none', async () => {
    await start({
      routes: (upstream: string) => [
        { name: 'app', upstream, unauthenticated: 'login' },
        { name: 'deny', path: '/deny', upstream, unauthenticated: 'deny' },
      ],
    });
    const browser = await gate.signedIn();
    advance(MINUTE);
    assert.equal((await browser.request(gate.url('/echo'))).status, 302);
    assert.equal((await browser.request(gate.url('/echo'), { method: 'POST' })).status, 401);
    assert.equal((await browser.navigate(gate.url('/deny'))).status, 401);
  });

  test('is put in force by a reload, and out of it', async () => {
    await start({ session: { recheck: null } });
    const browser = await gate.signedIn();
    await gate.reload({ session: { recheck: { after: '1m' } } });
    advance(6 * MINUTE);
    assert.equal((await browser.request(gate.url('/echo'))).status, 401);
    assert.equal((await sessions()).length, 1, 'its access token ended a minute ago');
    await gate.reload({});
    await gate.event('session.ended', { reason: 'refresh_refused' });
    assert.equal((await browser.navigate(gate.url('/echo'))).status, 200);
    assert.notEqual(asked()['prompt'], 'none');
  });

  test('is told of once where it would help, and where it does nothing', async () => {
    await start({ session: { recheck: null } });
    const warnings = () => gate.log.filter(({ event }) => event === 'gate.warning').map(({ code }) => code);
    await gate.signedIn('alice');
    await gate.signedIn('bob');
    assert.deepEqual(warnings(), ['no_refresh_token']);
    assert.match(String((await gate.event('gate.warning'))['message']), /after 300 seconds\. session\.recheck/);
    await gate.close();
    gate = await TestGate.start({ config: { session: { recheck: {} } } });
    await gate.signedIn('alice');
    await gate.signedIn('bob');
    assert.deepEqual(warnings(), ['recheck_without_use']);
  });
});

describe('a route that asks for prompt=none itself', () => {
  test('gets a page that says so where the provider has to ask, and nothing goes round', async () => {
    const gate = await TestGate.start({
      config: { routes: (upstream: string) => [{ name: 'app', upstream, authorization_params: { prompt: 'none' } }] },
    });
    try {
      const browser = gate.browser();
      const page = await browser.navigate(gate.url('/echo'));
      assert.deepEqual([page.status, page.hops.length], [400, 2]);
      assert.match(page.text, /would have to ask you something, and this site tells it not to/);
      const failed = await gate.event('login.failed', { code: 'interaction_required' });
      assert.match(String(failed['why']), /prompt=none forbids it: login_required/);
    } finally {
      await gate.close();
    }
  });
});
