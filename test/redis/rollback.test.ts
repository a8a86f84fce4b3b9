// A store that comes back with an older state (design: decided cases, Redis failed over or came back with an older state).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { aRecord, aTokenSet, ISSUER } from '../support/session-records.ts';
import { FaultProxy } from './fault-proxy.ts';
import { RedisServer } from './redis-server.ts';
import { Replica } from './replica.ts';

describe('a store that comes back with an older state', () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server.close());

  /** As it was at `SAVE`, after a crash. */
  async function rollBack(): Promise<void> {
    await server.stop();
    await server.start();
  }

  async function ready({ troubles }: Replica, times: number): Promise<void> {
    while (troubles.filter((why) => why === undefined).length < times) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  test('is told again what it has forgotten, by every replica that remembers', async () => {
    const first = await Replica.start(server.port);
    const session = await first.store.create(aRecord(await first.store.now(), { sid: 'gone' }));
    assert.ok(session !== 'ended');
    await server.command('SAVE');
    await first.store.end({ by: 'sid', issuer: ISSUER, sid: 'gone' });
    const tombstones = () => server.command('KEYS', 'portcullis:{ends}:t:*');
    assert.match(await tombstones(), /^\*1/);
    await rollBack();
    assert.match(await server.command('KEYS', 'portcullis:s:*'), /^\*1/, 'the session is back');
    await ready(first, 2);
    while (!/^\*1/.test(await tombstones())) await new Promise((resolve) => setTimeout(resolve, 20));
    const second = await Replica.start(server.port);
    assert.equal(await second.store.find(session.record.id), undefined);
    await first.stop();
    await second.stop();
  });

  test('a replica that missed the end in the gap hears of it, and stops what it held', async () => {
    await server.command('FLUSHALL');
    const [first, second] = [await Replica.start(server.port), await Replica.start(server.port)];
    const session = await first.store.create(aRecord(await first.store.now(), { sid: 'gone' }));
    assert.ok(session !== 'ended');
    const held = await second.store.find(session.record.id);
    second.live.add(session.record.handle);
    await server.command('SAVE');
    await server.stop();
    // Nobody can be told, and the end is kept.
    await assert.rejects(first.store.end({ by: 'sid', issuer: ISSUER, sid: 'gone' }), { code: 'store_unavailable' });
    assert.equal(session.ended, true);
    await server.start();
    while (!second.stopped.includes(held!)) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(held!.ended, true);
    await first.stop();
    await second.stop();
  });

  test('an end waits for the lease of a replica that the store has forgotten and that is not back yet', async () => {
    const proxy = await FaultProxy.start(server.port);
    const [first, second] = [await Replica.start(server.port), await Replica.start(proxy.port)];
    const session = await first.store.create(aRecord(await first.store.now(), { sid: 'gone' }));
    assert.ok(session !== 'ended');
    const { id } = session.record;
    const warm = await second.store.find(id);
    assert.ok(warm !== undefined);
    await second.store.now();
    await Promise.all([Promise.resolve(proxy.cut()), server.stop()]);
    await server.start();
    await ready(first, 2);
    assert.equal(second.store.find(id), warm, 'it believes what it remembers');
    await first.store.end({ by: 'sid', issuer: ISSUER, sid: 'gone' });
    await assert.rejects(async () => second.store.find(id), { code: 'store_unavailable' });
    await first.stop();
    await second.stop();
    proxy.close();
  });

  test('a session that a replica knows from the listing alone can be proven there, and ends there too', async () => {
    const [first, second] = [await Replica.start(server.port), await Replica.start(server.port)];
    const session = await first.store.create(aRecord(await first.store.now(), { sub: 'ada' }));
    assert.ok(session !== 'ended');
    const { sessions } = await second.store.list({ sub: 'ada' }, 10, undefined);
    const [listed] = sessions;
    assert.equal(listed?.ended, false);
    const proven = { ...listed!.record, provenAt: listed!.record.provenAt + 1, version: 2 };
    assert.equal(await second.store.update(listed!, proven), 'updated');
    // The message that it has changed is on its way.
    while ((await first.store.find(session.record.id))?.record.version !== 2) await new Promise(setImmediate);
    await first.store.end({ by: 'handle', handle: session.record.handle });
    assert.equal(listed!.ended, true);
    await first.stop();
    await second.stop();
  });

  test('a change that another replica made is seen by the next request, and by live connections at once', async () => {
    const [first, second] = [await Replica.start(server.port), await Replica.start(server.port)];
    const session = await first.store.create(aRecord(await first.store.now()));
    assert.ok(session !== 'ended');
    const held = (await second.store.find(session.record.id))!;
    second.live.add(session.record.handle);
    const next = { ...session.record, claims: { roles: [] }, tokens: aTokenSet(), version: 2 };
    assert.equal(await first.store.update(session, next), 'updated');
    while (!second.changed.includes(held)) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual([held.record.version, held.record.claims], [2, { roles: [] }]);
    // And one made from the older record is refused, with the newer one at hand for the next try.
    assert.equal(await second.store.update(held, { ...held.record, version: 2 }), 'changed');
    await first.stop();
    await second.stop();
  });
});
