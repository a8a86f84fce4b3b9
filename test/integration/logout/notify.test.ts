// `logout.notify`: one more URL that hears when a user logs out, and only then.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { BrowserClient } from '../../support/browser-client.ts';
import { HookedServer } from '../../support/hooked-server.ts';
import { TestGate } from '../../support/test-gate.ts';

describe('logout.notify', () => {
  let listener: HookedServer;
  let gate: TestGate;
  let status: number;

  beforeEach(async () => {
    status = 200;
    listener = new HookedServer(async () => ({ status, headers: {}, body: '' }));
    await listener.start();
  });
  afterEach(async () => {
    await gate.close();
    await listener.stop();
  });

  async function start(method: 'GET' | 'POST'): Promise<void> {
    gate = await TestGate.start({ config: { logout: { notify: { url: `${listener.origin}/heard?key=k1`, method } } } });
  }

  async function logOut(browser: BrowserClient): Promise<void> {
    const answer = await browser.request(gate.url('/_gate/logout'), { method: 'POST', mode: 'navigate' });
    assert.equal(answer.status, 303);
  }

  test('is posted who logged out: issuer, sub and sid, and no token or cookie', async () => {
    await start('POST');
    const heard = listener.hold('/heard');
    await logOut(await gate.signedIn('alice'));
    const { method, url, headers, body } = await heard.arrived;
    heard.release();
    const { sid } = await gate.event('session.ended', { reason: 'logout' });
    assert.deepEqual([method, url.search], ['POST', '?key=k1']);
    assert.deepEqual(Object.fromEntries(new URLSearchParams(body)), {
      iss: gate.provider.issuer,
      sub: 'sub-alice',
      sid,
    });
    assert.match(headers['content-type']!, /^application\/x-www-form-urlencoded/);
    assert.deepEqual([headers.cookie, headers.authorization], [undefined, undefined]);
  });

  test('is called with GET and told nothing', async () => {
    await start('GET');
    const heard = listener.hold('/heard');
    await logOut(await gate.signedIn('alice'));
    const { method, url, body } = await heard.arrived;
    heard.release();
    assert.deepEqual([method, url.search, body], ['GET', '?key=k1', '']);
  });

  test('hears of no end that is not the user’s own wish, and of no logout without a session', async () => {
    await start('POST');
    await gate.signedIn('alice');
    await gate.provider.endSessions('alice');
    await gate.event('session.ended', { reason: 'backchannel_logout' });
    await gate.signedIn('bob');
    await gate.admin('DELETE', '/api/sessions?user=bob');
    await gate.event('session.ended', { reason: 'operator' });
    await logOut(gate.browser());
    const heard = listener.hold('/heard');
    await logOut(await gate.signedIn('carol'));
    const { body } = await heard.arrived;
    heard.release();
    assert.equal(new URLSearchParams(body).get('sub'), 'sub-carol');
    assert.equal(listener.count('/heard'), 1);
  });

  test('hears once of a logout by the application, whatever hangs on the sign-on', async () => {
    const routes = (upstream: string) => [{ name: 'app', upstream, logout: { paths: ['/slow'] } }];
    const notify = { url: `${listener.origin}/heard`, method: 'POST' };
    gate = await TestGate.start({ config: { routes, logout: { notify } } });
    const browser = await gate.signedIn('alice');
    const first = browser.cookies.value('portcullis', gate.url('/'));
    browser.cookies.remove('portcullis');
    await browser.navigate(gate.url('/echo'));
    assert.notEqual(browser.cookies.value('portcullis', gate.url('/')), first, 'two sessions of one sign-on');
    const heard = listener.hold('/heard');
    await browser.request(gate.url('/slow?ms=0'), { mode: 'navigate' });
    assert.equal(new URLSearchParams((await heard.arrived).body).get('sub'), 'sub-alice');
    heard.release();
    await gate.stopGate();
    assert.equal(gate.log.filter(({ event }) => event === 'session.ended').length, 2);
    assert.equal(listener.count('/heard'), 1);
  });

  test('that hangs or is broken holds no logout up', async () => {
    await start('POST');
    const heard = listener.hold('/heard', 'request');
    const browser = await gate.signedIn('alice');
    const startedAt = performance.now();
    await logOut(browser);
    assert.ok(performance.now() - startedAt < 1_000);
    await heard.arrived;
    heard.drop();
    assert.equal((await browser.request(gate.url('/echo'))).status, 401);
  });

  test('that is down for a moment is called again', async () => {
    await start('POST');
    status = 503;
    const first = listener.hold('/heard');
    await logOut(await gate.signedIn('alice'));
    const { body } = await first.arrived;
    const second = listener.hold('/heard');
    first.release();
    status = 200;
    assert.equal((await second.arrived).body, body);
    second.release();
  });

  test('that refuses is an event, which names who logged out and not the address', async () => {
    await start('POST');
    status = 404;
    await logOut(await gate.signedIn('alice'));
    const failed = await gate.event('relay.failed');
    const { session } = await gate.event('session.ended');
    assert.deepEqual(
      ['call', 'user', 'sub', 'session', 'attempts', 'why'].map((name) => failed[name]),
      ['notify', 'alice', 'sub-alice', session, 1, 'it answered 404'],
    );
    assert.doesNotMatch(gate.output, /key=k1/);
  });

  test('that was just reached when the gate stops is still told', async () => {
    await start('POST');
    const heard = listener.hold('/heard', 'request');
    await logOut(await gate.signedIn('alice'));
    await heard.arrived;
    const stopped = gate.stopGate();
    heard.release();
    await stopped;
    assert.equal(gate.log.filter(({ event }) => event === 'relay.failed').length, 0);
  });
});

test('logout.notify follows no redirect: the user’s name goes where the configuration says and nowhere else', async () => {
  const seen: IncomingMessage[] = [];
  const elsewhere = createServer((request, response) => {
    seen.push(request);
    response.end();
  }).listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  const listener = new HookedServer(async () => ({
    status: 307,
    headers: { location: `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/` },
    body: '',
  }));
  await listener.start();
  const notify = { url: `${listener.origin}/heard`, method: 'POST' };
  const gate = await TestGate.start({ config: { logout: { notify } } });
  const heard = listener.hold('/heard');
  const browser = await gate.signedIn('alice');
  await browser.request(gate.url('/_gate/logout'), { method: 'POST', mode: 'navigate' });
  await heard.arrived;
  heard.release();
  await gate.stopGate();
  assert.deepEqual(seen, []);
  assert.equal(gate.log.filter(({ event }) => event === 'relay.failed').length, 0);
  await gate.close();
  await listener.stop();
  elsewhere.close();
});
