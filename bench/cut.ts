// How fast a session's live connections are cut when a logout notice arrives, and what that costs everybody else.
//
//   node bench/cut.ts [--connections 10000] [--rounds 3] [--sessions 100000] [--each 100]      npm run bench:cut
//
// What: one session with 1, 100 and 10 000 live connections, half WebSockets and half event streams, all forwarding ticks
//   of their upstream. A genuine logout token of the provider arrives. From the notice's last byte on the wire:
//   - until it is answered 200; until the last application byte has come through to any client; until the last close;
//   - another user's requests meanwhile (4 connections, each asking again at once);
//   - processor time of the gate per closed connection (two sockets each), in a round where nothing else happens.
//   Then the same by what ends the session, with 100 live connections each: every kind of notice, logout at the gate, the
//   operator, and what the gate finds by its own clock or by asking the provider.
//   Then: processor time and latency of one notice with 1 000 and with 100 000 sessions stored.
// How: the gate is the real command, alone on one core; upstream, clients and provider are processes of their own on the
//   other. The clients' and the upstream's processes have a low priority, as they stand for thousands of other machines and
//   must not slow the one that measures. Ticks carry the instant at which the upstream made them, and clients note
//   when they came, both by the machine's monotonic clock. What came last was forwarded between these two instants: the
//   later one is judged. The mark lies behind the notice's last byte, so the figures are an upper bound of what is promised.
//   The stored sessions come from as many real sign-ins, at a provider that answers at once.
// A tunnel costs the gate two descriptors: where the limit of open files is below what 10 000 need, it is raised as far as
// the system permits (Node.js does that by itself), and the largest number that fits is used and printed.

import { readFileSync } from 'node:fs';
import { Worker } from './support/children.ts';
import { type CutRound, cutRound, type RoundPlan, type Scene } from './support/cut-round.ts';
import { type TriggerRounds, triggerRounds } from './support/end-triggers.ts';
import { BenchGate, reserveGate } from './support/gate.ts';
import { startNginxUpstream } from './support/nginx.ts';
import { noticeCosts } from './support/notice-cost.ts';
import { numbersFromCommandLine } from './support/options.ts';
import { moveAside } from './support/placement.ts';
import { BenchProvider } from './support/provider.ts';
import { printMachine, printTable, shown, Verdict } from './support/report.ts';
import { median, quantile } from './support/statistics.ts';
import { sendNotice } from './support/timed-request.ts';

const BOUNDS = {
  lastByte: { what: 'last application byte after the notice, whatever the number', unit: 'ms', atMost: 10 },
  close: { what: 'processor time per closed connection', unit: 'us', atMost: 100 },
  other: { what: "another user's p99 while connections are closed", unit: 'ms', below: 25 },
  notice: { what: 'processor time per notice with all sessions stored', unit: 'us', below: 2_000 },
} as const;

/** Descriptors that the gate needs besides: listeners, the provider, the other user, the log. */
const OTHER_DESCRIPTORS = 200;
const SWARM = { place: 'others', nice: 10 } as const;

const options = numbersFromCommandLine({ connections: 10_000, rounds: 3, sessions: 100_000, each: 100 });
moveAside();
printMachine();
const most = Math.min(options.connections, Math.floor((openFileLimit() - OTHER_DESCRIPTORS) / 2));
if (most < options.connections) {
  console.log(
    `${options.connections} connections need ${2 * options.connections} descriptors, ${openFileLimit()} are allowed: ${most} it is`,
  );
}
const verdict = new Verdict();
let users = 1;
const scene = await setScene();
const sizes = [...new Set([1, Math.min(100, most), most])];
const busy = new Map<number, CutRound[]>();
for (const size of sizes) {
  const rounds: CutRound[] = [];
  for (let round = 0; round < (size < 1000 ? options.rounds * 3 : options.rounds); round++) {
    rounds.push(await cutRound(scene, await planOf(size, 'busy', round)));
  }
  busy.set(size, rounds);
}
const quiet = [
  await cutRound(scene, await planOf(most, 'quiet', 0)),
  await cutRound(scene, await planOf(most, 'quiet', 1)),
];
await scene.gate.stop();
printRounds();
const byTrigger = await triggerRounds(scene, { rounds: options.rounds, connections: options.each });
printTriggers(byTrigger);
console.log('');
const { costs, signInsPerSecond } = await noticeCosts(
  [Math.min(1_000, options.sessions), options.sessions],
  (stored) => {
    if (process.stdout.isTTY) process.stdout.write(`\r${stored} sessions stored `);
  },
);
printTable(
  `Notices among stored sessions (real sign-ins, ${shown(signInsPerSecond)} per second)`,
  ['sessions', 'CPU us/notice', 'p50 ms', 'p99 ms', 'resident MiB'],
  costs.map(({ sessions, microsecondsPerNotice, tookMs, residentMiB }) => [
    String(sessions),
    shown(microsecondsPerNotice),
    shown(quantile(tookMs, 0.5)),
    shown(quantile(tookMs, 0.99)),
    shown(residentMiB),
  ]),
);
console.log('');
judge();
verdict.exit();

function openFileLimit(): number {
  return Number(/^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? 1024);
}

