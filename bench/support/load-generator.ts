// The load generator for machines without wrk: a closed loop on each of many connections.

import { answerParent } from './children.ts';
import { closedLoop } from './closed-loop.ts';
import type { Load, LoadOptions } from './load.ts';
import { quantile } from './statistics.ts';

/** Beyond this, each new sample replaces an old one. */
const MOST_SAMPLES = 2_000_000;

answerParent({ run });

async function run({ url, headers, connections, seconds }: LoadOptions): Promise<Load> {
  const samples = new Float64Array(MOST_SAMPLES);
  let requests = 0;
  const beganAt = performance.now();
  const until = beganAt + seconds * 1000;
  const goOn = () => performance.now() < until;
  const onAnswer = (_sentAt: number, tookMs: number) => {
    samples[requests++ % MOST_SAMPLES] = tookMs;
  };
  await Promise.all(Array.from({ length: connections }, () => closedLoop({ url, headers, goOn, onAnswer })));
  const taken = [...samples.subarray(0, Math.min(requests, MOST_SAMPLES))];
  return {
    requests,
    requestsPerSecond: (requests / (performance.now() - beganAt)) * 1000,
    p50Ms: quantile(taken, 0.5),
    p99Ms: quantile(taken, 0.99),
  };
}
