// What one logout notice costs the gate's process, with few and with many sessions stored. The sessions are real: each
// came through the gate's own sign-in, from a provider that answers at once, because nothing else fills a real process.

import { Agent, request as httpRequest } from 'node:http';
import { Worker } from './children.ts';
import { BenchGate, reserveGate } from './gate.ts';
import { processorSeconds, residentBytes } from './process-accounts.ts';

export interface NoticeCost {
  readonly sessions: number;
  readonly microsecondsPerNotice: number;
  readonly tookMs: readonly number[];
  readonly residentMiB: number;
}

export interface Filled {
  readonly costs: readonly NoticeCost[];
  readonly signInsPerSecond: number;
}

const AT_ONCE = 16;
const NOTICES = 200;
const BATCH = 5_000;

/** Measures notices at each of `sizes` (ascending), filling the store in between. `onProgress` hears of the filling. */
export async function noticeCosts(sizes: readonly number[], onProgress: (stored: number) => void): Promise<Filled> {
  const address = await reserveGate();
  const provider = Worker.start(new URL('./swift-provider.ts', import.meta.url), { place: 'others' });
  const issuer = await provider.ask<string>('start', {
    clientId: address.client.id,
    accessTokenSeconds: 36_000,
    tokenMs: 0,
  });
  const gate = await BenchGate.start({
    address,
    issuer,
    routes: [{ upstream: issuer }],
    session: { memory: { max_sessions: Math.max(...sizes) * 2 } },
  });
  const browsers = Worker.start(new URL('./sign-ins.ts', import.meta.url), { place: 'others' });
  const costs: NoticeCost[] = [];
  const beganAt = performance.now();
  let signIns = 0;
  let stored = 0;
  for (const size of sizes) {
    while (stored < size) {
      const count = Math.min(BATCH, size - stored);
      await browsers.ask('signIn', { publicUrl: address.publicUrl, count, atOnce: AT_ONCE });
      signIns += count;
      stored += count;
      onProgress(stored);
    }
    costs.push(await measure(gate, provider, signIns));
    stored -= NOTICES;
  }
  const signInsPerSecond = signIns / ((performance.now() - beganAt) / 1000);
  await Promise.all([gate.stop(), provider.stop(), browsers.stop()]);
  return { costs, signInsPerSecond };
}

async function measure(gate: BenchGate, provider: Worker, signIns: number): Promise<NoticeCost> {
  const sessions = await stored(gate);
  // The newest users: those of earlier measurements have ended.
  const of = Array.from({ length: NOTICES }, (_, i) => signIns - 1 - i);
  const tokens = await provider.ask<string[]>('logoutTokens', { of });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const tookMs: number[] = [];
  const before = processorSeconds(gate.pid);
  for (const token of tokens)
    tookMs.push(await post(`${gate.address.publicUrl}/_gate/backchannel-logout`, token, agent));
  const seconds = processorSeconds(gate.pid) - before;
  agent.destroy();
  const ended = sessions - (await stored(gate));
  if (ended !== NOTICES) throw new Error(`${NOTICES} notices ended ${ended} sessions`);
  return {
    sessions,
    microsecondsPerNotice: (seconds / NOTICES) * 1e6,
    tookMs,
    residentMiB: residentBytes(gate.pid) / 1024 ** 2,
  };
}

async function stored(gate: BenchGate): Promise<number> {
  return (await gate.metric('portcullis_sessions_active')) ?? Number.NaN;
}

function post(url: string, token: string, agent: Agent): Promise<number> {
  const body = new URLSearchParams({ logout_token: token }).toString();
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': body.length };
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: 'POST', headers, agent }, (response) => {
      response.resume();
      response.on('end', () =>
        response.statusCode === 200
          ? resolve(performance.now() - beganAt)
          : reject(new Error(`a notice was answered ${response.statusCode}`)),
      );
    });
    request.on('error', reject);
    const beganAt = performance.now();
    request.end(body);
  });
}