interface WholeScene extends Scene {
  readonly provider: BenchProvider;
  /** Where the application with live connections is. */
  readonly live: string;
}

async function setScene(): Promise<WholeScene> {
  const app = await startNginxUpstream('others');
  const upstream = Worker.start(new URL('./support/live-upstream.ts', import.meta.url), SWARM);
  const clients = Worker.start(new URL('./support/live-clients.ts', import.meta.url), SWARM);
  const address = await reserveGate();
  const provider = await BenchProvider.start(address.client);
  const live = await upstream.ask<string>('start');
  const gate = await BenchGate.start({
    address,
    issuer: provider.issuer,
    routes: [
      { name: 'app', upstream: app.origin },
      { name: 'live', path: '/live', upstream: live },
    ],
  });
  const other = { url: `${address.publicUrl}/1k`, cookie: await gate.signIn('user-0') };
  return { gate, provider, clients, upstream, other, live };
}

/** Half and half; a single connection is one or the other in turn. A genuine notice of the provider ends it. */
async function planOf(size: number, kind: RoundPlan['kind'], round: number): Promise<RoundPlan> {
  const user = `user-${users++}`;
  const websockets = size === 1 ? round % 2 : Math.floor(size / 2);
  return {
    cookie: await scene.gate.signIn(user),
    websockets,
    streams: size - websockets,
    kind,
    prepare: async () => {
      const token = await scene.provider.logoutToken(user);
      return () => sendNotice(scene.gate.address.publicUrl, token);
    },
  };
}

function printRounds(): void {
  printTable(
    `From the notice's last byte, ms: medians (worst) of the rounds`,
    [
      'connections',
      'rounds',
      '200',
      'last byte came',
      'last tick made',
      'last close',
      "other's p50",
      'p99',
      'max',
      'before: p99',
      'loop lag',
    ],
    [...busy].map(([size, rounds]) => [
      String(size),
      String(rounds.length),
      both(rounds, ({ answeredMs }) => answeredMs),
      both(rounds, ({ lastByteMs }) => lastByteMs),
      both(rounds, ({ lastTickMs }) => lastTickMs),
      both(rounds, ({ lastCloseMs }) => lastCloseMs),
      ...[0.5, 0.99, 1].map((share) =>
        shown(
          quantile(
            rounds.flatMap(({ during }) => during),
            share,
          ),
        ),
      ),
      shown(
        quantile(
          rounds.flatMap(({ before }) => before),
          0.99,
        ),
      ),
      shown(median(rounds.map(({ loopLagMs }) => loopLagMs ?? Number.NaN))),
    ]),
  );
  console.log(`\nclosing ${most} connections and nothing else: ${quiet.map(quietLine).join('; ')}`);
}

function printTriggers(all: readonly TriggerRounds[]): void {
  printTable(
    `By what ends the session, ${options.each} connections: ms from the last byte of the request, or from the moment it was due`,
    ['ended by', 'rounds', 'answered', 'last byte came', 'last close'],
    all.map(({ name, rounds }) => [
      name,
      String(rounds.length),
      both(rounds, ({ answeredMs }) => answeredMs),
      both(rounds, ({ lastByteMs }) => lastByteMs),
      both(rounds, ({ lastCloseMs }) => lastCloseMs),
    ]),
  );
}

function both(rounds: readonly CutRound[], of: (round: CutRound) => number): string {
  const values = rounds.map(of);
  return `${shown(median(values))} (${shown(Math.max(...values))})`;
}

function quietLine({ microsecondsPerConnection, lastCloseMs }: CutRound): string {
  return `${shown(microsecondsPerConnection)} us of processor time each, last close after ${shown(lastCloseMs)} ms`;
}

function judge(): void {
  const all = [...busy].flatMap(([size, rounds]) => rounds.map((round) => ({ size, round })));
  const ends = [...all.map(({ round }) => round), ...quiet, ...byTrigger.flatMap(({ rounds }) => rounds)];
  verdict.judge(
    BOUNDS.lastByte,
    Math.max(...[...busy.values()].map((rounds) => median(rounds.map((r) => r.lastByteMs)))),
  );
  verdict.judge(BOUNDS.close, median(quiet.map(({ microsecondsPerConnection }) => microsecondsPerConnection)));
  verdict.judge(
    BOUNDS.other,
    quantile(
      busy.get(most)!.flatMap(({ during }) => during),
      0.99,
    ),
  );
  verdict.judge(BOUNDS.notice, costs.at(-1)!.microsecondsPerNotice);
  verdict.expect(
    'every connection was closed on both sides',
    ends.every((r) => r.clientEnds.open + r.upstreamEnds.open === 0),
  );
  verdict.expect(
    'no event stream looks complete',
    ends.every(({ clientEnds }) => clientEnds.seeminglyWhole === 0),
  );
  verdict.expect('every WebSocket was closed by 1008 on both sides', ends.every(closedBy1008));
}

function closedBy1008({ clientEnds, upstreamEnds }: CutRound): boolean {
  const websockets = clientEnds.websockets;
  return (clientEnds.closeCodes[1008] ?? 0) === websockets && (upstreamEnds.closeCodes[1008] ?? 0) === websockets;
}
