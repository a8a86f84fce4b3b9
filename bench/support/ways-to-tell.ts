// How ends could reach the other replicas: a message to a channel, or an entry of a stream that each replica reads. Either
// in the script that writes the tombstone, to so many replicas.

import { setTimeout as sleep } from 'node:timers/promises';
import { processorSeconds } from './process-accounts.ts';
import type { BenchRedis, RedisClient } from './redis.ts';
import { quantile } from './statistics.ts';

export interface WayCost {
  readonly name: string;
  /** From the mark being sent until every replica had heard it, one end after the other. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** With many marks under way. */
  readonly endsPerSecond: number;
  readonly redisMicrosecondsPerEnd: number;
  /** What Redis keeps of an end besides its tombstone. */
  readonly keptBytesPerEnd: number;
}

interface Way {
  readonly name: string;
  readonly script: string;
  /** Calls `heard` for each end, until the client is destroyed. */
  listen(client: RedisClient, heard: () => void): Promise<void>;
}

const REPLICAS = 4;
const ONE_BY_ONE = 2_000;
const FLOOD = 20_000;
const UNDER_WAY = 64;
const KEPT = 10_000;
const MESSAGE = JSON.stringify({
  from: 'a-replica-name',
  selector: { by: 'sid', issuer: 'https://sso.example.com/realms/acme', sid: '3f1c2f6e-8a55-4d0e-9c0a-0d0f6c1b2a34' },
  issuedBeforeSeconds: 1_790_000_000,
});

const MARK = `redis.call('SET', KEYS[1], ARGV[1], 'PX', 36000000) redis.call('HINCRBY', KEYS[2], 'seq', 1) `;
const WAYS: readonly Way[] = [
  {
    name: 'a message to a channel',
    script: `${MARK} return redis.call('PUBLISH', 'ends', ARGV[2])`,
    listen: (client, heard) => client.subscribe('ends', heard),
  },
  {
    name: 'an entry of a stream',
    script: `${MARK} return redis.call('XADD', 'stream', 'MAXLEN', '~', '${KEPT}', '*', 'm', ARGV[2])`,
    listen: async (client, heard) => void readStream(client, heard).catch(() => {}),
  },
];

export async function waysToTell(redis: BenchRedis, rounds: number): Promise<WayCost[][]> {
  const costs: WayCost[][] = WAYS.map(() => []);
  // The first round warms compilers, and does not count.
  for (let round = 0; round <= rounds; round++) {
    for (const [i, way] of WAYS.entries()) {
      await redis.client.flushAll();
      const cost = await measure(redis, way);
      if (round > 0) costs[i]!.push(cost);
    }
  }
  return costs;
}

async function measure(redis: BenchRedis, way: Way): Promise<WayCost> {
  let heard = 0;
  let wake = (): void => {};
  let awaited = 0;
  const hear = (): void => {
    if (++heard === awaited) wake();
  };
  const allHeard = (ends: number): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
      awaited = ends * REPLICAS;
      if (heard >= awaited) resolve();
    });
  const replicas = await Promise.all(Array.from({ length: REPLICAS }, () => redis.connect()));
  for (const replica of replicas) await way.listen(replica, hear);
  await sleep(50);
  const sha = await redis.client.scriptLoad(way.script);
  const tell = () => redis.client.evalSha(sha, { keys: ['tombstone', 'bus'], arguments: ['1 2', MESSAGE] });
  const emptyBytes = await redis.usedBytes();
  const tookMs: number[] = [];
  for (let end = 1; end <= ONE_BY_ONE; end++) {
    const began = performance.now();
    const reached = allHeard(end);
    await tell();
    await reached;
    tookMs.push(performance.now() - began);
  }
  const keptBytes = (await redis.usedBytes()) - emptyBytes;
  const [before, began] = [processorSeconds(redis.pid), performance.now()];
  let left = FLOOD;
  const teller = async (): Promise<void> => {
    while (left-- > 0) await tell();
  };
  const reached = allHeard(ONE_BY_ONE + FLOOD);
  await Promise.all(Array.from({ length: UNDER_WAY }, teller));
  await reached;
  const seconds = (performance.now() - began) / 1_000;
  const cost = {
    name: way.name,
    p50Ms: quantile(tookMs, 0.5),
    p99Ms: quantile(tookMs, 0.99),
    endsPerSecond: FLOOD / seconds,
    redisMicrosecondsPerEnd: ((processorSeconds(redis.pid) - before) / FLOOD) * 1e6,
    keptBytesPerEnd: Math.max(0, keptBytes) / ONE_BY_ONE,
  };
  for (const replica of replicas) replica.destroy();
  return cost;
}

async function readStream(client: RedisClient, heard: () => void): Promise<void> {
  let last = '0';
  for (;;) {
    const streams = await client.xRead({ key: 'stream', id: last }, { BLOCK: 0, COUNT: 100 });
    const { messages } = (streams as { messages: { id: string }[] }[])[0]!;
    last = messages.at(-1)!.id;
    for (const _ of messages) heard();
  }
}
