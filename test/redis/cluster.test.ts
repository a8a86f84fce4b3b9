// The contract suite on a cluster of six nodes, and the death of the node that has the bus.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Secret } from '../../src/base/secret.ts';
import { RIGHTS } from '../../src/session/redis/redis-errors.ts';
import { jarStoreContract } from '../contract/jar-store-contract.ts';
import { sessionStoreContract } from '../contract/session-store-contract.ts';
import { aRecord, ISSUER } from '../support/session-records.ts';
import { RedisCluster } from './redis-cluster.ts';
import { RedisServer } from './redis-server.ts';
import { Replica } from './replica.ts';

let cluster: RedisCluster;
before(async () => {
  cluster = await RedisCluster.start();
});
after(() => cluster.close());

const BUS = 'portcullis:{ends}:bus';

function gate(): Promise<Replica> {
  const nodes = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
  return Replica.start(0, { servers: { cluster: nodes } });
}

sessionStoreContract('redis store on a cluster', async () => {
  await cluster.flush();
  const { store } = await gate();
  return {
    store,
    advance: async (ms) => {
      const last = Math.round(((await store.now()) + ms) * 1_000);
      await cluster.command('HSET', BUS, 'last', String(last));
      await store.now();
    },
    close: () => store.stop(),
  };
});

const desks: Replica[] = [];
after(() => Promise.all(desks.map((desk) => desk.stop())));

jarStoreContract('redis cluster', async () => {
  const desk = await gate();
  desks.push(desk);
  return desk.jarDesk();
});

test('a user who may not ask for the slots is told so; with that right the others are enough', async () => {
  const words = RIGHTS.replace('<user>', 'least').replaceAll('<key_prefix>', 'portcullis:').split(' ').slice(2);
  const start = async (...more: readonly string[]) => {
    for (const { port } of cluster.nodes) await RedisServer.ask(port, [...words, 'on', '>secret', ...more]);
    const nodes = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
    const access = { database: 0, username: 'least', password: new Secret('secret') };
    return Replica.start(0, { servers: { cluster: nodes }, access });
  };
  const without = await start();
  assert.match(without.store.trouble() ?? '', /may not run CLUSTER; allow it: .*\+cluster/);
  await without.stop();
  const replica = await start('+cluster');
  const session = await replica.signIn();
  assert.deepEqual([await replica.store.find(session.record.id), replica.troubles], [session, [undefined]]);
  await replica.stop();
});

describe('a node that dies', () => {
  test('takes neither sessions nor ends with it: its replica goes on, and what was ended is refused', async () => {
    const [a, b] = [await gate(), await gate()];
    const sessions = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const session = await a.store.create(aRecord(await a.store.now()));
        assert.ok(session !== 'ended');
        return session;
      }),
    );
    const [ended, ...living] = sessions;
    await a.store.end({ by: 'sid', issuer: ISSUER, sid: ended!.record.sid! });
    const node = await cluster.masterOf(BUS);
    await node.stop();
    while (a.store.trouble() !== undefined || b.store.trouble() !== undefined || a.troubles.length < 3) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const find = async (id: (typeof living)[number]['record']['id']) => {
      for (;;) {
        try {
          return await b.store.find(id);
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    };
    assert.equal(await find(ended!.record.id), undefined);
    for (const { record } of living) assert.equal((await find(record.id))?.record.handle, record.handle);
    assert.equal((await a.store.end({ by: 'sid', issuer: ISSUER, sid: living[0]!.record.sid! })).length, 1);
    assert.equal(await find(living[0]!.record.id), undefined);
    await a.stop();
    await b.stop();
  });
});
