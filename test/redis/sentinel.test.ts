// A master that dies, with sentinels that name another (design: decided cases, Redis failed over).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Secret } from '../../src/base/secret.ts';
import type { StoredSession } from '../../src/session/session-record.ts';
import { aRecord, ISSUER } from '../support/session-records.ts';
import { RedisServer } from './redis-server.ts';
import { Replica } from './replica.ts';
import { SentinelTrio } from './sentinel-trio.ts';

describe('a store behind sentinels', () => {
  let trio: SentinelTrio;
  before(async () => {
    trio = await SentinelTrio.start();
  });
  after(() => trio.close());

  function gate(master = 'wiki'): Promise<Replica> {
    const sentinels = trio.ports.map((port) => ({ host: '127.0.0.1', port }));
    return Replica.start(0, { servers: { sentinels, master, sentinelPassword: undefined } });
  }

  test('a wrong name of the master is said, and nothing starts', async () => {
    await assert.rejects(gate('shop'), { code: 'store_unavailable', message: /know no master of the name/ });
  });

  test('a password of the sentinels is one of their own, and where it is wrong the key to see is said', async () => {
    const port = trio.ports[0]!;
    const start = (password?: string) =>
      Replica.start(0, {
        servers: {
          sentinels: [{ host: '127.0.0.1', port }],
          master: 'wiki',
          sentinelPassword: password === undefined ? undefined : new Secret(password),
        },
      });
    await RedisServer.ask(port, ['ACL', 'SETUSER', 'default', 'resetpass', '>of the sentinels']);
    await assert.rejects(start(), { message: /wants a password; see session\.redis\.sentinel\.password/ });
    await assert.rejects(start('wrong'), { message: /password is wrong; see session\.redis\.sentinel\.password/ });
    const replica = await start('of the sentinels');
    assert.equal(replica.store.trouble(), undefined);
    await replica.stop();
    await RedisServer.ask(port, ['AUTH', 'of the sentinels'], ['ACL', 'SETUSER', 'default', 'nopass']);
  });

  test('after a failover sessions live on, and what was ended stays so', async () => {
    const first = await gate();
    const signIn = async (): Promise<StoredSession> => {
      const session = await first.store.create(aRecord(await first.store.now()));
      assert.ok(session !== 'ended');
      return session;
    };
    const [ended, living] = [await signIn(), await signIn()];
    await first.store.end({ by: 'sid', issuer: ISSUER, sid: ended.record.sid! });
    await trio.master.command('WAIT', '1', '0');
    await trio.master.stop();
    await ready(first, 2);
    const second = await gate();
    await ready(second, 1);
    assert.equal(await second.store.find(ended.record.id), undefined);
    assert.equal((await second.store.find(living.record.id))?.record.handle, living.record.handle);
    assert.equal(await first.store.find(living.record.id), living);
    assert.match(await trio.replica.command('INFO', 'replication'), /role:master/);
    await first.stop();
    await second.stop();
  });
});

/** Until the store has been found usable for the nth time. */
async function ready({ troubles }: Replica, times: number): Promise<void> {
  while (troubles.filter((why) => why === undefined).length < times) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
