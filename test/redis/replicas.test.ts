// Two gates on one store: what ends at one has stopped at the other when the notice is answered (design: everywhere;
// security catalogue BCL-18).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { instant } from '../support/instant.ts';
import { FaultyPair } from './faulty-pair.ts';
import { url } from './gate-pair.ts';

describe('two gates on one store', () => {
  let pair: FaultyPair;
  before(async () => {
    pair = await FaultyPair.startBehind('b');
  });
  after(() => pair.close());

  test('a sign-in at one is a sign-in at the other, and so is a logout', async () => {
    const alice = await pair.signedIn(pair.a);
    assert.equal((await alice.request(url(pair.b, '/echo'))).status, 200);
    await alice.navigate(url(pair.b, '/_gate/logout'), { method: 'POST', site: 'same-origin' });
    assert.equal((await alice.request(url(pair.a, '/echo'))).status, 401);
    assert.equal((await alice.request(url(pair.b, '/echo'))).status, 401);
  });

  test('BCL-18: a notice at one has stopped everything at the other when it is answered', async () => {
    const alice = await pair.signedIn(pair.a, 'alice');
    const bob = await pair.signedIn(pair.a, 'bob');
    const streams = Array.from({ length: 20 }, () => alice.download(url(pair.b, '/events')));
    const sockets = Array.from({ length: 20 }, () => alice.openWebSocket(url(pair.b, '/ws')));
    const others = bob.download(url(pair.b, '/events'));
    await Promise.all([
      ...streams.map((stream) => stream.moreBytes()),
      ...sockets.map((socket) => socket.opened),
      others.moreBytes(),
    ]);
    await pair.provider.endSessions('alice');
    const answeredAt = instant();
    assert.equal((await alice.request(url(pair.b, '/echo'))).status, 401);
    for (const stream of streams) {
      assert.equal(await stream.ended, 'cut');
      assert.ok(stream.ticks().at(-1)! <= answeredAt, 'nothing made after the answer came through');
    }
    for (const socket of sockets) {
      assert.equal((await socket.closed).code, 1008);
      assert.ok((socket.ticks().at(-1) ?? 0) <= answeredAt);
    }
    await others.moreBytes();
    assert.equal((await bob.request(url(pair.b, '/echo'))).status, 200);
    const stopped = await pair.b.process.event('session.stopped');
    assert.deepEqual([stopped?.['streams'], stopped?.['websockets']], [20, 20]);
    assert.equal(
      (await pair.a.process.event('session.ended', (line) => line['reason'] === 'backchannel_logout'))?.['user'],
      'alice',
    );
  });

  test('a process that was stopped when the notice came holds it up for a second, and wakes up distrustful', async () => {
    const alice = await pair.signedIn(pair.b, 'alice');
    const streams = Array.from({ length: 20 }, () => alice.download(url(pair.b, '/events')));
    const sockets = Array.from({ length: 20 }, () => alice.openWebSocket(url(pair.b, '/ws')));
    await Promise.all([...streams.map((stream) => stream.moreBytes()), ...sockets.map((socket) => socket.opened)]);
    pair.b.process.signal('SIGSTOP');
    const sentAt = instant();
    await pair.provider.endSessions('alice');
    const answeredAt = instant();
    assert.ok(answeredAt - sentAt < 1_200, `the notice was answered after ${answeredAt - sentAt} ms`);
    // Sent while it sleeps: it is the first that it finds when it wakes up.
    const late = alice.request(url(pair.b, '/echo'));
    const received = () => [
      ...streams.map((stream) => stream.receivedBytes),
      ...sockets.map((socket) => socket.messages.length),
    ];
    const before = received();
    pair.b.process.signal('SIGCONT');
    assert.equal((await late).status, 401);
    for (const stream of streams) assert.equal(await stream.ended, 'cut');
    for (const socket of sockets) await socket.closed;
    const more = received().filter((count, i) => count !== before[i]);
    assert.ok(
      more.length <= 1,
      'nothing is forwarded but what was between the decision and the kernel when it was stopped',
    );
    const lastTicks = [...streams, ...sockets].map((live) => live.ticks().at(-1) ?? 0);
    assert.ok(Math.max(...lastTicks) <= sentAt, 'nothing that had come for them meanwhile is forwarded');
  });

  test('a gate that the store cannot be reached from admits nobody, serves public paths, and makes up for what it missed', async () => {
    const alice = await pair.signedIn(pair.b, 'alice');
    const bob = await pair.signedIn(pair.b, 'bob');
    const [ended, living] = [alice.download(url(pair.b, '/events')), bob.download(url(pair.b, '/events'))];
    await Promise.all([ended.moreBytes(), living.moreBytes()]);
    pair.proxy.cut();
    await pair.b.process.event('store.lost');
    const sentAt = instant();
    await pair.provider.endSessions('alice');
    assert.ok(instant() - sentAt < 1_200);
    let refused = await alice.request(url(pair.b, '/echo'));
    // Until its lease has lapsed it knows of nothing.
    while (refused.status === 200) refused = await alice.request(url(pair.b, '/echo'));
    assert.equal(refused.status, 503);
    assert.ok(Number(refused.headers['retry-after']) > 0);
    assert.equal((await alice.request(url(pair.b, '/1k'))).status, 200);
    assert.equal(refused.headers['set-cookie'], undefined);
    pair.proxy.restore();
    assert.equal(await ended.ended, 'cut');
    await living.moreBytes();
    while ((await bob.request(url(pair.b, '/echo'))).status === 503)
      await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await bob.request(url(pair.b, '/echo'))).status, 200);
    assert.equal((await alice.request(url(pair.b, '/echo'))).status, 401);
  });

  test('a connection that was dropped for being idle is made again, and nobody notices', async () => {
    const bob = await pair.signedIn(pair.b, 'bob');
    pair.proxy.drop();
    const statuses: number[] = [];
    do statuses.push((await bob.request(url(pair.b, '/echo'))).status);
    while (statuses.length < 20);
    assert.deepEqual(new Set(statuses), new Set([200]));
  });

  test('sign-ins outlive a gate', async () => {
    const alice = await pair.signedIn(pair.a, 'alice');
    await pair.a.process.stop('SIGKILL');
    await pair.restart(pair.a);
    assert.equal((await alice.request(url(pair.a, '/echo'))).status, 200);
    await pair.provider.endSessions('alice');
    assert.equal((await alice.request(url(pair.a, '/echo'))).status, 401);
    assert.equal((await alice.request(url(pair.b, '/echo'))).status, 401);
  });
});
