// The application's cookies stay at the gate with the session (`cookies: jar`).

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Answer, BrowserClient, RequestOptions } from '../../support/browser-client.ts';
import { TestGate } from '../../support/test-gate.ts';

const routes = (upstream: string) => [
  {
    name: 'app',
    upstream,
    cookies: 'jar',
    access: [{ path: '/public', auth: 'public' }],
    logout: { paths: ['/logout'] },
  },
  { name: 'same-app', path: '/again', upstream, cookies: 'jar', strip_prefix: true },
  { name: 'passing', path: '/passing', upstream, strip_prefix: true },
];

const setting = (...lines: string[]) =>
  `/set?${new URLSearchParams(lines.map((line): [string, string] => ['line', line]))}`;

describe('an application whose cookies stay at the gate', () => {
  let gate: TestGate;
  before(async () => {
    gate = await TestGate.start({ config: { routes } });
  });
  after(() => gate.close());

  /** The Cookie header that the application got. */
  async function seenBy(
    browser: BrowserClient,
    options: RequestOptions & { path?: string } = {},
  ): Promise<string | null> {
    const answer = await browser.request(gate.url(options.path ?? '/whoami'), options);
    assert.equal(answer.status, 200, answer.text);
    return (JSON.parse(answer.text) as { cookie: string | null }).cookie;
  }

  function assertBare({ headers }: Answer): void {
    assert.equal(headers['set-cookie'], undefined);
  }

  test('has a session of its own, of which the browser never sees the cookie', async () => {
    const browser = await gate.signedIn('alice');
    const begun = await browser.request(gate.url('/begin'));
    assertBare(begun);
    const { session, cookie } = JSON.parse((await browser.request(gate.url('/whoami'))).text);
    assert.deepEqual([session, cookie], [begun.text, `legacy=${begun.text}`]);
    assert.equal(browser.cookies.names().includes('legacy'), false);
  });

  test('gets the jar and nothing else: no cookie that the browser sends, of whatever name', async () => {
    const browser = await gate.signedIn('alice');
    browser.cookies.put('legacy', 'forged', gate.url('/'));
    browser.cookies.put('theme', 'dark', gate.url('/'));
    assert.equal(await seenBy(browser), null);
    await browser.request(gate.url(setting('legacy=real; Path=/')));
    assert.equal(await seenBy(browser), 'legacy=real');
    assert.equal(
      await seenBy(browser, { headers: { Cookie: `${browser.cookies.header(new URL(gate.url('/')))}; x=1` } }),
      'legacy=real',
    );
  });

  test('never mixes two users, nor two sessions of one', async () => {
    const [alice, bob, alicesPhone] = [
      await gate.signedIn('alice'),
      await gate.signedIn('bob'),
      await gate.signedIn('alice'),
    ];
    await Promise.all([
      alice.request(gate.url(setting('who=alice'))),
      bob.request(gate.url(setting('who=bob'))),
      alicesPhone.request(gate.url(setting('where=phone'))),
    ]);
    assert.deepEqual(await Promise.all([alice, bob, alicesPhone].map((browser) => seenBy(browser))), [
      ...['who=alice', 'who=bob', 'where=phone'],
    ]);
  });

  test('loses nothing of answers that come at the same time', async () => {
    const browser = await gate.signedIn('alice');
    const lines = Array.from({ length: 20 }, (_, n) => `c${n}=${n}`);
    await Promise.all(lines.map((line, n) => browser.request(gate.url(`${setting(line)}&ms=${(n % 5) * 10}`))));
    assert.deepEqual((await seenBy(browser))?.split('; ').sort(), lines.sort());
  });

  test('has one jar for all routes to it, with paths as it knows them', async () => {
    const browser = await gate.signedIn('alice');
    await browser.request(gate.url(`/again${setting('a=1; Path=/whoami', 'b=2; Path=/elsewhere', 'c=3; Path=/')}`));
    assert.equal(await seenBy(browser), 'a=1; c=3');
    assert.equal(await seenBy(browser, { path: '/again/whoami' }), 'a=1; c=3');
    assert.doesNotMatch((await seenBy(browser, { path: '/passing/whoami' })) ?? '', /\b[abc]=/, 'where cookies pass');
  });

  test('gets its cookies with a WebSocket’s handshake, and may set some there', async () => {
    const browser = await gate.signedIn('alice');
    await browser.request(gate.url(setting('a=1')));
    const socket = browser.openWebSocket(gate.url(`/ws?header=${encodeURIComponent('Set-Cookie: b=2; Path=/')}`));
    const heads: (string[] | undefined)[] = [];
    socket.onUpgrade(({ headers }) => heads.push(headers['set-cookie']));
    await socket.opened;
    assert.deepEqual(heads, [undefined]);
    assert.equal(gate.app.sockets.at(-1)!.headers.cookie, 'a=1');
    assert.equal(await seenBy(browser), 'a=1; b=2');
  });

  test('keeps them over a new sign-in of the same SSO session, and loses them with the session', async () => {
    const browser = await gate.signedIn('carol');
    await browser.request(gate.url(setting('a=1')));
    const cookie = browser.cookies.value('portcullis', gate.url('/'));
    await browser.navigate(gate.url('/_gate/login'));
    assert.notEqual(browser.cookies.value('portcullis', gate.url('/')), cookie);
    assert.equal(await seenBy(browser), 'a=1');
    await browser.navigate(gate.url('/_gate/logout'), { method: 'POST', site: 'same-origin' });
    await gate.signIn(browser, 'carol');
    assert.equal(await seenBy(browser), null);
  });

  test('logs out by its own link with the cookies of the jar, and shows the browser none of them', async () => {
    const browser = await gate.signedIn('bob');
    const { text: id } = await browser.request(gate.url('/begin'));
    const answer = await browser.request(gate.url('/logout'), { mode: 'navigate', site: 'same-origin' });
    assert.equal(answer.status, 303);
    assert.equal(gate.app.sessions.live.has(id), false);
    assert.deepEqual(
      answer.headers['set-cookie']?.map((line) => line.split('=')[0]),
      ['portcullis', 'portcullis-user'],
    );
  });

  test('gets those back that it sets for its public paths, where it knows what was stripped', async () => {
    const browser = await gate.signedIn('alice');
    const lines = [
      'a=1; Path=/again',
      'b=2; path=/again/whoami ; HttpOnly',
      'c=3; Path=/whoami',
      'd=4; Path=/againlet',
    ];
    await browser.request(gate.url(`/again${setting(...lines)}`));
    assert.equal((await seenBy(browser, { path: '/again/whoami' }))?.split('; ').sort().join(), 'a=1,b=2,c=3');
    assert.equal(
      await seenBy(browser),
      await seenBy(browser, { path: '/again/whoami' }),
      'the same jar on both routes',
    );
  });

  test('has no cookies on public paths, whoever asks: nobody is known there', async () => {
    const [browser, anonymous] = [await gate.signedIn('alice'), gate.browser()];
    await browser.request(gate.url(setting('a=1')));
    for (const each of [browser, anonymous]) {
      each.cookies.put('b', '2', gate.url('/'));
      const answer = await each.request(gate.url('/public'));
      assert.equal(answer.status, 200);
      assert.ok(!answer.text.toLowerCase().includes('"cookie"'), answer.text);
    }
  });

  test('has SameSite cookies held back from other sites’ requests, which a browser would not have sent them with', async () => {
    const browser = await gate.signedIn('alice');
    await browser.request(gate.url(setting('s=1; SameSite=Strict', 'l=1; SameSite=Lax', 'n=1; SameSite=None')));
    assert.equal(await seenBy(browser, { mode: 'navigate', site: 'same-origin' }), 's=1; l=1; n=1');
    assert.equal(await seenBy(browser, { mode: 'navigate', site: 'cross-site' }), 'l=1; n=1');
    assert.equal(await seenBy(browser, { mode: 'image', site: 'cross-site' }), 'n=1');
    assert.equal(await seenBy(browser, { mode: 'navigate', site: 'cross-site', method: 'POST' }), 'n=1');
  });

  test('can set nothing of another domain, nothing of the gate’s own, and nothing that breaks its promise', async () => {
    const browser = await gate.signedIn('alice');
    const answer = await browser.request(
      gate.url(
        setting(
          ...['a=1; Domain=evil.example', 'portcullis=stolen; Path=/', 'portcullis-login-x=1', '=portcullis=stolen'],
          ...['__Host-b=1; Path=/', `c=${'x'.repeat(5_000)}`, 'd=1'],
        ),
      ),
    );
    assertBare(answer);
    assert.equal(await seenBy(browser), 'd=1');
  });

  test('that sets thousands of cookies gets a bounded number back, and everybody else is served', async () => {
    const browser = await gate.signedIn('alice');
    for (let n = 0; n < 10; n++) {
      const lines = Array.from({ length: 300 }, (_, i) => `c${n * 300 + i}=1`);
      const answer = await browser.request(gate.url('/set'), {
        target: setting(...lines)
          .slice(0, 8_000)
          .replace(/&[^&]*$/, ''),
      });
      assert.equal(answer.status, 200);
    }
    const names = (await seenBy(browser))!.split('; ');
    assert.ok(names.length <= 50, `${names.length} cookies`);
  });
});

describe('a session that ends while the application sets cookies', () => {
  let gate: TestGate;
  afterEach(() => gate.close());

  test('takes them along: nobody gets them, and the next session begins without', async () => {
    gate = await TestGate.start({ config: { routes } });
    const browser = await gate.signedIn('alice');
    const setting1 = browser.request(gate.url(`${setting('late=1')}&ms=100000`));
    while (gate.app.seen('/set').length === 0) await new Promise((resolve) => setImmediate(resolve));
    await gate.provider.endSessions('alice');
    const answer = await setting1;
    assert.deepEqual([answer.status, answer.headers['set-cookie']], [401, undefined]);
    await gate.signIn(browser, 'alice', '/whoami');
    assert.equal(JSON.parse((await browser.request(gate.url('/whoami'))).text).cookie, null);
    assert.equal(gate.output.includes('late'), false, 'no cookie in the log');
  });
});
