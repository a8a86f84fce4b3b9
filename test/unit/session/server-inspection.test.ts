// What servers of different makes say of themselves, and what is made of it.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RedisConnection } from '../../../src/session/redis/redis-connection.ts';
import { inspectServer } from '../../../src/session/redis/server-inspection.ts';

function inspect(facts: Record<string, string>, isCluster: boolean): Promise<string | undefined> {
  const info = Object.entries(facts).map(([name, value]) => `${name}:${value}\r\n`);
  const connection = {
    send: async () => `# Server\r\n${info.join('')}`,
    // The commands that the user may not run.
    run: async () => [],
  } as unknown as RedisConnection;
  return inspectServer(connection, { isCluster, scratch: 'scratch', channel: 'channel' });
}

const MODES = { Redis: 'redis_mode', Valkey: 'server_mode' };

describe('inspectServer', () => {
  for (const [make, field] of Object.entries(MODES)) {
    test(`knows a node of a ${make} cluster from a server on its own`, async () => {
      const facts = { redis_version: '7.2.4', role: 'master', maxmemory: '0' };
      const [alone, node] = [
        { ...facts, [field]: 'standalone' },
        { ...facts, [field]: 'cluster' },
      ];
      assert.equal(await inspect(alone, false), undefined);
      assert.equal(await inspect(node, true), undefined);
      await assert.rejects(inspect(node, false), { message: /name its nodes in session\.redis\.cluster/ });
      await assert.rejects(inspect(alone, true), { message: /remove session\.redis\.cluster/ });
    });
  }
});
