// What surrounds the gate fails: each gets a clear answer, and nothing is lost.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { PATHS } from '../../support/embedded-provider.ts';
import { TestGate } from '../../support/test-gate.ts';

describe('faults around the gate', () => {
  let gate: TestGate;
  afterEach(() => gate.close());

  test('the provider is down at start: the gate starts, says why, serves public paths, and recovers by itself', async () => {
    gate = await TestGate.start({
      providerAtStart: 'down',
      config: {
        routes: (upstream: string) => [{ name: 'app', upstream, access: [{ path: '/1k', auth: 'public' }] }],
      },
    });
    const readyz = await fetch(`${gate.addresses.adminUrl}/readyz`);
    assert.equal(readyz.status, 503);
    assert.match(await readyz.text(), /provider/);
    assert.equal((await gate.browser().request(gate.url('/1k'))).status, 200);
    const page = await gate.browser().navigate(gate.url('/echo'));
    assert.equal(page.status, 503);
    assert.ok(page.headers['retry-after']);
    await gate.provider.restart();
    await gate.event('provider.ready');
    assert.equal((await gate.signIn(gate.browser())).status, 200);
    assert.equal((await fetch(`${gate.addresses.adminUrl}/readyz`)).status, 200);
  });

  test('the provider goes down: who is signed in goes on working, and logout still works here', async () => {
    gate = await TestGate.start({ provider: { lifetimes: { accessTokenSeconds: 2 } } });
    const browser = await gate.signedIn('alice');
    await gate.provider.stop();
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    assert.equal((await browser.request(gate.url('/echo'))).status, 200);
    const answer = await browser.request(gate.url('/_gate/logout'), { method: 'POST', mode: 'navigate' });
    assert.equal(answer.status, 303);
    assert.equal((await browser.request(gate.url('/echo'))).status, 401);
  });

  test('the upstream is down: 502 with a request id, as a page or as JSON', async () => {
    gate = await TestGate.start({ config: { routes: [{ name: 'app', upstream: 'http://127.0.0.1:1' }] } });
    const browser = gate.browser();
    const page = await gate.signIn(browser);
    assert.equal(page.status, 502);
    const failed = await gate.event('upstream.failed');
    assert.ok(page.text.includes(String(failed['request_id'])));
    const json = await browser.request(gate.url('/echo'));
    assert.equal(json.status, 502);
    assert.equal(JSON.parse(json.text).error, 'upstream_unreachable');
  });

  test('the memory is full of sessions: the one that was idle longest goes, with an event', async () => {
    gate = await TestGate.start({ config: { session: { memory: { max_sessions: 2 } } } });
    const [first, second] = [await gate.signedIn('alice'), await gate.signedIn('bob')];
    const stream = second.download(gate.url('/events'));
    await stream.moreBytes();
    await first.request(gate.url('/echo'));
    const third = await gate.signedIn('carol');
    const ended = await gate.event('session.ended', { reason: 'evicted' });
    assert.equal(ended['user'], 'bob');
    assert.equal(await stream.ended, 'cut');
    assert.equal((await first.request(gate.url('/echo'))).status, 200);
    assert.equal((await second.request(gate.url('/echo'))).status, 401);
    assert.equal((await third.request(gate.url('/echo'))).status, 200);
  });

  test('a user of whom the provider knows nothing any more is out within the revalidation bound, streams included', async () => {
    gate = await TestGate.start({ config: { session: { revalidate: '2s' } } });
    const browser = await gate.signedIn('alice');
    const other = await gate.signedIn('bob');
    const stream = browser.download(gate.url('/events'));
    const others = other.download(gate.url('/events'));
    await Promise.all([stream.moreBytes(), others.moreBytes()]);
    const startedAt = performance.now();
    gate.provider.dropSessions('alice');
    assert.equal(await stream.ended, 'cut');
    assert.ok(performance.now() - startedAt < 3_000);
    const ended = await gate.event('session.ended', { reason: 'revalidation' });
    assert.equal(ended['notice_missed'], true);
    assert.equal((await browser.request(gate.url('/echo'))).status, 401);
    await others.moreBytes();
  });

  test('the idle timeout ends a session and its event stream, and leaves a session in use alone', async () => {
    gate = await TestGate.start({ config: { session: { idle_timeout: '2s' } } });
    const idle = await gate.signedIn('alice');
    const busy = await gate.signedIn('bob');
    const stream = idle.download(gate.url('/events'));
    const download = busy.download(gate.url('/download'));
    await Promise.all([stream.moreBytes(), download.moreBytes()]);
    assert.equal(await stream.ended, 'cut');
    assert.equal((await gate.event('session.ended'))['reason'], 'idle_timeout');
    await download.moreBytes();
    assert.equal((await busy.request(gate.url('/echo'))).status, 200);
  });

  test('the absolute timeout ends a session in the middle of its use', async () => {
    gate = await TestGate.start({ config: { session: { idle_timeout: '1s', absolute_timeout: '2s' } } });
    const browser = await gate.signedIn('alice');
    const download = browser.download(gate.url('/download'));
    assert.equal(await download.ended, 'cut');
    assert.equal((await gate.event('session.ended'))['reason'], 'absolute_timeout');
  });
});

describe('a graceful stop', () => {
  test('a request on an own endpoint and a running download are finished, a WebSocket is told 1001, an event stream is cut', async () => {
    const gate = await TestGate.start({ config: { server: { timeouts: { drain: '10s' } } } });
    const browser = await gate.signedIn('alice');
    const arriving = gate.browser();
    const form = await arriving.navigate(gate.url('/echo'));
    const hold = gate.provider.hold(PATHS.token, 'answer');
    const callback = arriving.submit(form, { username: 'bob' });
    await hold.arrived;
    const slow = browser.download(gate.url('/slow?ms=500'));
    const stream = browser.download(gate.url('/events'));
    const socket = browser.openWebSocket(gate.url('/ws'));
    await Promise.all([stream.moreBytes(), socket.opened]);
    const stopped = gate.stopGate();
    setTimeout(() => hold.release(), 300);
    assert.equal((await slow.head).status, 200);
    assert.equal(await slow.ended, 'complete');
    await callback.catch(() => 'the page behind the callback may not be served any more');
    assert.ok(gate.log.some(({ event, user }) => event === 'login.succeeded' && user === 'bob'));
    await stopped;
    assert.equal((await socket.closed).code, 1001);
    assert.equal(await stream.ended, 'cut');
    await gate.close();
  });
});
