// A sign-in over a live session: against an end that another replica has marked and this one has not heard of yet (design:
// never undone), and for as long as the new lifetime lasts.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { newSessionId } from '../../src/base/ids.ts';
import type { StoredSession } from '../../src/session/session-record.ts';
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

const HOUR = 60 * 60_000;
const LIFETIME = 10 * HOUR;

describe('what a sign-in over a live session leaves in the store', () => {
  let server: RedisServer;
  let a: Replica;
  let b: Replica;
  before(async () => {
    server = await RedisServer.start();
    const limits = { idleTimeoutMs: LIFETIME, absoluteTimeoutMs: LIFETIME };
    [a, b] = [await Replica.start(server.port, limits), await Replica.start(server.port, limits)];
  });
  after(async () => {
    await a.stop();
    await b.stop();
    await server.close();
  });
  beforeEach(async () => {
    await server.command('FLUSHALL');
  });

  /** For everything that belongs to sessions: what is over by then is gone, and the rest is so much older. */
  async function pass(hours: number): Promise<void> {
    const script = `
      for _, key in ipairs(redis.call('KEYS', 'portcullis:[^{]*')) do
        if redis.call('TYPE', key).ok == 'zset' then
          for _, home in ipairs(redis.call('ZRANGE', key, 0, -1)) do redis.call('ZINCRBY', key, -ARGV[1] * 1000, home) end
        end
        redis.call('PEXPIRE', key, redis.call('PTTL', key) - ARGV[1])
      end`;
    await server.command('EVAL', script, '0', String(hours * HOUR));
  }

  async function signInAgain(session: StoredSession, createdAt: number): Promise<void> {
    const { record } = session;
    const next = { ...record, id: newSessionId(), createdAt, version: record.version + 1 };
    assert.equal(await a.store.replaceId(session, next), 'updated');
  }

  const cookie = new Map([['/ wiki', 'wiki=1']]);

  test('is found beyond the lifetimes before, by name and by handle, with its cookies, at a replica that does not hold it', async () => {
    for (const by of ['handle', 'sid'] as const) {
      const session = await a.signIn();
      const { handle, sid, user } = session.record;
      await a.store.jars.write(session, 'wiki', cookie);
      for (let day = 0; day < 4; day++) {
        await signInAgain(session, await a.store.now());
        await pass(9);
        // Every sign-in clears up what is over, in the indexes that it enters.
        const other = await a.signIn();
        const { sessions } = await a.store.list({}, 10, undefined);
        assert.ok(sessions.includes(session), `day ${day}`);
        await a.store.end({ by: 'handle', handle: other.record.handle });
      }

      assert.deepEqual(await a.store.jars.read(session, 'wiki'), ['wiki=1']);
      for (const filter of [{ sid: sid! }, { user }]) {
        const { sessions } = await a.store.list(filter, 10, undefined);
        assert.deepEqual(sessions, [session]);
      }
      const selector = by === 'handle' ? ({ by, handle } as const) : ({ by, issuer: ISSUER, sid: sid! } as const);
      const ended = await b.store.end(selector);
      assert.deepEqual(
        ended.map(({ record }) => record.handle),
        [handle],
      );
      assert.deepEqual([...(await b.store.jars.takeOut(ended[0]!))], [['wiki', ['wiki=1']]]);
    }
  });

  test('keeps its new lifetime, though a replica that has not heard of it writes a cookie', async () => {
    const now = await a.store.now();
    const session = await a.store.create(aRecord(now - 9 * HOUR));
    assert.ok(session !== 'ended');
    const stale = (await b.store.find(session.record.id))!;
    await a.store.jars.write(session, 'wiki', cookie);
    await signInAgain(session, now);
    assert.equal(stale.record.version, 1, 'read again only at its next request');
    await b.store.jars.write(stale, 'wiki', new Map([['/ late', 'late=1']]));
    await pass(2);
    assert.deepEqual([...(await a.store.jars.read(session, 'wiki'))].sort(), ['late=1', 'wiki=1']);
  });

  test('is nothing where the session has gone meanwhile', async () => {
    const session = await a.signIn();
    // As where another replica takes it out while this one writes.
    for (const [key] of (await server.command('KEYS', 'portcullis:[^{]*')).matchAll(/portcullis:\S+/g)) {
      await server.command('DEL', key);
    }
    const next = { ...session.record, id: newSessionId(), createdAt: await a.store.now(), version: 2 };
    assert.equal(await a.store.replaceId(session, next), 'ended');
    assert.doesNotMatch(await server.command('KEYS', 'portcullis:[^{]*'), /portcullis:/);
  });
});
