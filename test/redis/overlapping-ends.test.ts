// Two ends of one session under different names, at the same time (design: accounted for, every end is one audit event).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { StoredSession } from '../../src/session/session-record.ts';
import { aRecord, ISSUER } from '../support/session-records.ts';
import { RedisServer } from './redis-server.ts';
import { Replica } from './replica.ts';

const BY_SID = { by: 'sid', issuer: ISSUER, sid: 'twice' } as const;
const BY_SUB = { by: 'sub', issuer: ISSUER, sub: 'ada' } as const;

describe('two ends of one session', () => {
  let server: RedisServer;
  let replica: Replica;
  before(async () => {
    server = await RedisServer.start();
    replica = await Replica.start(server.port);
  });
  after(async () => {
    await replica.stop();
    await server.close();
  });

  test('account for it once, whichever of them takes it out of the store', async () => {
    const { store } = replica;
    const session = await store.create(aRecord(await store.now(), { sid: 'twice', sub: 'ada' }));
    assert.ok(session !== 'ended');
    const handlesOf = (sessions: readonly StoredSession[]) => sessions.map(({ record }) => record.handle);
    assert.deepEqual(handlesOf(store.endHeld(BY_SID)), [session.record.handle]);
    // The end by sub runs from its beginning to its end before the one by sid comes to the store.
    store.endHeld(BY_SUB);
    assert.deepEqual(handlesOf(await store.end(BY_SUB)), []);
    assert.deepEqual(handlesOf(await store.end(BY_SID)), [session.record.handle]);
  });

  test('account for it once, also where it is read before either is marked, and the store’s clock is ahead of our idea of it', async () => {
    const { store } = replica;
    const session = await store.create(aRecord((await store.now()) + 50, { sid: 'twice', sub: 'ada' }));
    assert.ok(session !== 'ended');
    assert.equal(store.endHeld(BY_SID).length, 1);
    assert.equal(await store.find(session.record.id), undefined);
    assert.deepEqual((await store.list({ sid: 'twice' }, 1, undefined)).sessions, []);
    assert.deepEqual(store.endHeld(BY_SUB), []);
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.deepEqual(await store.end(BY_SUB), []);
    assert.equal((await store.end(BY_SID)).length, 1);
  });

  test('leave nothing behind that would hide the next session of the same user', async () => {
    const { store } = replica;
    const session = await store.create(aRecord(await store.now(), { sid: 'next', sub: 'ada' }));
    assert.ok(session !== 'ended');
    assert.equal((await store.end(BY_SUB)).length, 1);
  });
});
