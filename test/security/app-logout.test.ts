// Who can sign a user out through the application's logout link: the user, and nobody else. The application gets every
// request all the same; whether it lets itself be tricked is its own affair (security catalogue LOGOUT-01).

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, afterEach, before, describe, test } from 'node:test';
import type { BrowserClient, RequestOptions } from '../support/browser-client.ts';
import { PATHS as PROVIDER_PATHS } from '../support/embedded-provider.ts';
import { TestGate } from '../support/test-gate.ts';

const PATHS = ['/logout', '/account/sign-out'];
const routes = (upstream: string) => [
  { name: 'app', upstream, logout: { paths: PATHS } },
  { name: 'below', path: '/below', upstream, strip_prefix: true, logout: { paths: ['/below/logout'] } },
];

describe('the application’s logout link', () => {
  let gate: TestGate;
  let browser: BrowserClient;
  before(async () => {
    gate = await TestGate.start({ config: { routes } });
    browser = await gate.signedIn('alice');
  });
  after(() => gate.close());

  /** Signs in again where it must. */
  async function send(options: RequestOptions & { path?: string }): Promise<{ status: number; isSignedIn: boolean }> {
    if ((await browser.request(gate.url('/echo'))).status !== 200) {
      browser = await gate.signedIn('alice');
    }
    const { status } = await browser.request(gate.url(options.path ?? '/logout'), options);
    const isSignedIn = (await browser.request(gate.url('/echo'))).status === 200;
    return { status, isSignedIn };
  }

  const html = { Accept: 'text/html' };
  /** With our own origin for `http://OURS/`: the gate is not there yet when the list is made. */
  const atHome = (headers: RequestOptions['headers'] = {}): NonNullable<RequestOptions['headers']> =>
    headers['Referer'] === 'http://OURS/' ? { ...headers, Referer: gate.url('/page') } : headers;
  const tricks: [what: string, options: RequestOptions][] = [
    ['an image of another site', { mode: 'image', site: 'cross-site' }],
    ['an image of a sister site', { mode: 'image', site: 'same-site' }],
    ['an image of the application’s own page', { mode: 'image' }],
    ['a frame on another site', { mode: 'iframe', site: 'cross-site' }],
    ['a frame of the application’s own page that nobody clicked in', { mode: 'iframe' }],
    ['a form of another site', { mode: 'navigate', site: 'cross-site', method: 'POST', body: 'a=1' }],
    ['a link on another site', { mode: 'navigate', site: 'cross-site' }],
    ['a script of another site', { mode: 'fetch', site: 'cross-site', method: 'POST' }],
    ['a sandboxed page’s form', { mode: 'none', method: 'POST', headers: { Origin: 'null' }, body: 'a=1' }],
    [
      'an old browser’s form of another site',
      { mode: 'none', method: 'POST', headers: { Origin: 'http://evil.example' } },
    ],
    ['an old browser’s link that names no page', { mode: 'none', headers: html }],
    ['an old browser’s link on another site', { mode: 'none', headers: { ...html, Referer: 'http://evil.example/' } }],
    [
      'an image of our own page, in an old browser',
      { mode: 'none', headers: { Accept: 'image/webp,*/*;q=0.8', Referer: 'http://OURS/' } },
    ],
    ['a prefetch', { mode: 'navigate', headers: { 'Sec-Purpose': 'prefetch' } }],
    ['a prerender', { mode: 'navigate', headers: { 'Sec-Purpose': 'prefetch;prerender' } }],
    ['a prefetch by a script, on hover', { mode: 'fetch', headers: { 'X-Sec-Purpose': 'prefetch' } }],
    ['an old browser’s prefetch', { mode: 'navigate', headers: { 'X-Moz': 'prefetch' } }],
    ['a question about the page', { mode: 'navigate', method: 'HEAD' }],
    ['a question about what may be asked', { mode: 'fetch', method: 'OPTIONS' }],
    ['two claims about the site', { mode: 'none', headers: { 'Sec-Fetch-Site': ['same-origin', 'cross-site'] } }],
  ];
  for (const [what, options] of tricks) {
    test(`ends nothing for ${what}, which reaches the application`, async () => {
      const before = gate.app.seen('/logout').length;
      const { status, isSignedIn } = await send({ ...options, headers: atHome(options.headers) });
      assert.equal(isSignedIn, true);
      assert.equal(gate.app.seen('/logout').length, before + 1);
      assert.notEqual(status, 303);
    });
  }

  const wishes: [what: string, options: RequestOptions][] = [
    ['a link', { mode: 'navigate', site: 'same-origin' }],
    ['an address typed in', { mode: 'navigate', site: 'none' }],
    ['a script', { mode: 'fetch', method: 'POST' }],
    ['a script that deletes', { mode: 'fetch', method: 'DELETE' }],
    ['a script that only gets', { mode: 'fetch' }],
    ['a click within a frame', { mode: 'iframe', headers: { 'Sec-Fetch-User': '?1' } }],
  ];
  for (const [what, options] of wishes) {
    test(`ends the session for ${what} of the user’s own`, async () => {
      assert.equal((await send(options)).isSignedIn, false);
    });
  }

  test('over plain HTTP counts where the browser names our page as the link’s place', async () => {
    const Referer = gate.url('/page');
    assert.equal((await send({ mode: 'none', headers: { ...html, Referer } })).isSignedIn, false);
  });

  const spellings: [path: string, ends: boolean][] = [
    ['/logout?next=/', true],
    ['/logout/', true],
    ['//logout', true],
    ['/app/../logout', true],
    ['/./logout', true],
    ['/logout;x', true],
    ['/logout;jsessionid=1?a', true],
    ['/%6Cogout', true],
    ['/account//sign-out', true],
    ['/account%2Fsign-out', true],
    ['/account\\sign-out', true],
    ['/below/logout', true],
    ['/below//logout', true],
    ['/below/x/../logout', true],
    ['/LOGOUT', false],
    ['/logout/confirm', false],
    ['/logout.html', false],
    ['/logouts', false],
    ['/x/logout', false],
    ['/x?/logout', false],
    ['/account/sign-out/csrf', false],
    ['/%256Cogout', false],
  ];
  for (const [target, ends] of spellings) {
    test(`${target} ${ends ? 'is' : 'is not'} the logout`, async () => {
      const { status, isSignedIn } = await send({ mode: 'navigate', target });
      assert.deepEqual([status, isSignedIn], [ends ? 303 : 200, !ends]);
    });
  }
});

