// That nothing is left behind: memory, sockets and timers of the gate after very many requests, most of them broken off.
//
//   node bench/leak.ts [--requests 200000]             npm run bench:leak            (--requests 20000 for a quick look)
//
// What: clients leave before they have sent a head, before the answer, during downloads, uploads (by length and chunked),
//   event streams, WebSockets (open, half closed, during the handshake), during the sign-in's callback and during a refresh,
//   by FIN and by reset in turn; upstreams break off before and within their answers and answer nonsense; sessions are
//   signed in, evicted and ended by notices while they stream. In between, two of five requests are ordinary ones.
//   After a quarter of the requests and after all of them, when every client is gone and garbage is collected:
//   - the JavaScript heap and the memory outside it that it holds, compared with each other;
//   - open sockets, other descriptors, timers and handles, compared with those of the idle gate at the beginning.
// How: the real command, looked into by the inspector's protocol from outside; clients, upstream and provider are processes
//   of their own. The number of stored sessions has a small bound, so that what is kept on purpose does not grow.

import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from './support/children.ts';
import { BenchGate, reserveGate } from './support/gate.ts';
import type { Memory } from './support/inspector.ts';
import { numbersFromCommandLine } from './support/options.ts';
import { moveAside } from './support/placement.ts';
import { openDescriptors } from './support/process-accounts.ts';
import { printMachine, printTable, shown, Verdict } from './support/report.ts';
import type { RoughOptions, RoughOutcome } from './support/rough-clients.ts';

const MEGABYTE = 1_000_000;
const BOUNDS = {
  heap: { what: 'growth of the heap from a quarter of the requests to all', unit: 'MB', atMost: 5 },
  external: { what: 'growth of the memory outside the heap', unit: 'MB', atMost: 5 },
} as const;

const ACCESS_TOKEN_SECONDS = 3;
const TOKEN_ANSWER_MS = 5;
const MAX_SESSIONS = 300;
const WORKERS = 8;
const SLEEPERS = 20;
const AT_ONCE = 64;
/** Longer than connections to an upstream are kept (4 s) and than the ends of a half closed tunnel (5 s). */
const LONGEST_SETTLE_MS = 20_000;

interface State {
  readonly requests: number;
  readonly memory: Memory;
  /** Descriptors by kind, and what keeps the event loop alive by type. */
  readonly held: Readonly<Record<string, number>>;
}

const options = numbersFromCommandLine({ requests: 200_000 });
moveAside();
printMachine();
const upstream = Worker.start(new URL('./support/rough-upstream.ts', import.meta.url), { place: 'others' });
const provider = Worker.start(new URL('./support/swift-provider.ts', import.meta.url), { place: 'others' });
const browsers = Worker.start(new URL('./support/sign-ins.ts', import.meta.url), { place: 'others' });
const clients = Worker.start(new URL('./support/rough-clients.ts', import.meta.url), { place: 'others' });
const address = await reserveGate();
const issuer = await provider.ask<string>('start', {
  clientId: address.client.id,
  accessTokenSeconds: ACCESS_TOKEN_SECONDS,
  tokenMs: TOKEN_ANSWER_MS,
});
const gate = await BenchGate.start({
  address,
  issuer,
  routes: [{ upstream: await upstream.ask<string>('start') }],
  session: { memory: { max_sessions: MAX_SESSIONS } },
  nodeOptions: ['--inspect=127.0.0.1:0'],
});
const visit = await prepare();
const beginning = await settled(0, undefined);
const quarter = Math.floor(options.requests / 4);
const done: Record<string, number> = {};
const stuck: Record<string, number> = {};
const beganAt = performance.now();
const middle = await visitAndSettle(quarter, quarter);
const end = await visitAndSettle(options.requests - quarter, options.requests);
const seconds = (performance.now() - beganAt) / 1000;
const underWay = await upstream.ask<string[]>('underWay');
print();
judge();

async function prepare(): Promise<RoughOptions> {
  const signIn = (count: number) =>
    browsers.ask<string[]>('signIn', { publicUrl: address.publicUrl, count, atOnce: 4 });
  const sessions = await signIn(WORKERS + SLEEPERS);
  return {
    publicUrl: address.publicUrl,
    issuer,
    cookies: sessions.slice(0, WORKERS),
    sleepers: sessions.slice(WORKERS),
    sleeperMs: ACCESS_TOKEN_SECONDS * 1000 + 200,
  };
}

async function visitAndSettle(count: number, total: number): Promise<State> {
  const outcome = await clients.ask<RoughOutcome>('visit', { options: visit, count, atOnce: AT_ONCE });
  for (const [name, times] of Object.entries(outcome.done)) done[name] = (done[name] ?? 0) + times;
  for (const [name, times] of Object.entries(outcome.stuck)) stuck[name] = (stuck[name] ?? 0) + times;
  return settled(total, beginning);
}

/** The gate at rest: when it holds no more than it did in the beginning, or has had the time to. */
async function settled(requests: number, before: State | undefined): Promise<State> {
  const inspector = await gate.inspector;
  const until = performance.now() + LONGEST_SETTLE_MS;
  for (;;) {
    await sleep(1000);
    const held = {
      ...openDescriptors(gate.pid),
      ...(await inspector.evaluate<Record<string, number>>(
        `process.getActiveResourcesInfo().reduce((all, type) => ({ ...all, [type]: (all[type] ?? 0) + 1 }), {})`,
      )),
    };
    const isQuiet = before !== undefined && grown(before.held, held).length === 0;
    if (isQuiet || performance.now() > until) return { requests, memory: await inspector.settledMemory(), held };
  }
}

/** What there is more of than before. */
function grown(before: State['held'], after: State['held']): string[] {
  return Object.keys(after).filter((kind) => after[kind]! > (before[kind] ?? 0));
}

function print(): void {
  const kinds = [...new Set([beginning, middle, end].flatMap(({ held }) => Object.keys(held)))];
  printTable(
    `${options.requests} requests in ${shown(seconds)} s`,
    ['after', 'heap MB', 'outside MB', 'resident MB', ...kinds],
    [beginning, middle, end].map(({ requests, memory, held }) => [
      String(requests),
      shown(memory.heapUsed / MEGABYTE),
      shown(memory.external / MEGABYTE),
      shown(memory.rss / MEGABYTE),
      ...kinds.map((kind) => String(held[kind] ?? 0)),
    ]),
  );
  printTable(
    'Kinds of request',
    ['', 'done', 'stuck'],
    [...new Set([...Object.keys(done), ...Object.keys(stuck)])].map((name) => [
      name,
      String(done[name] ?? 0),
      String(stuck[name] ?? 0),
    ]),
  );
  console.log('');
}

function judge(): never {
  const verdict = new Verdict();
  verdict.judge(BOUNDS.heap, (end.memory.heapUsed - middle.memory.heapUsed) / MEGABYTE);
  verdict.judge(BOUNDS.external, (end.memory.external - middle.memory.external) / MEGABYTE);
  const left = grown(beginning.held, end.held);
  verdict.expect(
    `sockets, descriptors, timers and handles are back where they began ${left.join(' ')}`,
    left.length === 0,
  );
  for (const request of underWay) console.log(`        the upstream still serves ${request}`);
  verdict.expect('no client waited in vain', Object.keys(stuck).length === 0);
  return verdict.exit();
}
