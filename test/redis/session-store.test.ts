// The contract suite of session stores, run by the store in Redis.

import { after, before } from 'node:test';
import { sessionStoreContract } from '../contract/session-store-contract.ts';
import { RedisServer } from './redis-server.ts';
import { Replica } from './replica.ts';

let server: RedisServer;
before(async () => {
  server = await RedisServer.start();
});
after(() => server.close());

sessionStoreContract('redis store', async () => {
  await server.command('FLUSHALL');
  const { store } = await Replica.start(server.port);
  return {
    store,
    // A server that takes over from one whose clock was ahead: the store's time goes on from the last mark.
    advance: async (ms) => {
      const last = Math.round(((await store.now()) + ms) * 1_000);
      await server.command('HSET', 'portcullis:{ends}:bus', 'last', String(last));
      await store.now();
    },
    close: () => store.stop(),
  };
});
