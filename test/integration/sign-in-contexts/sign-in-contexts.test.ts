// Several sign-in contexts in one process: parameters of the authorization request by route, and public origins whose
// sessions are their own.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PATHS } from '../../support/embedded-provider.ts';
import { linkOf } from '../../support/page-links.ts';
import { TestGate } from '../../support/test-gate.ts';

const routes = (upstream: string) => [
  { name: 'app', upstream },
  {
    name: 'partners',
    path: '/partners',
    upstream,
    access: [
      { path: '/partners/vault', acr: '2' },
      { path: '/partners/board', groups: ['/keepers'] },
    ],
    authorization_params: { kc_idp_hint: 'partners', login_hint: 'somebody@partner.example', acr_values: '1' },
  },
  {
    name: 'notes',
    host: 'notes.localhost',
    upstream,
    access: [{ path: '/board', groups: ['/keepers'] }],
    authorization_params: { kc_idp_hint: 'notes', prompt: 'login' },
  },
];

describe('sign-in contexts', () => {
  let gate: TestGate;
  before(async () => {
    gate = await TestGate.start({
      hosts: ['notes.localhost'],
      config: { routes, provider: { par: 'never', authorization_params: { kc_idp_hint: 'corp', ui_locales: 'de' } } },
    });
  });
  after(() => gate.close());

  const notes = (path: string) => gate.url(path).replace('127.0.0.1', 'notes.localhost');

  /** What the provider is asked besides for who opens `url`. */
  async function asked(url: string): Promise<Record<string, string>> {
    const { headers } = await gate.browser().request(url, { mode: 'navigate' });
    const all = new URL(headers.location!).searchParams;
    const names = ['kc_idp_hint', 'ui_locales', 'login_hint', 'acr_values', 'prompt'];
    return Object.fromEntries(names.flatMap((name) => (all.has(name) ? [[name, all.get(name)!]] : [])));
  }

  const PARTNERS = {
    kc_idp_hint: 'partners',
    ui_locales: 'de',
    login_hint: 'somebody@partner.example',
    acr_values: '1',
  };

  test('the route that was asked for says what the provider is asked, before the provider’s own parameters', async () => {
    assert.deepEqual(await asked(gate.url('/echo')), { kc_idp_hint: 'corp', ui_locales: 'de' });
    assert.deepEqual(await asked(gate.url('/partners/echo?a=1')), PARTNERS);
    assert.deepEqual(await asked(notes('/echo')), { kc_idp_hint: 'notes', ui_locales: 'de', prompt: 'login' });
  });

  test('so does the address behind the sign-in that it comes back to, and nothing else of a link', async () => {
    assert.deepEqual(await asked(gate.url('/_gate/login?return_to=%2Fpartners%2Fecho')), PARTNERS);
    assert.deepEqual(await asked(gate.url('/_gate/login?kc_idp_hint=evil&prompt=none')), {
      kc_idp_hint: 'corp',
      ui_locales: 'de',
    });
    assert.deepEqual(await asked(gate.url(`/_gate/login?return_to=${encodeURIComponent(notes('/echo'))}`)), {
      kc_idp_hint: 'corp',
      ui_locales: 'de',
    });
    const long = `/partners/echo?${'a'.repeat(2_000)}`;
    assert.deepEqual(await asked(gate.url(long)), PARTNERS, 'too long to be kept');
  });

  test('a rule that asks for more is asked in place of the route’s wish', async () => {
    assert.deepEqual(await asked(gate.url('/partners/vault')), { ...PARTNERS, acr_values: '2' });
  });

  test('who is signed in at one origin is nobody at the other until the provider says so', async () => {
    const browser = await gate.signedIn('alice');
    assert.equal((await browser.request(notes('/echo'))).status, 401);
    const before = gate.provider.count(PATHS.token);
    const form = await browser.navigate(notes('/echo'));
    assert.match(form.text, /username/, 'prompt: login asks although the provider knows alice');
    const page = await browser.submit(form, { username: 'alice' });
    assert.deepEqual([page.status, page.url], [200, notes('/echo')]);
    assert.equal(gate.provider.count(PATHS.token), before + 1);
    assert.notEqual(
      browser.cookies.value('portcullis', gate.url('/')),
      browser.cookies.value('portcullis', notes('/')),
    );
  });

  test('a refusal says which sign-in is in use, and the way to another one asks as the page’s own route does', async () => {
    for (const [start, url, hint, user] of [
      [gate.url('/echo'), gate.url('/partners/board?a=1'), 'partners', 'alice'],
      [notes('/echo'), notes('/board?a=1'), 'notes', 'bob'],
    ] as const) {
      const browser = gate.browser();
      await browser.submit(await browser.navigate(start), { username: user });
      const page = await browser.navigate(url);
      assert.equal(page.status, 403);
      assert.match(page.text, new RegExp(`signed in as <strong>${user}</strong>`));
      const form = await browser.navigate(linkOf(page, 'Use another account'), { site: 'same-origin' });
      assert.match(form.text, /username/, 'the provider asks who it is');
      const asked = form.hops.map(({ headers }) => URL.parse(headers.location ?? '')?.searchParams.get('kc_idp_hint'));
      assert.deepEqual(asked.filter(Boolean), [hint]);
      const back = await browser.submit(form, { username: 'carol' });
      assert.deepEqual([back.status, back.url], [403, url]);
      assert.match(back.text, /signed in as <strong>carol</);
    }
  });

  test('a session’s cookie is worth nothing at another origin', async () => {
    const browser = await gate.signedIn('bob');
    const stolen = browser.cookies.value('portcullis', gate.url('/'))!;
    const other = gate.browser();
    other.cookies.put('portcullis', stolen, notes('/'));
    assert.equal((await other.request(notes('/echo'))).status, 401);
    await assert.rejects(other.openWebSocket(notes('/ws')).opened, { status: 401 });
    assert.match((await other.request(notes('/_gate/session'))).text, /"signed_in":false/);
    assert.equal((await browser.request(gate.url('/echo'))).status, 200, 'and goes on at its own');
  });

  test('the end of the sign-on ends the sessions at every origin', async () => {
    const browser = await gate.signedIn('carol');
    await browser.submit(await browser.navigate(notes('/echo')), { username: 'carol' });
    await gate.provider.endSessions('carol');
    assert.equal((await browser.request(gate.url('/echo'))).status, 401);
    assert.equal((await browser.request(notes('/echo'))).status, 401);
  });
});

