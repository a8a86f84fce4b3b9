// Load: as many requests as a server answers on so many connections, and how long each took. wrk where it is installed, because
// its figures are the ones that others compare with; else a generator of our own.

import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { Worker } from './children.ts';
import { commandAt } from './placement.ts';
import { processorSeconds } from './process-accounts.ts';

const run = promisify(execFile);

export interface LoadOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly seconds: number;
}

export interface Load {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export const hasWrk = spawnSync('wrk', ['-v'], { stdio: 'ignore' }).error === undefined;

/** Load, and what it cost the process that answered. */
export async function loadOf(pid: number, options: LoadOptions): Promise<Load & { microsecondsPerRequest: number }> {
  const before = processorSeconds(pid);
  const load = await (hasWrk ? runWrk(options) : runGenerator(options));
  const seconds = processorSeconds(pid) - before;
  return { ...load, microsecondsPerRequest: (seconds / load.requests) * 1e6 };
}

async function runWrk({ url, headers, connections, seconds }: LoadOptions): Promise<Load> {
  const lines = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const args = ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '--latency', ...lines, url];
  const [file, words] = commandAt({ place: 'others' }, args);
  const { stdout } = await run(file, words);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`not every request was answered well:\n${stdout}`);
  const [, requests, elapsed] = /(\d+) requests in ([\d.]+s|[\d.]+m)/.exec(stdout) ?? [];
  return {
    requests: Number(requests),
    requestsPerSecond: Number(
      /Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? Number(requests) / Number.parseFloat(elapsed!),
    ),
    p50Ms: latency(stdout, '50%'),
    p99Ms: latency(stdout, '99%'),
  };
}

const UNIT_MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 };

function latency(stdout: string, share: string): number {
  const [, value, unit] = new RegExp(`${share}\\s+([\\d.]+)(us|ms|s)`).exec(stdout) ?? [];
  return Number(value) * UNIT_MS[unit ?? 'ms']!;
}

async function runGenerator(options: LoadOptions): Promise<Load> {
  const generator = Worker.start(new URL('./load-generator.ts', import.meta.url), { place: 'others' });
  try {
    return await generator.ask<Load>('run', options);
  } finally {
    await generator.stop();
  }
}
