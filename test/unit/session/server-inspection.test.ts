// What servers of different makes say of themselves, and what is made of it.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RedisConnection } from '../../../src/session/redis/redis-connection.ts';
import { inspectServer } from '../../../src/session/redis/server-inspection.ts';

function inspect(facts: Record<string, string>, expected: 'one server' | 'a cluster'): Promise<string | undefined> {
  const info = Object.entries(facts).map(([name, value]) => `${name}:${value}\r\n`);
  const connection = { send: async () => `# Server\r\n${info.join('')}` } as unknown as RedisConnection;
  return inspectServer(connection, expected);
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
      assert.equal(await inspect(alone, 'one server'), undefined);
      assert.equal(await inspect(node, 'a cluster'), undefined);
      await assert.rejects(inspect(node, 'one server'), { message: /name its nodes in session\.redis\.cluster/ });
      await assert.rejects(inspect(alone, 'a cluster'), { message: /remove session\.redis\.cluster/ });
    });
  }
});
