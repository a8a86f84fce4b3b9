// What one gate is told and another has: a thousand live connections that stop at once, and sessions that are accounted for
// after the answer (design: everywhere; accounted for).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { instant } from '../support/instant.ts';
import type { LiveSocket } from '../support/live-socket.ts';
import type { LiveTransfer } from '../support/live-transfer.ts';
import { FaultyPair } from './faulty-pair.ts';
import { url } from './gate-pair.ts';

const EACH = 500;
/** In all, the application makes two ticks in a millisecond. */
const TICK_MS = 500;

/**
 * A thousand connections stop in the time of so many notices about one, whatever else the machine does meanwhile. On a quiet one
 * a lease that has to lapse takes longer; how many milliseconds it may take there `npm run bench:store` judges.
 */
const NOTICES_ABOUT_ONE = 50;

describe('a gate that is told of what another has', () => {
  let pair: FaultyPair;
  before(async () => {
    pair = await FaultyPair.startBehind('a', { app: { tickMs: TICK_MS } });
  });
  after(() => pair.close());

  /** How long the answer takes to a notice about one stream at the other gate, at least. */
  async function noticeAboutOne(): Promise<number> {
    const took: number[] = [];
    while (took.length < 5) {
      const bob = await pair.signedIn(pair.a, 'bob');
      const stream = bob.download(url(pair.b, '/events'));
      await stream.moreBytes();
      const sentAt = instant();
      assert.equal(await pair.notify(pair.a, 'bob'), 200);
      took.push(instant() - sentAt);
      assert.equal(await stream.ended, 'cut');
      pair.provider.dropSessions('bob');
    }
    return Math.min(...took);
  }

  test('1 000 streams and sockets at one have stopped when the notice at the other is answered', async (context) => {
    const oneMs = await noticeAboutOne();
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
    const sentAt = instant();
    assert.equal(await pair.notify(pair.a, 'alice'), 200);
    const answeredAt = instant();
    for (const stream of streams) assert.equal(await stream.ended, 'cut');
    for (const socket of sockets) assert.equal((await socket.closed).code, 1008);
    const lastTicks = [...streams, ...sockets].map((live) => live.ticks().at(-1)!);
    assert.ok(Math.max(...lastTicks) <= answeredAt);
    const tookMs = Math.max(...lastTicks) - sentAt;
    context.diagnostic(
      `the last tick came ${Math.round(tookMs)} ms after the notice; one about one: ${Math.round(oneMs)} ms`,
    );
    assert.ok(
      tookMs < NOTICES_ABOUT_ONE * oneMs,
      `${tookMs} ms, where a notice about one connection takes ${oneMs} ms`,
    );
  });

  test('a session that is taken out after the answer is accounted for then, once', async () => {
    const alice = await pair.signedIn(pair.b, 'alice');
    const { log } = pair.a.process;
    const endsOfAlice = () => log.filter(({ event, user }) => event === 'session.ended' && user === 'alice').length;
    const before = endsOfAlice();
    const stream = alice.download(url(pair.b, '/events'));
    await stream.moreBytes();
    // The first gate hears its own mark, and whatever it asks the store after that takes a while.
    pair.proxy.holdAfter('heard@0');
    assert.equal(await pair.notify(pair.a, 'alice'), 200);
    assert.equal(await stream.ended, 'cut');
    assert.equal(endsOfAlice(), before, 'its record has not been read yet');
    pair.proxy.release();
    while (endsOfAlice() === before) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal((await alice.request(url(pair.a, '/echo'))).status, 401);
    assert.equal(endsOfAlice(), before + 1);
  });
});
