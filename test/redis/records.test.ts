// What is in the store, and what a gate makes of what it finds there (security catalogue SESS-08).

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createClient, RESP_TYPES } from '@redis/client';
import { ByteSeal } from '../../src/base/byte-seal.ts';
import { Secret } from '../../src/base/secret.ts';
import { nameOfSelector } from '../../src/session/end-names.ts';
import { hashOfId, RedisKeys } from '../../src/session/redis/redis-keys.ts';
import type { SessionRecord, StoredSession } from '../../src/session/session-record.ts';
import { aRecord, aTokenSet, ISSUER } from '../support/session-records.ts';
import { RedisServer } from './redis-server.ts';
import { REPLICA_SECRET, Replica, type ReplicaOptions } from './replica.ts';

const OLD = new Secret('the session secret of the year before');
const NEW = new Secret('the session secret that is new and long');

let server: RedisServer;
const replicas: Replica[] = [];
before(async () => {
  server = await RedisServer.start();
});
after(() => server.close());
beforeEach(async () => {
  for (const replica of replicas.splice(0)) await replica.stop();
  await server.command('FLUSHALL');
});

async function replica(options: ReplicaOptions = {}): Promise<Replica> {
  const started = await Replica.start(server.port, options);
  replicas.push(started);
  return started;
}

async function signIn({ store }: Replica, overrides: Partial<SessionRecord> = {}): Promise<StoredSession> {
  const session = await store.create(aRecord(await store.now(), overrides));
  assert.ok(session !== 'ended');
  return session;
}

/** The names of all keys, and everything behind them, as text. */
async function dump(): Promise<string> {
  return server.command(
    'EVAL',
    "local all = {} for _, k in ipairs(redis.call('KEYS', '*')) do all[#all + 1] = k all[#all + 1] = redis.call('DUMP', k) end return all",
    '0',
  );
}

async function keyOfSession(): Promise<string> {
  return /portcullis:s:[\w-]+/.exec(await server.command('KEYS', 'portcullis:s:*'))![0];
}

/** Seals the record again without what it says of its ends. */
async function withoutSealedEnds(key: string, open: 'keep the open ones' | 'no open ones'): Promise<void> {
  const client = await createClient({ RESP: 3, socket: { host: '127.0.0.1', port: server.port } })
    .withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
    .connect();
  const seal = new ByteSeal({ current: [REPLICA_SECRET] }, 'stored tokens');
  const home = key.replace('portcullis:s:', '');
  const { ends, ...record } = JSON.parse(String(seal.open((await client.hGet(key, 'r'))!, home)));
  assert.equal(typeof ends, 'string');
  await client.hSet(key, 'r', seal.seal(Buffer.from(JSON.stringify(record)), home));
  if (open === 'no open ones') await client.hDel(key, 'n');
  client.destroy();
}

describe('what a dump of the store shows', () => {
  test('neither an id nor a token nor who is signed in', async () => {
    const session = await signIn(await replica(), {
      user: 'ada.lovelace',
      sub: 'sub-of-ada',
      claims: { email: 'ada@example.com' },
    });
    const { id, tokens, sid } = session.record;
    const text = await dump();
    assert.match(text, /portcullis:s:/);
    for (const secret of [id, tokens.accessToken, tokens.refreshToken!, tokens.idToken, 'ada', sid!]) {
      assert.ok(!text.includes(secret), secret);
    }
  });

  test('only names that end by themselves', async () => {
    const { store } = await replica();
    const session = await signIn({ store } as Replica);
    await store.end({ by: 'sid', issuer: ISSUER, sid: 'x' });
    assert.equal(session.ended, false);
    const forever = await server.command(
      'EVAL',
      "local n = 0 for _, k in ipairs(redis.call('KEYS', '*')) do if redis.call('PTTL', k) < 0 then n = n + 1 end end return n",
      '0',
    );
    assert.match(forever, /^:0/);
  });

  test('nothing of a session that has ended, but for its tombstone', async () => {
    const { store } = await replica();
    const { record } = await signIn({ store } as Replica);
    await store.end({ by: 'handle', handle: record.handle });
    const keys = await server.command('KEYS', '*');
    assert.deepEqual(
      keys
        .match(/portcullis:\S+/g)
        ?.map((key) => key.replace(/:t:.*/, ':t:'))
        .sort(),
      ['portcullis:{ends}:bus', 'portcullis:{ends}:t:'],
    );
  });
});

