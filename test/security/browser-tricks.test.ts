// What a page, a sister site or a strange client can make a browser send: sign-in, sign-out and cookies as levers.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { rawExchange } from '../support/raw-exchange.ts';
import { TestGate } from '../support/test-gate.ts';

describe('tricks with a browser', () => {
  let gate: TestGate;
  let host: string;
  before(async () => {
    gate = await TestGate.start();
    host = new URL(gate.addresses.publicUrl).host;
  });
  after(() => gate.close());

  test('an upgrade pipelined behind another request ends its connection and not the gate', async () => {
    const upgrade = `GET /echo HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;
    for (const first of ['/echo', '/_gate/login', '/_gate/nothing']) {
      await rawExchange(host, `GET ${first} HTTP/1.1\r\nHost: ${host}\r\n\r\n${upgrade}`);
      assert.equal((await gate.browser().request(gate.url('/echo'))).status, 401);
    }
    assert.equal(
      gate.log.some(({ code }) => code === 'internal_error'),
      false,
    );
  });

  test('an image or a prefetch starts no sign-in and plants no cookie', async () => {
    for (const headers of [
      { 'Sec-Fetch-Dest': 'image' },
      { 'Sec-Purpose': 'prefetch', 'Sec-Fetch-Dest': 'document' },
    ]) {
      const answer = await gate.browser().request(gate.url('/_gate/login?return_to=/a'), { mode: 'none', headers });
      assert.equal(answer.status, 403);
      assert.equal(answer.headers['set-cookie'], undefined);
    }
  });

  test('an image, a frame or a prefetch of our own pages signs nobody out', async () => {
    const browser = await gate.signedIn('alice');
    for (const headers of [
      { 'Sec-Fetch-Dest': 'image', 'Sec-Fetch-Mode': 'no-cors' },
      { 'Sec-Fetch-Dest': 'iframe', 'Sec-Fetch-Mode': 'navigate' },
      { 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Mode': 'navigate', 'Sec-Purpose': 'prefetch' },
    ]) {
      await browser.request(gate.url('/_gate/logout'), {
        mode: 'none',
        headers: { ...headers, 'Sec-Fetch-Site': 'same-origin' },
      });
      assert.equal((await browser.request(gate.url('/echo'))).status, 200);
    }
  });

  test('without Sec-Fetch headers, as over plain HTTP, only a link that our own page names as its place signs out', async () => {
    const browser = await gate.signedIn('alice');
    const own = new URL(gate.url('/')).origin;
    const follow = (headers: Record<string, string>) =>
      browser.request(gate.url('/_gate/logout'), { mode: 'none', headers: { Accept: 'text/html', ...headers } });
    for (const headers of [
      {},
      { Referer: 'http://evil.example/' },
      { Referer: own, Origin: 'null' },
      { Referer: `${own}.evil` },
    ]) {
      assert.equal((await follow(headers)).status, 200, JSON.stringify(headers));
      assert.equal((await browser.request(gate.url('/echo'))).status, 200);
    }
    assert.equal((await follow({ Referer: `${own}/page` })).status, 303);
    assert.equal((await browser.request(gate.url('/echo'))).status, 401);
  });

  test('LOGIN-14 forty tabs with long addresses: each of them can sign in', async () => {
    const browser = gate.browser();
    const address = (tab: number) => gate.url(`/echo?tab=${tab}&${'x'.repeat(900)}`);
    const forms = await Promise.all(Array.from({ length: 40 }, (_, tab) => browser.navigate(address(tab))));
    const last = await browser.submit(forms[39]!, { username: 'alice' });
    assert.equal(last.status, 200, last.text.slice(0, 300));
    assert.equal(last.url, address(39));
  });

  test('SESS-03 two session cookies: an explanation and their removal, not a round trip for ever', async () => {
    const answer = await rawExchange(
      host,
      `GET /a/b HTTP/1.1\r\nHost: ${host}\r\nAccept: text/html\r\nCookie: portcullis=evil; portcullis=other\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 400 /);
    for (const path of ['/', '/a', '/a/b']) assert.match(answer, new RegExp(`Set-Cookie: portcullis=; Path=${path};`));
    assert.match(answer, /two sessions/);
  });

  test('RES-01 an own endpoint that has answered does not wait for the rest of a body', async () => {
    for (const request of ['POST /_gate/logout', 'GET /_gate/session', 'GET /_gate/login']) {
      const socket = connect(Number(host.split(':')[1]), '127.0.0.1');
      const closed = new Promise((resolve) => socket.on('close', resolve));
      socket.on('error', () => {}).resume();
      socket.write(`${request} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 100\r\n\r\nx`);
      await closed;
    }
  });

  test('SMUG-10 an expectation beside 100-continue is refused', async () => {
    const head = `POST /echo HTTP/1.1\r\nHost: ${host}\r\nExpect: 100-continue\r\nExpect: x\r\nContent-Length: 1\r\n\r\n`;
    assert.match(await rawExchange(host, head), /^HTTP\/1\.1 417 /);
  });
});

describe('a route that names its host', () => {
  test('counts where the public URL has a port, before a route for every host', async () => {
    const gate = await TestGate.start({
      config: {
        routes: (upstream: string) => [
          { name: 'guarded', host: '127.0.0.1', upstream, access: [{ path: '/', roles: ['nobody has it'] }] },
          { name: 'open', upstream, auth: 'public' },
        ],
      },
    });
    assert.equal((await gate.browser().request(gate.url('/echo'))).status, 401);
    const browser = gate.browser();
    assert.equal((await gate.signIn(browser, 'alice')).status, 403);
    await gate.close();
  });
});
