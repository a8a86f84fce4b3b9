// Jars in the shared store: the contract, and what replicas make of each other's (design: `cookies: jar`).

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Secret } from '../../src/base/secret.ts';
import { nameOfSelector } from '../../src/session/end-names.ts';
import { RedisKeys } from '../../src/session/redis/redis-keys.ts';
import type { StoredSession } from '../../src/session/session-record.ts';
import { jarStoreContract } from '../contract/jar-store-contract.ts';
import { FaultProxy } from './fault-proxy.ts';
import { RedisServer } from './redis-server.ts';
import { Replica, type ReplicaOptions } from './replica.ts';

const OLD = new Secret('the session secret of the year before');
const NEW = new Secret('the session secret that is new and long');

let server: RedisServer;
const replicas: Replica[] = [];
before(async () => {
  server = await RedisServer.start();
});
after(async () => {
  for (const replica of replicas) await replica.stop();
  await server.close();
});
beforeEach(async () => {
  for (const replica of replicas.splice(0)) await replica.stop();
  await server.command('FLUSHALL');
});

async function replica(options: ReplicaOptions = {}, port = server.port): Promise<Replica> {
  const started = await Replica.start(port, options);
  replicas.push(started);
  return started;
}

/** The same session, as another replica holds it. */
async function at({ store }: Replica, { record: { id } }: StoredSession): Promise<StoredSession> {
  return (await store.find(id))!;
}

const put = (...names: string[]) => new Map(names.map((name) => [`/ ${name}`, `${name}=1`]));

jarStoreContract('redis', async () => (await replica()).jarDesk());

