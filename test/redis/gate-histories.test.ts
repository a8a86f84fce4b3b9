// Histories of four gates under random faults, judged by what their clients saw: requests and bytes (design: the promise, 1
// and 2). The judge is itself judged: it finds a near cache that ignores its lease.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FaultProxy } from './fault-proxy.ts';
import { GateFleet } from './gate-fleet.ts';
import { GateHistory } from './gate-history.ts';
import { judge, type SeenHistory, strictlyJudged } from './history-judge.ts';
import { RedisServer } from './redis-server.ts';

const GATES = 4;
const USERS = Array.from({ length: 10 }, (_, i) => `user-${i}`);
const ENDS = 8;

describe('histories of four gates under random faults', () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server.close());

  async function play(seed: number, env: Record<string, string> = {}): Promise<SeenHistory> {
    await server.command('FLUSHALL');
    const proxies = await Promise.all(Array.from({ length: GATES }, () => FaultProxy.start(server.port)));
    const fleet = await GateFleet.start({
      redis: proxies.map(({ port }) => ({ url: `redis://127.0.0.1:${port}/0` })),
      provider: { users: Object.fromEntries(USERS.map((user) => [user, {}])) },
      app: { tickMs: 50 },
      env,
    });
    try {
      return await new GateHistory({ seed, fleet, proxies, users: USERS, ends: ENDS }).play();
    } finally {
      await fleet.close();
      for (const proxy of proxies) proxy.close();
    }
  }

  for (const seed of [1, 2]) {
    test(`admit no request and forward no byte after the answer: seed ${seed}`, async () => {
      const history = await play(seed);
      assert.deepEqual(judge(history), []);
      // A history in which nothing happens is not a good one.
      const answered = [...history.ends.values()].filter(({ answeredAt }) => answeredAt < Number.POSITIVE_INFINITY);
      assert.ok(answered.length >= ENDS / 2, `${answered.length} notices answered 200`);
      assert.ok(
        strictlyJudged(history) >= GATES * 3,
        `${strictlyJudged(history)} connections held to the answer itself`,
      );
      const answers = (status: number) => history.requests.filter((request) => request.status === status).length;
      assert.ok(answers(200) > 100 && answers(401) > 10 && answers(503) > 0, 'answers of every kind');
    });
  }

  test('show a near cache that ignores its lease', async () => {
    const spoil = new URL('./believe-always.ts', import.meta.url).href;
    const violations = judge(await play(1, { NODE_OPTIONS: `--import ${spoil}` }));
    assert.ok(
      violations.some((line) => line.includes('admitted')),
      violations.join('\n'),
    );
  });
});