describe('the application’s logout link, when somebody leaves before its answer', () => {
  let gate: TestGate;
  afterEach(() => gate.close());

  const slowly = (upstream: string) => [{ name: 'app', upstream, logout: { paths: ['/slow'] } }];
  for (const [who, headers] of [
    ['a person', ['Sec-Fetch-Site: same-origin', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document']],
    ['a script', ['Sec-Fetch-Site: same-origin', 'Sec-Fetch-Mode: cors', 'Sec-Fetch-Dest: empty']],
  ] as const) {
    test(`ends the session for ${who} all the same: the application may have ended its own`, async () => {
      gate = await TestGate.start({ config: { routes: slowly } });
      const browser = await gate.signedIn('alice');
      const { host, port } = new URL(gate.url('/'));
      const client = connect(Number(port), '127.0.0.1');
      const cookie = `Cookie: portcullis=${browser.cookies.value('portcullis', gate.url('/'))}`;
      client.write(['GET /slow HTTP/1.1', `Host: ${host}`, cookie, ...headers, '', ''].join('\r\n'));
      while (gate.app.seen('/slow').length === 0) await new Promise((resolve) => setImmediate(resolve));
      client.destroy();
      assert.equal((await gate.event('session.ended'))['reason'], 'app_logout');
      assert.equal((await browser.request(gate.url('/echo'))).status, 401);
    });
  }

  test('is nothing that a program’s token could end its user’s sessions with', async () => {
    gate = await TestGate.start({
      config: {
        routes: (upstream: string) => [
          { name: 'app', upstream, auth: ['session', 'bearer'], logout: { paths: ['/logout'] } },
        ],
      },
    });
    const browser = await gate.signedIn('alice');
    const { sessions } = (await gate.admin('GET', '/api/sessions')).body as {
      sessions: { sid: string; sub: string }[];
    };
    const { sid, sub } = sessions[0]!;
    const token = gate.provider.accessToken({ sub, sid, azp: 'other-client', aud: ['gate'] });
    const Authorization = `Bearer ${token}`;
    const program = gate.browser();
    const answer = await program.request(gate.url('/logout'), {
      method: 'POST',
      mode: 'none',
      headers: { Authorization },
    });
    assert.equal(answer.status, 302, 'the application took it');
    await gate.event('session.ended', { reason: 'app_logout' });
    assert.equal((await program.request(gate.url('/echo'), { mode: 'none', headers: { Authorization } })).status, 401);
    assert.equal((await browser.request(gate.url('/echo'))).status, 200);
    assert.equal(gate.provider.count(PROVIDER_PATHS.endSession), 0);
  });
});
