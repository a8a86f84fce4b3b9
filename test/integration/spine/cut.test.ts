// The promise: at the moment the notice is answered nothing of the session moves any more, and everybody else is left alone.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BrowserClient } from '../../support/browser-client.ts';
import { instant } from '../../support/instant.ts';
import { TestGate } from '../../support/test-gate.ts';

/** One of each kind of live connection, all moving. */
async function openAll(gate: TestGate, browser: BrowserClient) {
  const stream = browser.download(gate.url('/events'));
  const download = browser.download(gate.url('/download'));
  const sized = browser.download(gate.url('/download-with-length'));
  const { transfer: upload, body } = browser.upload(gate.url('/upload'));
  const socket = browser.openWebSocket(gate.url('/ws'));
  await Promise.all([stream.moreBytes(), download.moreBytes(), sized.moreBytes(), socket.opened]);
  await new Promise((resolve) => body.write('a first piece of a file', resolve));
  const waiting = browser.download(gate.url('/slow'));
  while (gate.app.seen('/upload').at(-1)?.receivedBytes !== 23) await new Promise((resolve) => setImmediate(resolve));
  while (gate.app.seen('/slow').length === 0) await new Promise((resolve) => setImmediate(resolve));
  socket.send('hello');
  await socket.message('hello');
  return { stream, download, sized, upload, body, socket, waiting };
}

describe('the cut', () => {
  let gate: TestGate;
  before(async () => {
    gate = await TestGate.start();
  });
  after(() => gate.close());

  test('BCL-17 a back-channel notice ends every connection of the session, and of nobody else', async () => {
    const [alice, bob, other] = [
      await gate.signedIn('alice'),
      await gate.signedIn('bob'),
      await gate.signedIn('carol'),
    ];
    const live = await openAll(gate, alice);
    const bobs = await openAll(gate, bob);
    await gate.provider.endSessions('alice');
    const answeredAt = instant();

    assert.deepEqual(await live.socket.closed.then(({ code, reason }) => ({ code, reason })), {
      code: 1008,
      reason: 'session ended',
    });
    assert.equal(await live.stream.ended, 'cut');
    assert.equal(await live.download.ended, 'cut');
    assert.equal(await live.sized.ended, 'cut');
    assert.equal((await live.waiting.head).status, 401);
    await live.upload.ended;
    for (const transfer of [live.stream, live.download, live.sized]) {
      const last = transfer.ticks().at(-1)!;
      assert.ok(last <= answeredAt, `a byte made ${last - answeredAt} ms after the answer came through`);
    }
    const seen = gate.app.seen('/upload')[0]!;
    while (seen.requestEnd === 'open') await new Promise((resolve) => setImmediate(resolve));
    assert.equal(seen.requestEnd, 'aborted');
    const appSocket = gate.app.sockets[0]!;
    while (appSocket.closeCode === undefined) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([appSocket.closeCode, appSocket.closeReason], [1008, 'session ended']);

    assert.equal((await alice.request(gate.url('/echo'))).status, 401);
    assert.equal((await alice.request(gate.url('/echo'), { mode: 'navigate' })).status, 302);
    await Promise.all([bobs.stream.moreBytes(), bobs.download.moreBytes(), bobs.sized.moreBytes()]);
    bobs.socket.send('still here');
    assert.ok(await bobs.socket.message('still here'));
    assert.equal((await other.request(gate.url('/echo'))).status, 200);

    const ended = await gate.event('session.ended', { reason: 'backchannel_logout' });
    assert.deepEqual([ended['requests'], ended['streams'], ended['websockets']], [4, 1, 1]);
    const again = await gate.signIn(alice, 'alice');
    assert.equal(again.status, 200);
  });

  test('logout at the gate ends the session here first and then at the provider, without a question', async () => {
    const browser = await gate.signedIn('carol');
    const socket = browser.openWebSocket(gate.url('/ws'));
    await socket.opened;
    const page = await browser.navigate(gate.url('/_gate/logout'), { method: 'POST', site: 'same-origin' });
    assert.equal((await socket.closed).code, 1008);
    assert.equal(page.url.split('?')[0], gate.url('/_gate/logged-out'));
    assert.match(page.text, /You are signed out/);
    assert.equal((await browser.request(gate.url('/echo'))).status, 401);
    const form = await browser.navigate(gate.url('/echo'));
    assert.match(form.text, /username/, 'the provider asks again');
  });

  test('a link on another site signs nobody out', async () => {
    const browser = await gate.signedIn('bob');
    const page = await browser.request(gate.url('/_gate/logout'), { mode: 'navigate', site: 'cross-site' });
    assert.equal(page.status, 200);
    assert.match(page.text, /<form method="post"/);
    assert.equal((await browser.request(gate.url('/echo'))).status, 200);
    const post = await browser.request(gate.url('/_gate/logout'), { method: 'POST', site: 'cross-site' });
    assert.equal(post.headers['set-cookie'], undefined);
    assert.equal((await browser.request(gate.url('/echo'))).status, 200);
  });

  test('an operator ends a session by its handle, and the API never shows the cookie', async () => {
    const browser = await gate.signedIn('carol');
    const stream = browser.download(gate.url('/events'));
    await stream.moreBytes();
    const { body } = await gate.admin('GET', '/api/sessions?user=carol&limit=100');
    const sessions = body['sessions'] as { handle: string; connections: { streams: number } }[];
    const mine = sessions.find(({ connections }) => connections.streams === 1)!;
    const cookie = /portcullis=([^;]+)/.exec(browser.cookies.header(new URL(gate.url('/'))) ?? '')![1]!;
    assert.equal(JSON.stringify(body).includes(cookie), false);
    assert.equal(gate.output.includes(cookie), false);
    const answer = await gate.admin('DELETE', `/api/sessions/${mine.handle}`);
    assert.equal(answer.status, 200);
    assert.equal(answer.body['ended'], 1);
    assert.equal(await stream.ended, 'cut');
    assert.equal((await browser.request(gate.url('/echo'))).status, 401);
    assert.equal((await gate.admin('DELETE', '/api/sessions')).status, 400);
    assert.equal((await fetch(`${gate.addresses.adminUrl}/api/sessions`)).status, 401);
  });
});
