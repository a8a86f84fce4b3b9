// `access[].acr`: back to the provider with `acr_values`, once, and a page that says so where that does not help; programs
// are told what is missing (OpenID Connect Core 1.0 section 3.1.2.1, RFC 9470).

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import type { Answer } from '../../support/browser-client.ts';
import { PATHS } from '../../support/embedded-provider.ts';
import { jsonOf, withJson } from '../../support/hooked-server.ts';
import type { SocketRefused } from '../../support/live-socket.ts';
import { linkOf } from '../../support/page-links.ts';
import { TestGate } from '../../support/test-gate.ts';

const routes = (upstream: string) => [
  {
    name: 'app',
    upstream,
    access: [
      { path: '/vault', acr: ['2', '3'] },
      { path: '/safe', acr: '4' },
      { path: '/board', acr: '2', groups: ['keepers'] },
    ],
  },
  { name: 'api', path: '/api', upstream, auth: ['session', 'bearer'], access: [{ path: '/api/vault', acr: 2 }] },
];

const challenge = ({ headers }: Answer) => headers['www-authenticate'];
const SIGN_IN = 'Portcullis realm="sign-in", error="insufficient_user_authentication", acr_values=';

describe('step-up', () => {
  let gate: TestGate;
  /** What the provider can do at most; undefined: it says nothing of how users signed in. */
  let reachable: readonly string[] | undefined = ['1', '2'];
  /** The provider gives a list of all that it can. */
  let givesList = false;
  before(async () => {
    gate = await TestGate.start({
      config: { routes, provider: { scopes: ['openid', 'profile', 'email', 'groups'] } },
      provider: { lifetimes: { accessTokenSeconds: 3 } },
    });
    gate.provider.mutate(PATHS.token, (answer) => {
      const body = jsonOf(answer);
      if (typeof body['id_token'] !== 'string') return answer;
      const { acr: _, ...claims } = decodeJwt(body['id_token']);
      const isRefresh = gate.provider.received(PATHS.token).at(-1)!.body.includes('grant_type=refresh_token');
      const acr = isRefresh ? undefined : (wished().find((each) => reachable?.includes(each)) ?? reachable?.[0]);
      const id_token = gate.provider.sign({ ...claims, acr: givesList ? reachable : acr });
      return withJson(answer, { ...body, id_token });
    });
  });
  after(() => gate.close());
  afterEach(() => {
    reachable = ['1', '2'];
    givesList = false;
  });

  /** What the last authorization request asked for. */
  function wished(): string[] {
    const asked = new URLSearchParams(gate.provider.received(PATHS.par).at(-1)?.body).get('acr_values');
    return asked === null ? [] : asked.split(' ');
  }
  const signIns = () => gate.provider.count(PATHS.par);
  const sessionsOf = async (user: string) =>
    (await gate.admin('GET', `/api/sessions?user=${user}`)).body['sessions'] as { handle: string }[];

  test('a signed-in user who opens such a page signs in once more, is let in, and stays so; the session has a new id', async () => {
    const browser = await gate.signedIn('alice');
    assert.deepEqual(wished(), []);
    const cookie = browser.cookies.header(new URL(gate.url('/')));
    const download = browser.download(gate.url('/download'));
    await download.moreBytes();
    const before = signIns();
    const page = await browser.navigate(gate.url('/vault/echo?a=1'));
    assert.deepEqual([page.status, page.url], [200, gate.url('/vault/echo?a=1')]);
    assert.deepEqual(wished(), ['2', '3']);
    assert.notEqual(browser.cookies.header(new URL(gate.url('/'))), cookie);
    // The same single sign-on: nothing is cut, and it is one session.
    await download.moreBytes();
    assert.equal((await sessionsOf('alice')).length, 1);
    assert.equal((await browser.navigate(gate.url('/vault/echo'))).status, 200);
    assert.equal(signIns(), before + 1);
  });

  test('an anonymous visitor is asked for it at once', async () => {
    const browser = gate.browser();
    const before = signIns();
    const page = await gate.signIn(browser, 'bob', '/vault/echo');
    assert.equal(page.status, 200);
    assert.equal(signIns(), before + 1);
    assert.deepEqual(wished(), ['2', '3']);
  });

  test('a provider that gives several is understood at the sign-in as it is at the page', async () => {
    givesList = true;
    const page = await gate.signIn(gate.browser(), 'bob', '/vault/echo');
    assert.deepEqual([page.status, page.url], [200, gate.url('/vault/echo')]);
  });

  test('a provider that cannot: a page that says so, once for each sign-in, and everything else stays open', async () => {
    for (const able of [['1'], undefined]) {
      reachable = able;
      const browser = await gate.signedIn('bob');
      const before = signIns();
      const page = await browser.navigate(gate.url('/vault/echo'));
      assert.equal(page.status, 403);
      assert.match(page.text, /asks for a stronger sign-in/);
      assert.match(page.text, /signed in as <strong>bob<\/strong>/);
      assert.equal(signIns(), before + 1);
      assert.equal((await browser.navigate(gate.url('/echo'))).status, 200);
      const later = await browser.navigate(gate.url('/vault/echo'));
      assert.deepEqual([later.status, later.hops.length], [403, 0]);
      assert.match(later.text, /asks for a stronger sign-in/);
      const asked = await browser.request(gate.url('/vault/echo'), { mode: 'navigate', headers: { Accept: '*/*' } });
      assert.match(asked.text, /"error":"insufficient_user_authentication"/);
      assert.equal(signIns(), before + 1, 'nobody is asked for the password at each visit');
    }
    const { why } = await gate.event('access.denied', { user: 'bob' });
    assert.match(String(why), /asks for acr 2 or 3, and the provider gave 1/);
    await gate.event('access.denied', { user: 'bob', route: 'app', why: 'refused by access[0] /vault' });
  });

  test('“Try again” asks once more and leads to the page, from both places where it stands', async () => {
    reachable = ['1'];
    for (const user of ['bob', 'carol']) {
      const browser = await gate.signedIn(user);
      const first = await browser.navigate(gate.url('/vault/echo?a=1'));
      const page = user === 'bob' ? first : await browser.navigate(gate.url('/vault/echo?a=1'));
      const before = signIns();
      assert.equal((await browser.navigate(linkOf(page, 'Try again'))).status, 403);
      reachable = ['1', '2'];
      const last = await browser.navigate(linkOf(page, 'Try again'));
      assert.deepEqual([last.status, last.url], [200, gate.url('/vault/echo?a=1')]);
      assert.equal(signIns(), before + 2);
      reachable = ['1'];
    }
  });

  test('what was not tried is tried: another class, and the same one after the next sign-in', async () => {
    reachable = ['1'];
    const browser = await gate.signedIn('alice');
    await browser.navigate(gate.url('/vault/echo'));
    const before = signIns();
    reachable = ['1', '4'];
    assert.equal((await browser.navigate(gate.url('/safe/echo'))).status, 200);
    assert.equal(signIns(), before + 1);
    reachable = ['1', '2'];
    assert.equal((await browser.navigate(gate.url('/vault/echo'))).status, 200, 'this sign-in gave what was asked for');
    assert.equal(signIns(), before + 2);
  });

  test('a provider that refuses for that reason is quoted in words', async () => {
    const browser = gate.browser();
    const form = await browser.request(gate.url('/vault/echo'), { mode: 'navigate' });
    const state = new URLSearchParams(gate.provider.received(PATHS.par).at(-1)!.body).get('state')!;
    assert.equal(form.status, 302);
    const query = new URLSearchParams({ state, error: 'unmet_authentication_requirements', iss: gate.provider.issuer });
    const page = await browser.navigate(gate.url(`/_gate/callback?${query}`));
    assert.equal(page.status, 400);
    assert.match(page.text, /cannot sign you in as strongly/);
  });

  test('scripts and WebSockets, and forms of nowhere, get 401 and are told what is missing; nobody is redirected', async () => {
    const browser = await gate.signedIn('carol');
    const before = signIns();
    const answer = await browser.request(gate.url('/vault/echo'), { mode: 'fetch' });
    assert.deepEqual([answer.status, challenge(answer)], [401, `${SIGN_IN}"2 3"`]);
    const { error, acr_values } = JSON.parse(answer.text) as Record<string, unknown>;
    assert.deepEqual({ error, acr_values }, { error: 'insufficient_user_authentication', acr_values: '2 3' });
    const form = await browser.request(gate.url('/vault/echo'), {
      mode: 'navigate',
      method: 'POST',
      headers: { 'Content-Type': 'text/plain', 'Sec-Fetch-Site': 'cross-site' },
      body: 'a=1',
    });
    assert.equal(form.status, 401);
    assert.match(form.text, /Your form has not been sent.*asks for a stronger sign-in/s);
    assert.equal(challenge(form), `${SIGN_IN}"2 3"`);
    const frame = await browser.request(gate.url('/vault/echo'), { mode: 'iframe' });
    assert.equal(frame.status, 401);
    assert.match(frame.text, /Please sign in once more/);
    assert.match(frame.text, /href="\/vault\/echo" target="_top"/);
    await assert.rejects(browser.openWebSocket(gate.url('/vault/ws')).opened, (refused: SocketRefused) => {
      assert.equal(refused.status, 401);
      return true;
    });
    assert.equal(signIns(), before);
    assert.deepEqual(gate.app.seen('/vault/ws'), []);
    await gate.event('access.denied', { user: 'carol', why: 'refused by access[0] /vault' });
  });

  test('who lacks a group is refused and not asked to sign in more strongly', async () => {
    const browser = await gate.signedIn('alice');
    const before = signIns();
    const page = await browser.navigate(gate.url('/board'));
    assert.equal(page.status, 403);
    assert.match(page.text, /not open to you/);
    assert.equal(signIns(), before);
  });

  test('a refreshed ID token that does not say how the user signed in changes nothing', async () => {
    const browser = gate.browser();
    await gate.signIn(browser, 'carol', '/vault/echo');
    await gate.event('session.refreshed', { user: 'carol' });
    const before = signIns();
    assert.equal((await browser.navigate(gate.url('/vault/echo'))).status, 200);
    assert.equal(signIns(), before);
  });

  test('a stronger sign-in as another user ends the session that was there', async () => {
    const browser = await gate.signedIn('alice');
    gate.provider.dropSessions('alice');
    const form = await browser.navigate(gate.url('/vault/echo'));
    const page = await browser.submit(form, { username: 'bob' });
    assert.equal(page.status, 200);
    assert.match(page.text, /sub-bob/);
    await gate.event('session.ended', { user: 'alice', reason: 'replaced' });
  });

  test('RFC 9470: a token that is not strong enough gets the challenge, a strong one comes in', async () => {
    const call = (acr: string | undefined) =>
      gate.browser().request(gate.url('/api/vault/echo'), {
        mode: 'none',
        headers: { Authorization: `Bearer ${gate.provider.accessToken({ acr })}` },
      });
    for (const acr of ['1', undefined]) {
      const answer = await call(acr);
      assert.equal(answer.status, 401);
      assert.equal(
        challenge(answer),
        'Bearer realm="portcullis", error="insufficient_user_authentication", acr_values="2"',
      );
      assert.match(answer.text, /"acr_values":"2"/);
    }
    assert.equal((await call('2')).status, 200);
  });
});