describe('public origins that share their sessions (session.cookie.domain)', () => {
  const HOSTS = ['wiki.localhost', 'notes.localhost'];
  let gate: TestGate;
  before(async () => {
    gate = await TestGate.start({
      hosts: HOSTS,
      config: {
        public_url: (_: string, url: string) => HOSTS.map((host) => url.replace('127.0.0.1', host)),
        session: { cookie: { domain: 'localhost' } },
        routes: (upstream: string) => [{ upstream }],
      },
    });
  });
  after(() => gate.close());

  const at = (host: string, path: string) => gate.url(path).replace('127.0.0.1', host);
  const [wiki, notes] = HOSTS.map((host) => (path: string) => at(host, path)) as [typeof gate.url, typeof gate.url];

  async function signedIn(user: string) {
    const browser = gate.browser();
    const page = await browser.submit(await browser.navigate(wiki('/echo')), { username: user });
    assert.deepEqual([page.status, page.url], [200, wiki('/echo')]);
    return browser;
  }

  test('one sign-in is good for all of them, on HTTP and WebSockets, and the provider is not asked again', async () => {
    const browser = await signedIn('alice');
    const tokens = gate.provider.count(PATHS.token);
    assert.equal((await browser.request(notes('/echo'))).status, 200);
    await browser.openWebSocket(notes('/ws')).opened;
    assert.equal(gate.provider.count(PATHS.token), tokens);
    const { body } = await gate.admin('GET', '/api/sessions?user=alice');
    assert.equal((body['sessions'] as unknown[]).length, 1);
  });

  test('a logout at one ends it at all, live connections included, and leaves no cookie', async () => {
    const browser = await signedIn('bob');
    const stream = browser.download(notes('/events'));
    await stream.moreBytes();
    const answer = await browser.request(wiki('/_gate/logout'), { method: 'POST' });
    assert.equal(answer.status, 303);
    assert.equal(await stream.ended, 'cut');
    assert.equal((await browser.request(notes('/echo'))).status, 401);
    assert.equal(browser.cookies.header(new URL(notes('/echo'))) ?? '', '');
  });

  test('and nobody else gets in by it: another browser is nobody at each of them', async () => {
    await signedIn('carol');
    for (const url of [wiki, notes]) {
      assert.equal((await gate.browser().request(url('/echo'))).status, 401);
      await assert.rejects(gate.browser().openWebSocket(url('/ws')).opened, { status: 401 });
    }
  });
});
