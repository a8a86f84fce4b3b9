// A sign-in over a live session, against an end that another replica has marked and this one has not heard of yet (design:
// never undone).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { newSessionId } from '../../src/base/ids.ts';
import { aRecord, ISSUER } from '../support/session-records.ts';
import { RedisServer } from './redis-server.ts';
import { Replica } from './replica.ts';

describe('a sign-in over a live session', () => {
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

  /** What a mark leaves in the store, without the word to the replicas: that is still on its way. */
  async function markSilently(arrivedAt: number): Promise<void> {
    const [, tombstone] = /(portcullis:\{ends\}:t:\S+)/.exec(await server.command('KEYS', 'portcullis:{ends}:t:*'))!;
    await server.command('SET', tombstone!, `${Math.round(arrivedAt * 1000)} 0`, 'PX', '60000');
  }

  test('does not carry it across an end that came before, even one that it began after', async () => {
    const { store } = replica;
    await store.end({ by: 'sid', issuer: ISSUER, sid: 'gone' });
    const session = await store.create(aRecord(await store.now(), { sid: 'gone' }));
    assert.ok(session !== 'ended', 'the provider uses the sid again');
    await markSilently(await store.now());

    const next = aRecord(await store.now(), {
      sid: 'gone',
      id: newSessionId(),
      handle: session.record.handle,
      version: 2,
    });
    assert.equal(await store.replaceId(session, next), 'ended');
    assert.equal(await store.find(next.id), undefined);
    assert.equal((await store.list({ sid: 'gone' }, 10, undefined)).sessions.length, 0);
  });
});
