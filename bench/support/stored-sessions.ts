// What a session takes in Redis and in the process of a gate that remembers it. The sessions are real: each came through the
// gate's own sign-in, from a provider that answers at once.

import { Worker } from './children.ts';
import { BenchGate, reserveGate } from './gate.ts';
import type { BenchRedis } from './redis.ts';

export interface SessionBytes {
  readonly inRedis: number;
  readonly inProcess: number;
  readonly signInsPerSecond: number;
}

/** So many come before anything is measured: what the first ones bring along is no session's. */
const WARM_UP = 1_000;
const AT_ONCE = 16;
const BATCH = 5_000;

/** Of `count` sessions, on an empty server. */
export async function sessionBytes(redis: BenchRedis, count: number): Promise<SessionBytes> {
  const address = await reserveGate();
  const provider = Worker.start(new URL('./swift-provider.ts', import.meta.url), { place: 'others' });
  const { id: clientId } = address.client;
  const issuer = await provider.ask<string>('start', { clientId, accessTokenSeconds: 36_000, tokenMs: 0 });
  const gate = await BenchGate.start({
    address,
    issuer,
    routes: [{ upstream: issuer }],
    session: { store: 'redis', redis: { url: redis.url }, memory: { max_sessions: 2 * count + WARM_UP } },
    nodeOptions: ['--inspect=127.0.0.1:0'],
  });
  const browsers = Worker.start(new URL('./sign-ins.ts', import.meta.url), { place: 'others' });
  const signIn = (some: number) =>
    browsers.ask('signIn', { publicUrl: address.publicUrl, count: some, atOnce: AT_ONCE });
  await signIn(WARM_UP);
  const before = await bytesNow(redis, gate);
  const began = performance.now();
  for (let stored = 0; stored < count; stored += BATCH) await signIn(Math.min(BATCH, count - stored));
  const seconds = (performance.now() - began) / 1_000;
  const after = await bytesNow(redis, gate);
  await Promise.all([gate.stop(), provider.stop(), browsers.stop()]);
  return {
    inRedis: (after.inRedis - before.inRedis) / count,
    inProcess: (after.inProcess - before.inProcess) / count,
    signInsPerSecond: count / seconds,
  };
}

async function bytesNow(redis: BenchRedis, gate: BenchGate): Promise<{ inRedis: number; inProcess: number }> {
  const { heapUsed, external } = await (await gate.inspector).settledMemory();
  return { inRedis: await redis.usedBytes(), inProcess: heapUsed + external };
}