describe('the secret that seals records', () => {
  test('rotates: the first makes, all read', async () => {
    const session = await signIn(await replica({ secrets: { current: [OLD] } }));
    const both = await replica({ secrets: { current: [NEW, OLD] } });
    const found = await both.store.find(session.record.id);
    assert.equal(found?.record.user, session.record.user);
    const next = { ...found!.record, tokens: aTokenSet(), version: 2 };
    assert.equal(await both.store.update(found!, next), 'updated');
    const onlyNew = await replica({ secrets: { current: [NEW] } });
    assert.equal((await onlyNew.store.find(session.record.id))?.record.tokens.accessToken, next.tokens.accessToken);
  });

  test('rotates while the gate runs, and where the former is in the list no more, what it sealed is a new sign-in', async () => {
    const secrets = { current: [OLD] };
    const one = await replica({ secrets });
    const [early, late] = [await signIn(one), await signIn(one)];
    await one.store.jars.write(early, 'wiki', new Map([['/ a', 'a=1']]));
    secrets.current = [NEW, OLD];
    assert.equal(await one.store.update(early, { ...early.record, version: 2 }), 'updated');
    assert.deepEqual(await one.store.jars.read(early, 'wiki'), ['a=1']);
    const onlyNew = await replica({ secrets: { current: [NEW] } });
    assert.equal((await onlyNew.store.find(early.record.id))?.record.version, 2);
    assert.equal(await onlyNew.store.find(late.record.id), undefined);

    secrets.current = [NEW];
    await server.dropClients();
    while (one.troubles.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal((await one.store.find(early.record.id))?.record.handle, early.record.handle);
    assert.equal(await one.store.find(late.record.id), undefined);
    assert.equal(late.ended, true, 'and nothing of it goes on here');
    assert.deepEqual(await one.store.jars.read(early, 'wiki'), [], 'cookies that nobody can read are none');
  });

  test('of another gate reads nothing, and that is a new sign-in', async () => {
    const session = await signIn(await replica({ secrets: { current: [OLD] } }));
    assert.equal(await (await replica({ secrets: { current: [NEW] } })).store.find(session.record.id), undefined);
  });
});

describe('a record that cannot be read is a new sign-in', () => {
  const spoilings: Readonly<Record<string, (key: string) => Promise<unknown>>> = {
    'cut off half-way': (key) =>
      server.command(
        'EVAL',
        "redis.call('HSET', KEYS[1], 'r', string.sub(redis.call('HGET', KEYS[1], 'r'), 1, 60))",
        '1',
        key,
      ),
    'of a newer format': (key) => server.command('HSET', key, 'f', '2'),
    'without a format': (key) => server.command('HDEL', key, 'f'),
    'without its id': (key) => server.command('HDEL', key, 'i'),
    "another session's": async (key) => {
      const other = await signIn(replicas[0]!);
      assert.equal(other.ended, false);
      await server.command(
        'EVAL',
        "for _, k in ipairs(redis.call('KEYS', 'portcullis:s:*')) do if k ~= KEYS[1] then redis.call('HSET', KEYS[1], 'r', redis.call('HGET', k, 'r')) end end",
        '1',
        key,
      );
    },
    'of another type': async (key) => {
      await server.command('DEL', key);
      await server.command('SET', key, 'another program');
    },
    'an alias of nothing': (key) => server.command('HSET', key, 'a', 'nowhere'),
  };
  for (const [name, spoil] of Object.entries(spoilings)) {
    test(name, async () => {
      const first = await replica();
      const { record } = await signIn(first);
      await spoil(await keyOfSession());
      const { store } = await replica();
      assert.equal(await store.find(record.id), undefined);
      // And it does not stand in the way of an end or of the listing.
      await store.end({ by: 'sid', issuer: ISSUER, sid: record.sid! });
      await store.list({}, 10, undefined);
    });
  }
});

describe('a record that has come back after its end', () => {
  const changes: Readonly<Record<string, (key: string) => Promise<unknown>>> = {
    'as it was': async () => {},
    'without the names of its ends, as a gate wrote that knew of none': (key) => server.command('HDEL', key, 'n'),
    'with the names of other ends': (key) => server.command('HSET', key, 'n', 'of another session'),
    'as a gate wrote it that did not seal the names of its ends': (key) => withoutSealedEnds(key, 'keep the open ones'),
    'as a gate wrote it that knew no names of ends': (key) => withoutSealedEnds(key, 'no open ones'),
  };
  for (const [name, change] of Object.entries(changes)) {
    test(`is refused by who has not heard of it: ${name}`, async () => {
      const first = await replica();
      const [ended, living] = [await signIn(first), await signIn(first)];
      const key = `portcullis:s:${hashOfId(ended.record.id)}`;
      await server.command('COPY', key, 'copy');
      await first.store.end({ by: 'sid', issuer: ISSUER, sid: ended.record.sid! });
      await server.command('RENAME', 'copy', key);
      await change(key);
      await change(`portcullis:s:${hashOfId(living.record.id)}`);
      const { store } = await replica();
      assert.equal(await store.find(ended.record.id), undefined);
      assert.equal((await store.find(living.record.id))?.record.handle, living.record.handle);
    });
  }
});

describe('two gates on one server', () => {
  test('with different prefixes know nothing of each other', async () => {
    const [wiki, shop] = [await replica({ keyPrefix: 'wiki:' }), await replica({ keyPrefix: 'shop:' })];
    const session = await signIn(wiki);
    assert.equal(await shop.store.find(session.record.id), undefined);
    await shop.store.end({ by: 'all' });
    assert.equal(session.ended, false);
    assert.equal((await wiki.store.find(session.record.id))?.record.handle, session.record.handle);
  });

  test('with different databases know nothing of each other', async () => {
    const [one, two] = [await replica(), await replica({ access: { database: 1 } })];
    const session = await signIn(one);
    await two.store.end({ by: 'all' });
    assert.equal(session.ended, false);
  });
});

describe('beside a newer gate', () => {
  const hgetall = (key: string) => server.command('HGETALL', key);

  /** What it would write: another format, what is sealed, and a field that nobody here knows. */
  async function upgrade(key: string, version: string): Promise<string> {
    await server.command('HSET', key, 'f', '2', 'v', version, 'r', 'sealed in another way', 'z', 'new');
    return hgetall(key);
  }

  test('a record that it has changed meanwhile stays as it is, and is nobody’s session here', async () => {
    const one = await replica();
    const session = await signIn(one);
    const key = await keyOfSession();
    const newer = await upgrade(key, '2');
    one.store.touch(session);
    assert.equal(await one.store.update(session, { ...session.record, tokens: aTokenSet(), version: 2 }), 'ended');
    assert.equal(await one.store.find(session.record.id), undefined);
    assert.equal(session.ended, true);
    await one.stop();
    assert.equal(await hgetall(key), newer);
  });

  test('a user’s activity is not written into its record', async () => {
    const one = await replica();
    const session = await signIn(one);
    const key = await keyOfSession();
    // The same version: nothing else has told this gate.
    const newer = await upgrade(key, '1');
    one.store.touch(session);
    await one.stop();
    assert.equal(await hgetall(key), newer);
  });

  test('an end takes none of its records away, which the tombstone refuses all the same', async () => {
    const one = await replica();
    const { record } = await signIn(one);
    const key = await keyOfSession();
    const newer = await upgrade(key, '2');
    await one.store.end({ by: 'sid', issuer: ISSUER, sid: record.sid! });
    assert.equal(await hgetall(key), newer);
    assert.match(await server.command('KEYS', 'portcullis:{ends}:t:*'), /:t:/);
  });

  test('its record of a bearer token stays, and the token is good here too', async () => {
    const one = await replica();
    const overrides = {
      id: 'bearer.of-a-token',
      kind: 'bearer',
      handle: 'b_token',
    } as unknown as Partial<SessionRecord>;
    const session = await signIn(one, overrides);
    const key = await keyOfSession();
    const newer = await upgrade(key, '1');
    const other = await replica();
    assert.equal(await other.store.find(session.record.id), undefined);
    const again = await signIn(other, { ...session.record });
    assert.equal(await other.store.find(session.record.id), again);
    assert.equal(await hgetall(key), newer);
  });

  for (const [what, json] of Object.entries({
    'of a kind that is not known here':
      '{"from":"newer","selector":{"by":"device","device":"x"},"issuedBeforeSeconds":0}',
    'in another form': '{"v":2}',
    'that is no JSON': 'binary',
    'that is nothing': 'null',
  })) {
    test(`an end ${what} stops all that is held, and who lives is asked anew`, async () => {
      const one = await replica();
      const [alice, bob] = [await signIn(one), await signIn(one)];
      await server.command('PUBLISH', 'portcullis:{ends}:heard@0', `1 tip - 1000000 ${json}`);
      await one.store.now();
      assert.deepEqual([alice.ended, bob.ended, one.stopped.length], [true, true, 2]);
      assert.equal((await one.store.find(alice.record.id))?.record.handle, alice.record.handle);
    });
  }

  test('a tombstone in another form refuses what it names, and an older end adds to it', async () => {
    const one = await replica();
    const { record } = await signIn(one);
    const tombstone = new RedisKeys('portcullis:', 0).tombstone(
      nameOfSelector({ by: 'sid', issuer: ISSUER, sid: record.sid! }),
    );
    await server.command('SET', tombstone, 'v2:whatever');
    assert.equal(await (await replica()).store.find(record.id), undefined);
    const later = `${Math.round((await one.store.now()) * 1_000) + 60_000_000}`;
    await server.command('SET', tombstone, `${later} 77 more`);
    await one.store.end({ by: 'sid', issuer: ISSUER, sid: record.sid! });
    assert.match(await server.command('GET', tombstone), new RegExp(`${later} 77`));
  });
});
