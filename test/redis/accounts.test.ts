// Ends that come while the store cannot be reached, or during whose work it fails: every session that they take out is
// accounted for, and once (design: accounted for).

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TAKE } from '../../src/session/redis/redis-scripts.ts';
import type { StoredSession } from '../../src/session/session-record.ts';
import { ISSUER } from '../support/session-records.ts';
import { FaultProxy } from './fault-proxy.ts';
import { RedisServer } from './redis-server.ts';
import { Replica } from './replica.ts';

const CLIENT = { by: 'client', issuer: ISSUER, clientId: 'wiki-gate' } as const;
const MANY = 400;

describe('an end that the store fails at', () => {
  let server: RedisServer;
  let proxy: FaultProxy;
  let a: Replica;
  let b: Replica;
  before(async () => {
    server = await RedisServer.start();
    proxy = await FaultProxy.start(server.port);
    a = await Replica.start(proxy.port, { keyPrefix: 'accounts:' });
    b = await Replica.start(server.port, { keyPrefix: 'accounts:' });
  });
  after(async () => {
    await Promise.all([a.stop(), b.stop()]);
    proxy.close();
    await server.close();
  });
  beforeEach(async () => {
    proxy.restore();
    while (a.store.trouble() !== undefined) await sleep(5);
  });

  const handlesOf = (sessions: readonly StoredSession[]) => sessions.map(({ record }) => record.handle);

  /** Sessions that only the second replica holds. */
  async function elsewhere(count: number): Promise<string[]> {
    const sessions: StoredSession[] = [];
    while (sessions.length < count) sessions.push(...(await Promise.all(Array.from({ length: 50 }, () => b.signIn()))));
    return handlesOf(sessions).sort();
  }

  test('accounts for those of other replicas when the store is back, by the batch, and for its own at once', async () => {
    const own = await a.signIn();
    const others = await elsewhere(MANY);
    proxy.cut();
    while (a.store.trouble() === undefined) await sleep(1);
    const batches: (readonly StoredSession[])[] = [];
    assert.deepEqual(handlesOf(a.store.endHeld(CLIENT)), [own.record.handle]);
    await assert.rejects(
      a.store.end(CLIENT, 0, (late) => batches.push(late)),
      { code: 'store_unavailable' },
    );
    // Once more, as by an operator who tries again.
    assert.deepEqual(a.store.endHeld(CLIENT), []);
    await assert.rejects(
      a.store.end(CLIENT, 0, () => assert.fail('the first accounts')),
      { code: 'store_unavailable' },
    );
    assert.equal(batches.length, 0);
    proxy.restore();
    while (batches.flat().length < MANY) await sleep(5);
    assert.deepEqual(handlesOf(batches.flat()).sort(), others);
    assert.ok(Math.max(...batches.map((batch) => batch.length)) <= 64);
    assert.deepEqual(handlesOf(b.stopped.splice(0)).sort(), others);
    assert.deepEqual(await b.store.end(CLIENT), []);
    assert.equal(handlesOf(batches.flat()).length, MANY);
  });

  test('accounts for every one, where the connection breaks and nobody hears what was taken out', async () => {
    const others = await elsewhere(MANY);
    const told: string[] = [];
    proxy.breakAfter(TAKE.sha);
    const ended = await a.store.end(CLIENT, 0, (late) => told.push(...handlesOf(late)));
    told.push(...handlesOf(ended));
    while (told.length < MANY) await sleep(5);
    assert.deepEqual(told.sort(), others);
    assert.ok(a.troubles.length > 1, 'the connection broke');
  });
});
