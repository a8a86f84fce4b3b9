// RP-initiated logout in full, over real sockets: what the provider is told, and what becomes of it when the provider, the
// session or the ID token is not as one would wish (OpenID Connect RP-Initiated Logout 1.0; LOGOUT-02 to LOGOUT-05).

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { Answer, BrowserClient, RequestOptions } from '../../support/browser-client.ts';
import { PATHS } from '../../support/embedded-provider.ts';
import { withJson } from '../../support/hooked-server.ts';
import { TestGate, type TestGateOptions } from '../../support/test-gate.ts';

const CLICK: RequestOptions = { method: 'POST', mode: 'navigate' };

describe('logout at the gate', () => {
  let gate: TestGate;
  afterEach(() => gate.close());

  const start = async (options?: TestGateOptions) => {
    gate = await TestGate.start(options);
  };
  const logOut = (browser: BrowserClient, query = '') => browser.request(gate.url(`/_gate/logout${query}`), CLICK);
  const isSignedIn = async (browser: BrowserClient) => (await browser.request(gate.url('/echo'))).status === 200;

  /** What an answer sends the browser to the provider with. */
  function toldProvider(answer: Answer): Record<string, string> {
    assert.equal(answer.status, 303);
    const url = new URL(answer.headers.location!);
    assert.equal(url.origin + url.pathname, gate.provider.issuer + PATHS.endSession);
    return Object.fromEntries(url.searchParams);
  }

  test('LOGOUT-02 ends the session here, takes the cookie, revokes the refresh token and goes on to the provider', async () => {
    await start();
    const browser = await gate.signedIn('alice');
    const cookie = browser.cookies.header(new URL(gate.url('/')))!;
    const revocation = gate.provider.hold(PATHS.revocation);
    const answer = await logOut(browser);
    const told = toldProvider(answer);
    assert.deepEqual(Object.keys(told).sort(), ['client_id', 'id_token_hint', 'post_logout_redirect_uri', 'state']);
    assert.equal(told['client_id'], 'gate');
    assert.equal(told['post_logout_redirect_uri'], gate.url('/_gate/logged-out'));
    assert.match(told['id_token_hint']!, /^eyJ/);
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(answer.headers['clear-site-data'], '"cache"');
    assert.deepEqual(
      answer.headers['set-cookie'],
      ['portcullis', 'portcullis-user'].map((name) => `${name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax`),
    );
    const holder = await gate.browser().request(gate.url('/echo'), { headers: { Cookie: cookie } });
    assert.equal(holder.status, 401, 'nothing is left of the session behind the cookie either');
    assert.match((await revocation.arrived).body, /token_type_hint=refresh_token/);
    revocation.release();
    const page = await browser.navigate(answer.headers.location!);
    assert.equal(page.status, 200);
    assert.ok(page.url.startsWith(gate.url('/_gate/logged-out?state=')));
    assert.match(page.text, /You are signed out/);
    const form = await browser.navigate(gate.url('/echo'));
    assert.match(form.text, /name="username"/, 'the provider’s own session is over too');
  });

  test('LOGOUT-02 a link on a page of ours does the same', async () => {
    await start();
    const browser = await gate.signedIn('alice');
    toldProvider(await browser.request(gate.url('/_gate/logout'), { mode: 'navigate' }));
    assert.equal(await isSignedIn(browser), false);
  });

  test('ends every session on the same sign-on: once the token is revoked, no notice may tell of the others', async () => {
    await start();
    const browser = await gate.signedIn('alice');
    const other = gate.browser();
    other.cookies.put('portcullis', browser.cookies.value('portcullis', gate.url('/'))!, gate.url('/'));
    browser.cookies.remove('portcullis');
    assert.equal((await browser.navigate(gate.url('/echo'))).status, 200, 'signed in once more, without being asked');
    assert.ok(await isSignedIn(other));
    toldProvider(await logOut(browser));
    assert.equal(await isSignedIn(other), false);
  });

  test('leads on to the address that was asked for', async () => {
    await start({ config: { routes: (upstream: string) => [{ name: 'app', upstream, auth: 'public' }] } });
    const browser = gate.browser();
    await gate.signIn(browser, 'alice', '/_gate/login');
    const answer = await logOut(browser, `?return_to=${encodeURIComponent('/echo?a=1')}`);
    const page = await browser.navigate(answer.headers.location!);
    assert.equal(page.url, gate.url('/echo?a=1'));
  });

  test('speaks the language that the request asks for, or the configured one', async () => {
    await start({ config: { provider: { authorization_params: { ui_locales: 'de en' } } } });
    const asked = async (query: string) => toldProvider(await logOut(gate.browser(), query))['ui_locales'];
    assert.equal(await asked(''), 'de en');
    assert.equal(await asked('?ui_locales=fr-CA+fr'), 'fr-CA fr');
    const insane = ['', 'x', '<b>', 'de,en', 'de%0aen', 'de  en', 'de'.repeat(60), 'fr&ui_locales=it'];
    for (const value of insane) assert.equal(await asked(`?ui_locales=${value}`), 'de en', value);
  });

  test('names who logs out, and the identity provider that knows already, where the configuration says so', async () => {
    await start({ config: { logout: { hint_claim: 'preferred_username', initiating_idp: 'corp' } } });
    const told = toldProvider(await logOut(await gate.signedIn('alice')));
    assert.deepEqual([told['logout_hint'], told['initiating_idp']], ['alice', 'corp']);
    const nobody = toldProvider(await logOut(gate.browser()));
    assert.deepEqual([nobody['logout_hint'], nobody['initiating_idp']], [undefined, 'corp']);
  });

  test('ends at the configured page elsewhere', async () => {
    const post_logout_redirect_uri = 'https://www.example.com/goodbye?from=gate';
    await start({ config: { logout: { post_logout_redirect_uri } } });
    const told = toldProvider(await logOut(await gate.signedIn('alice')));
    assert.equal(told['post_logout_redirect_uri'], post_logout_redirect_uri);
  });

  describe('with an ID token that fits into no address', () => {
    const roles = Array.from({ length: 150 }, (_, at) => `a-role-with-a-name-${at}`);
    const provider = { users: { alice: { realm_access: { roles } } } };
    const scopes = ['openid', 'roles'];

    test('is finished by a button, and its page is kept by nobody and runs no script', async () => {
      // The specification's MUST, which this provider has to be told (section 2).
      const takesPosts = { enableHttpPostMethods: true, cookies: { keys: ['key'], long: { sameSite: 'none' } } };
      await start({ provider: { ...provider, configuration: takesPosts }, config: { provider: { scopes } } });
      const browser = await gate.signedIn('alice');
      const page = await logOut(browser, '?return_to=/echo');
      assert.equal(page.status, 200);
      assert.match(page.text, /Sign out everywhere/);
      assert.equal(page.headers['cache-control'], 'no-store');
      assert.equal(page.headers['referrer-policy'], 'no-referrer');
      assert.match(page.headers['content-security-policy'] as string, /default-src 'none'.*frame-ancestors 'none'/);
      assert.match(String(page.headers['set-cookie']), /^portcullis=; .*Max-Age=0/);
      assert.equal(await isSignedIn(browser), false);
      const back = await browser.submit(page, {}, PATHS.endSession);
      assert.ok(back.url.startsWith(gate.provider.issuer), 'the provider ended its session, so /echo asks to sign in');
      assert.match(back.text, /name="username"/);
      assert.ok(!gate.output.includes('eyJ'), 'no token is in the log');
    });

    test('needs no button where a logout hint names who logs out', async () => {
      await start({ provider, config: { provider: { scopes }, logout: { hint_claim: 'sid' } } });
      const browser = await gate.signedIn('alice');
      const told = toldProvider(await logOut(browser));
      const { sid } = await gate.event('session.ended');
      assert.deepEqual([told['id_token_hint'], told['logout_hint']], [undefined, sid]);
    });
  });

  test('a return address that is too long for a state is forgotten', async () => {
    await start();
    const browser = await gate.signedIn('alice');
    const answer = await logOut(browser, `?return_to=/echo?${'x'.repeat(1_500)}`);
    assert.ok(answer.headers.location!.length < 3_500);
    const { pathname } = new URL((await browser.navigate(answer.headers.location!)).url);
    assert.equal(pathname, '/_gate/logged-out');
  });
});

