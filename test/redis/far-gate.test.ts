// What one gate is told and another has: a thousand live connections that stop at once, and sessions that are accounted for
// after the answer (design: everywhere; accounted for).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { instant } from '../support/instant.ts';
import type { LiveSocket } from '../support/live-socket.ts';
import type { LiveTransfer } from '../support/live-transfer.ts';
import { FaultProxy } from './fault-proxy.ts';
import { GatePair, url } from './gate-pair.ts';
import { RedisServer } from './redis-server.ts';

const EACH = 500;
/** In all, the application makes two ticks in a millisecond. */
const TICK_MS = 500;

describe('a gate that is told of what another has', () => {
  let server: RedisServer;
  let proxy: FaultProxy;
  let pair: GatePair;
  before(async () => {
    server = await RedisServer.start();
    proxy = await FaultProxy.start(server.port);
    pair = await GatePair.start({
      redis: [{ url: `redis://127.0.0.1:${proxy.port}/0` }, { url: server.url }],
      app: { tickMs: TICK_MS },
    });
  });
  after(async () => {
    await pair.close();
    proxy.close();
    await server.close();
  });

  test('1 000 streams and sockets at one have stopped when the notice at the other is answered', async () => {
    const alice = await pair.signedIn(pair.a);
    const streams: LiveTransfer[] = [];
    const sockets: LiveSocket[] = [];
    while (sockets.length < EACH) {
      const some = Array.from({ length: 25 }, () => alice.download(url(pair.b, '/events')));
      const others = some.map(() => alice.openWebSocket(url(pair.b, '/ws')));
      await Promise.all([...some.map((stream) => stream.moreBytes()), ...others.map(({ opened }) => opened)]);
      streams.push(...some);
      sockets.push(...others);
    }
    assert.equal(await pair.notify(pair.a, 'alice'), 200);
    const answeredAt = instant();
    for (const stream of streams) assert.equal(await stream.ended, 'cut');
    for (const socket of sockets) assert.equal((await socket.closed).code, 1008);
    const lastTicks = [...streams, ...sockets].map((live) => live.ticks().at(-1)!);
    assert.ok(Math.max(...lastTicks) <= answeredAt);
  });

  test('a session that is taken out after the answer is accounted for then, once', async () => {
    const alice = await pair.signedIn(pair.b, 'alice');
    const { log } = pair.a.process;
    const endsOfAlice = () => log.filter(({ event, user }) => event === 'session.ended' && user === 'alice').length;
    const before = endsOfAlice();
    const stream = alice.download(url(pair.b, '/events'));
    await stream.moreBytes();
    // The first gate hears its own mark, and whatever it asks the store after that takes a while.
    proxy.holdAfter('heard@0');
    assert.equal(await pair.notify(pair.a, 'alice'), 200);
    assert.equal(await stream.ended, 'cut');
    assert.equal(endsOfAlice(), before, 'its record has not been read yet');
    proxy.release();
    while (endsOfAlice() === before) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal((await alice.request(url(pair.a, '/echo'))).status, 401);
    assert.equal(endsOfAlice(), before + 1);
  });
});