describe('a jar that replicas share', () => {
  test('is the same at each, and what two change at once is all kept', async () => {
    const [a, b] = [await replica(), await replica()];
    const session = await a.signIn();
    const same = await at(b, session);
    await Promise.all([
      a.store.jars.write(session, 'wiki', put('a', 'b')),
      b.store.jars.write(same, 'wiki', put('c')),
      b.store.jars.write(same, 'blog', put('d')),
    ]);
    for (const [{ store }, own] of [[a, session] as const, [b, same] as const]) {
      assert.deepEqual([...(await store.jars.read(own, 'wiki'))].sort(), ['a=1', 'b=1', 'c=1']);
      assert.deepEqual(await store.jars.read(own, 'blog'), ['d=1']);
    }
  });

  test('goes to one of those who take it out, and keeps nothing that another replica still has to write', async () => {
    const [a, b] = [await replica(), await replica()];
    const session = await a.signIn();
    const same = await at(b, session);
    await a.store.jars.write(session, 'wiki', put('a'));
    const taken = await Promise.all([a.store.jars.takeOut(session), b.store.jars.takeOut(same)]);
    assert.deepEqual(taken.map((jars) => jars.size).sort(), [0, 1]);
    // It has not heard of the end yet.
    await b.store.jars.write(same, 'wiki', put('late'));
    assert.deepEqual(await b.store.jars.read(same, 'wiki'), []);
    assert.deepEqual([...(await a.store.jars.takeOut(session))], []);
  });

  test('of a session that another replica held is found by whoever ends it, and so is its record', async () => {
    const [a, b] = [await replica(), await replica()];
    const session = await b.signIn();
    await b.store.jars.write(session, 'wiki', put('a'));
    const [ended] = await a.store.end({ by: 'handle', handle: session.record.handle });
    assert.deepEqual([...(await a.store.jars.takeOut(ended!))], [['wiki', ['a=1']]]);
  });

  test('and its record stay for whoever has just ended the session, though another replica meets them first', async () => {
    const [a, b] = [await replica(), await replica()];
    const { record } = await a.signIn();
    const [key] = /portcullis:s:[\w-]+/.exec(await server.command('KEYS', 'portcullis:s:*'))!;
    await server.command('COPY', key, 'kept');
    await a.store.end({ by: 'handle', handle: record.handle });
    // As between the mark and the moment in which its maker comes to the record.
    await server.command('RENAME', 'kept', key);
    assert.equal(await b.store.find(record.id), undefined);
    await b.store.now();
    assert.match(await server.command('EXISTS', key), /^:1/);
  });

  test('is not in a dump of the store: neither cookies nor applications nor sessions; and it ends by itself', async () => {
    const one = await replica();
    const { store } = one;
    const session = await one.signIn();
    await store.jars.write(session, 'http://wiki:3000', new Map([['/ JSESSIONID', 'JSESSIONID=a-secret']]));
    const text = await server.command(
      'EVAL',
      "local all = {} for _, k in ipairs(redis.call('KEYS', '*')) do all[#all + 1] = k all[#all + 1] = redis.call('DUMP', k) end return all",
      '0',
    );
    assert.match(text, /portcullis:c:/);
    const { id, handle } = session.record;
    for (const secret of ['JSESSIONID', 'a-secret', 'wiki', id, handle]) assert.ok(!text.includes(secret), secret);
    const [key] = /portcullis:c:[\w-]+/.exec(text)!;
    const left = Number((await server.command('PTTL', key)).slice(1).split('\r')[0]);
    assert.ok(left > 0 && left <= 10 * 60 * 60_000, `${left} ms`);
  });

  test('costs nothing where no application has one', async () => {
    const one = await replica();
    const { store } = one;
    const session = await one.signIn();
    await store.end({ by: 'handle', handle: session.record.handle });
    assert.doesNotMatch(await server.command('KEYS', '*'), /portcullis:c:/);
  });

  test('is read with an older secret of the list, and without it there are no cookies, and no error', async () => {
    const old = await replica({ secrets: { current: [OLD] } });
    const session = await old.signIn();
    await old.store.jars.write(session, 'wiki', put('a'));
    const both = await replica({ secrets: { current: [NEW, OLD] } });
    assert.deepEqual(await both.store.jars.read(await at(both, session), 'wiki'), ['a=1']);
    const onlyNew = await replica({ secrets: { current: [NEW] } });
    assert.deepEqual(await onlyNew.store.jars.read(session, 'wiki'), []);
    assert.deepEqual([...(await onlyNew.store.jars.takeOut(session))], []);
  });

  test('of a newer format, or with cookies in each other’s places, holds none that can be used', async () => {
    const one = await replica();
    const { store } = one;
    const session = await one.signIn();
    await store.jars.write(session, 'wiki', put('a', 'b'));
    const [key] = /portcullis:c:[\w-]+/.exec(await server.command('KEYS', 'portcullis:c:*'))!;
    await server.command(
      'EVAL',
      "local f = redis.call('HGETALL', KEYS[1]) redis.call('HSET', KEYS[1], f[1], f[4], f[3], 'cut off')",
      '1',
      key,
    );
    assert.deepEqual(await store.jars.read(session, 'wiki'), []);
  });

  test('has a bound, however many change it at once, and goes on below it', async () => {
    const one = await replica();
    const { store } = one;
    const session = await one.signIn();
    const writes = Array.from({ length: 12 }, (_, i) =>
      store.jars.write(session, 'wiki', put(...Array.from({ length: 50 }, (_, j) => `c${i}-${j}`))),
    );
    await Promise.all(writes);
    assert.equal((await store.jars.read(session, 'wiki')).length, 512);
    assert.deepEqual(one.full, [session], 'told once');
    const gone = Array.from({ length: 50 }, (_, j): [string, undefined] => [`/ c0-${j}`, undefined]);
    await store.jars.write(session, 'wiki', new Map<string, string | undefined>([...gone, ['/ new', 'new=1']]));
    const kept = await store.jars.read(session, 'wiki');
    assert.deepEqual([kept.length, kept.includes('new=1')], [463, true]);
  });

  test('that is full keeps what an answer changes, and leaves out what is new', async () => {
    const one = await replica();
    const { store } = one;
    const session = await one.signIn();
    await store.jars.write(session, 'wiki', put(...Array.from({ length: 512 }, (_, i) => `c${i}`)));
    assert.deepEqual(one.full, []);
    const changes = new Map([
      ['/ new', 'new=1'],
      ...Array.from({ length: 500 }, (_, i): [string, string] => [`/ c${i}`, `c${i}=2`]),
    ]);
    await store.jars.write(session, 'wiki', changes);
    const kept = await store.jars.read(session, 'wiki');
    assert.deepEqual([kept.length, kept.filter((cookie) => cookie.endsWith('=2')).length], [512, 500]);
    assert.deepEqual([kept.includes('new=1'), one.full], [false, [session]]);
  });

  test('of a store that is gone cannot be had, nor changed, nor taken out', async () => {
    const proxy = await FaultProxy.start(server.port);
    const one = await replica({}, proxy.port);
    const { store } = one;
    const session = await one.signIn();
    proxy.cut();
    const down = { code: 'store_unavailable' };
    await assert.rejects(async () => store.jars.read(session, 'wiki'), down);
    await assert.rejects(async () => store.jars.write(session, 'wiki', put('a')), down);
    await assert.rejects(async () => store.jars.takeOut(session), down);
    proxy.close();
  });

  test('that was read by a replica without a lease goes with no session that has ended meanwhile', async () => {
    let isAsleep = false;
    const clock = { now: () => Date.now(), monotonicMs: () => performance.now() + (isAsleep ? 10_000 : 0) };
    const one = await replica({ clock });
    const { store } = one;
    const session = await one.signIn();
    await store.jars.write(session, 'wiki', put('a'));
    // An end of which no message has come yet.
    const name = nameOfSelector({ by: 'handle', handle: session.record.handle });
    const tombstone = new RedisKeys('portcullis:', 0).tombstone(name);
    await server.command('SET', tombstone, `${Math.ceil((await store.now()) * 1_000)} 0`);
    isAsleep = true;
    assert.deepEqual(await store.jars.read(session, 'wiki'), []);
    assert.equal(session.ended, true);
  });
});