describe('logout without a session, or with an old one', () => {
  let gate: TestGate;
  afterEach(() => gate.close());

  /** Logs out, and comes back from the provider, which asks whether that is meant. */
  async function logOutAndConfirm(browser: BrowserClient): Promise<Answer> {
    const answer = await browser.request(gate.url('/_gate/logout'), CLICK);
    assert.equal(answer.status, 303);
    const { searchParams } = new URL(answer.headers.location!);
    assert.deepEqual([...searchParams.keys()].sort(), ['client_id', 'post_logout_redirect_uri', 'state']);
    const question = await browser.navigate(answer.headers.location!);
    assert.match(question.text, /Sign out\?/);
    return browser.submit(question, { logout: 'yes' });
  }

  test('LOGOUT-05 works without a session: the provider’s own may still live, and the page says how it was', async () => {
    gate = await TestGate.start();
    const browser = await gate.signedIn('alice');
    browser.cookies.remove('portcullis');
    const page = await logOutAndConfirm(browser);
    assert.equal(new URL(page.url).pathname, '/_gate/logged-out');
    assert.match(page.text, /You had no session here any more/);
  });

  test('LOGOUT-05 works with the cookie of a session that has ended, and takes it away', async () => {
    gate = await TestGate.start();
    const browser = await gate.signedIn('alice');
    await gate.admin('DELETE', '/api/sessions?user=alice');
    const page = await logOutAndConfirm(browser);
    assert.match(page.text, /You had no session here any more/);
    assert.equal(browser.cookies.value('portcullis', gate.url('/')), undefined);
    const form = await browser.navigate(gate.url('/echo'));
    assert.match(form.text, /name="username"/, 'the provider’s session is over');
  });

  test('LOGOUT-05 works with an ID token that has expired: the provider asks nothing', async () => {
    gate = await TestGate.start({ provider: { lifetimes: { accessTokenSeconds: 1 } } });
    const browser = await gate.signedIn('alice');
    const hintIn = (location: string) => new URL(location).searchParams.get('id_token_hint')!;
    // One refresh may follow the sign-in's own activity, and bring an ID token that lives a second more.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const answer = await browser.request(gate.url('/_gate/logout'), CLICK);
    const { exp } = JSON.parse(Buffer.from(hintIn(answer.headers.location!).split('.')[1]!, 'base64url').toString());
    assert.ok(exp * 1_000 < Date.now());
    const page = await browser.navigate(answer.headers.location!);
    assert.equal(new URL(page.url).pathname, '/_gate/logged-out');
    assert.match(page.text, /Your session here has ended/);
  });
});

