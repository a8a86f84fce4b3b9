// The application asks for the logout itself, by a header of its answer (`routes[].logout.response_header`).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BrowserClient, RequestOptions } from '../../support/browser-client.ts';
import { PATHS } from '../../support/embedded-provider.ts';
import { TestGate } from '../../support/test-gate.ts';

const HEADER = 'X-Portcullis-Logout';
const routes = (upstream: string) => [
  {
    name: 'app',
    upstream,
    access: [{ path: '/public', auth: 'public' }],
    logout: { response_header: HEADER },
  },
];

const CLICK: RequestOptions = { mode: 'navigate', site: 'same-origin' };
const asking = (value: string) => `/logout?ask=${encodeURIComponent(value)}`;

describe('an application that asks for the logout', () => {
  let gate: TestGate;
  before(async () => {
    gate = await TestGate.start({ config: { routes }, provider: { endsByRefreshToken: true } });
  });
  after(() => gate.close());

  async function isSignedIn(browser: BrowserClient): Promise<boolean> {
    return (await browser.request(gate.url('/echo'))).status === 200;
  }

  test('with redirect sends the browser to the provider', async () => {
    const browser = await gate.signedIn('alice');
    const answer = await browser.request(gate.url(asking('redirect')), CLICK);
    assert.equal(answer.status, 303);
    assert.ok(answer.headers.location?.startsWith(`${gate.provider.issuer}${PATHS.endSession}?`));
    assert.equal(await isSignedIn(browser), false);
    const page = await browser.navigate(answer.headers.location!);
    assert.ok(page.hops.some(({ url }) => url === gate.url('/goodbye')));
  });

  test('with backchannel has its own answer shown, and the provider is asked without the browser', async () => {
    const browser = await gate.signedIn('bob');
    const stream = browser.download(gate.url('/events'));
    await stream.moreBytes();
    const hold = gate.provider.hold(PATHS.endSession, 'request');
    const answer = await browser.request(gate.url(asking(' BackChannel ')), CLICK);
    assert.deepEqual([answer.status, answer.headers.location], [302, '/goodbye']);
    assert.equal(answer.headers[HEADER.toLowerCase()], undefined);
    assert.ok(answer.headers['set-cookie']?.some((cookie) => cookie.startsWith('portcullis=; ')));
    assert.equal(await stream.ended, 'cut');
    assert.equal(await isSignedIn(browser), false);
    assert.match((await hold.arrived).body, /^refresh_token=/);
    hold.release();
    assert.match((await browser.navigate(gate.url('/echo'))).text, /username/, 'the provider asks again');
  });

  test('with redirect gets the back channel where a script has asked', async () => {
    const browser = await gate.signedIn('carol');
    const before = gate.provider.count(PATHS.endSession);
    const answer = await browser.request(gate.url(`${asking('redirect')}&status=204`), { method: 'POST' });
    assert.equal(answer.status, 204);
    assert.equal(answer.headers[HEADER.toLowerCase()], undefined);
    assert.equal(await isSignedIn(browser), false);
    while (gate.provider.count(PATHS.endSession) === before) await new Promise((resolve) => setImmediate(resolve));
  });

  test('is believed whatever its status and whoever led the browser there: it protects its own logout', async () => {
    const browser = await gate.signedIn('alice');
    const answer = await browser.request(gate.url(`${asking('backchannel')}&status=403`), {
      mode: 'navigate',
      site: 'cross-site',
    });
    assert.equal(answer.status, 403);
    assert.equal(await isSignedIn(browser), false);
  });

  test('in another word is not understood: nothing ends, the header goes no further, and the log says it once', async () => {
    const browser = await gate.signedIn('alice');
    for (const value of ['true', '', 'redirect, backchannel', 'logout']) {
      const answer = await browser.request(gate.url(asking(value)), CLICK);
      assert.equal(answer.headers[HEADER.toLowerCase()], undefined, value);
      assert.equal(answer.status, 302);
      assert.equal(await isSignedIn(browser), true, value);
    }
    assert.equal(gate.log.filter(({ code }) => code === 'logout_header_unknown').length, 1);
  });

  test('about a page’s head, or what may be asked, ends nothing', async () => {
    const browser = await gate.signedIn('alice');
    for (const method of ['HEAD', 'OPTIONS']) {
      const answer = await browser.request(gate.url(asking('redirect')), { method });
      assert.equal(answer.headers[HEADER.toLowerCase()], undefined);
      assert.equal(await isSignedIn(browser), true);
    }
  });

  test('is not heard where the header comes from the client', async () => {
    const browser = await gate.signedIn('alice');
    const answer = await browser.request(gate.url('/echo'), { headers: { [HEADER]: 'backchannel' } });
    assert.equal(answer.status, 200);
    assert.equal(await isSignedIn(browser), true);
  });

  test('on a handshake is not heard, and the header goes no further', async () => {
    const browser = await gate.signedIn('alice');
    const headers: string[] = [];
    const socket = browser.openWebSocket(gate.url(`/ws?header=${encodeURIComponent(`${HEADER}: redirect`)}`));
    socket.onUpgrade((response) => headers.push(...Object.keys(response.headers)));
    await socket.opened;
    assert.ok(headers.includes('sec-websocket-accept'));
    assert.equal(headers.includes(HEADER.toLowerCase()), false);
    assert.equal(await isSignedIn(browser), true);
    assert.equal(socket.isClosed, false);
  });
});

describe('an application that asks for the logout on a public path', () => {
  test('has no session to end, and its header goes no further', async () => {
    const gate = await TestGate.start({
      config: {
        routes: (upstream: string) => [
          { name: 'app', upstream, access: [{ path: '/logout', auth: 'public' }], logout: { response_header: HEADER } },
        ],
      },
    });
    const browser = await gate.signedIn('alice');
    const answer = await browser.request(gate.url(asking('backchannel')), CLICK);
    assert.deepEqual([answer.status, answer.headers[HEADER.toLowerCase()]], [302, undefined]);
    assert.equal((await browser.request(gate.url('/echo'))).status, 200);
    await gate.close();
  });
});