describe('LOGOUT-03 logout with a provider that is not there', () => {
  let gate: TestGate;
  afterEach(() => gate.close());

  /** Logs out within a second, and returns the page where that ends. */
  async function logOutSoon(browser: BrowserClient, query = ''): Promise<Answer> {
    const startedAt = performance.now();
    const answer = await browser.request(gate.url(`/_gate/logout${query}`), CLICK);
    assert.ok(performance.now() - startedAt < 1_000, `${performance.now() - startedAt} ms`);
    assert.equal(answer.status, 303);
    assert.equal((await browser.request(gate.url('/echo'))).status, 401);
    return browser.navigate(answer.headers.location!, { site: 'same-origin' });
  }

  function assertTold(page: Answer): void {
    assert.equal(page.status, 200);
    assert.equal(new URL(page.url).origin, new URL(gate.url('/')).origin);
    assert.match(page.text, /You are signed out here/);
    assert.match(page.text, /could not be reached, so you may still be signed in there/);
  }

  test('down: the session ends here, the user is told, and can sign out there when it is back', async () => {
    gate = await TestGate.start();
    const browser = await gate.signedIn('alice');
    const socket = browser.openWebSocket(gate.url('/ws'));
    await socket.opened;
    await idle();
    await gate.provider.stop();
    const page = await logOutSoon(browser, '?return_to=/echo');
    assert.equal((await socket.closed).code, 1008);
    assertTold(page);
    assert.match(page.text, new RegExp(`href="${gate.url('/echo')}"`));
    await gate.provider.restart();
    const again = /href="(\/_gate\/logout[^"]*)"/.exec(page.text)![1]!;
    // Whoever did not answer is asked again after a second.
    const later = await until(async () => {
      const answer = await browser.request(gate.url(again), { mode: 'navigate' });
      return answer.headers.location?.startsWith(gate.provider.issuer) ? answer : undefined;
    });
    assert.equal(new URL(later.headers.location!).searchParams.get('client_id'), 'gate');
  });

  test('down: the gate itself ends the session there when it is back', async () => {
    gate = await TestGate.start();
    const browser = await gate.signedIn('alice');
    await idle();
    await gate.provider.stop();
    await logOutSoon(browser);
    const end = gate.provider.hold(PATHS.endSession);
    await gate.provider.restart();
    const { method, body, headers } = await end.arrived;
    end.release();
    assert.equal(method, 'POST');
    assert.match(body, /^refresh_token=/);
    assert.match(headers.authorization!, /^Basic /);
    assert.equal(
      gate.provider.count(PATHS.revocation),
      0,
      'a revocation first would leave the session without its key',
    );
  });

  test('never found since the start', async () => {
    gate = await TestGate.start({ providerAtStart: 'down' });
    assertTold(await logOutSoon(gate.browser()));
  });

  test('silent', async () => {
    gate = await TestGate.start();
    const browser = await gate.signedIn('alice');
    await idle();
    const held = gate.provider.hold(PATHS.discovery, 'request');
    assertTold(await logOutSoon(browser));
    await held.arrived;
    held.release();
  });

  test('broken', async () => {
    gate = await TestGate.start();
    const browser = await gate.signedIn('alice');
    await idle();
    gate.provider.mutate(PATHS.discovery, (answer) => ({ ...answer, status: 502, body: '<h1>Bad gateway</h1>' }));
    assertTold(await logOutSoon(browser));
  });

  test('without a logout of its own: the user is told that too, and goes on', async () => {
    gate = await TestGate.start();
    gate.provider.mutate(PATHS.discovery, (answer) => {
      const { end_session_endpoint: _, ...rest } = JSON.parse(String(answer.body));
      return withJson(answer, rest);
    });
    const browser = await gate.signedIn('alice');
    await idle();
    const page = await logOutSoon(browser, '?return_to=/echo');
    assert.match(page.text, /does not offer to be signed out from here, so you may still be signed in there/);
    assert.match(page.text, new RegExp(`href="${gate.url('/echo')}"[^>]*>Continue`));
  });

  test('a hundred logouts at once ask it once', async () => {
    gate = await TestGate.start();
    await idle();
    const before = gate.provider.count(PATHS.discovery);
    const held = gate.provider.hold(PATHS.discovery, 'request');
    const browsers = Array.from({ length: 100 }, () => gate.browser());
    await Promise.all(browsers.map((browser) => browser.request(gate.url('/_gate/logout'), CLICK)));
    assert.equal(gate.provider.count(PATHS.discovery), before + 1);
    held.release();
  });
});

/** An answer of the provider is believed for 200 ms; what a test does to it shows after that. */
function idle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 250));
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
