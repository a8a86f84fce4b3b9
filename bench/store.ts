// What sessions in Redis cost beside sessions in memory, and how fast an end reaches another replica.
//
//   node bench/store.ts [--rounds 5] [--seconds 3] [--cuts 10] [--connections 1000] [--sessions 100000]
//                                                                                        npm run bench:store
//
// What: - requests per second of a signed-in GET of 1 KiB over 64 connections, at a gate with its sessions in Redis (all of
//         them remembered: the warm near cache) and at one with its sessions in memory;
//       - one session that a replica does not remember, read by the store itself, beside one GET of as many bytes by the
//         same client library: one after the other (what is judged), and 16 at once;
//       - a logout notice at one replica, and when another one has stopped, with as many WebSockets as event streams live there;
//       - ends told by a message to a channel and by an entry of a stream, to four replicas;
//       - bytes per session in Redis and in the process of a gate, by real sign-ins at a provider that answers at once.
// How: gates are the real command; the gate under test is alone on one core, Redis, upstream, load and provider are on the other.
//   Rounds alternate between what is compared, and medians are judged. A replica has stopped when the last tick has come
//   through that its upstream made, as in `cut.ts`; each connection's stop is later than the mark and earlier than that.
// Needs nginx and redis-server.

import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from './support/children.ts';
import type { ReadTimes } from './support/cold-reads.ts';
import { type CutRound, cutRound } from './support/cut-round.ts';
import { BenchGate, type GateAddress, reserveGate } from './support/gate.ts';
import { type Load, loadOf } from './support/load.ts';
import { startNginxUpstream } from './support/nginx.ts';
import { numbersFromCommandLine } from './support/options.ts';
import { moveAside } from './support/placement.ts';
import { BenchProvider } from './support/provider.ts';
import { BenchRedis } from './support/redis.ts';
import { MachineWatch, printMachine, printTable, shown, Verdict } from './support/report.ts';
import { median, quantile } from './support/statistics.ts';
import { sessionBytes } from './support/stored-sessions.ts';
import { sendNotice } from './support/timed-request.ts';
import { waysToTell } from './support/ways-to-tell.ts';

const BOUNDS = {
  warm: { what: 'requests per second with sessions in Redis, to those in memory', unit: 'times', atLeast: 0.9 },
  cold: { what: 'one session that is not remembered, to one GET', unit: 'times', atMost: 3 },
  stop: { what: "from one replica's notice to the stop of another, p99", unit: 'ms', below: 20 },
} as const;

const options = numbersFromCommandLine({ rounds: 5, seconds: 3, cuts: 10, connections: 1_000, sessions: 100_000 });
moveAside();
printMachine();
const watch = new MachineWatch();
const verdict = new Verdict();
const redis = await BenchRedis.start();
const warm = await warmRequests();
const cold = await coldReads();
const cuts = await cutsElsewhere();
const ways = await waysToTell(redis, options.rounds);
printWays();
await redis.client.flushAll();
const bytes = await sessionBytes(redis, options.sessions);
printTable(
  `${options.sessions} sessions, signed in at ${shown(bytes.signInsPerSecond)} per second`,
  ['', 'bytes per session'],
  [
    ['in Redis', shown(bytes.inRedis)],
    ["in the gate's process", shown(bytes.inProcess)],
  ],
);
console.log(`\n${shown(watch.stolenShare() * 100)} % of the machine's time stolen\n`);
verdict.judge(BOUNDS.warm, warm);
verdict.judge(BOUNDS.cold, cold);
verdict.judge(
  BOUNDS.stop,
  quantile(
    cuts.map(({ lastByteMs }) => lastByteMs),
    0.99,
  ),
);
verdict.exit();

/** Gates that one provider knows, on one upstream each. */
async function startGates(
  sessions: readonly object[],
  routes: readonly object[],
): Promise<{ gates: BenchGate[]; provider: BenchProvider }> {
  const addresses: GateAddress[] = [];
  for (const _ of sessions) addresses.push(await reserveGate());
  const provider = await BenchProvider.start({
    ...addresses[0]!.client,
    redirectUris: addresses.flatMap(({ client }) => client.redirectUris),
  });
  const gates: BenchGate[] = [];
  for (const [i, session] of sessions.entries()) {
    gates.push(await BenchGate.start({ address: addresses[i]!, issuer: provider.issuer, routes, session }));
  }
  return { gates, provider };
}

function inRedis(): object {
  return { store: 'redis', redis: { url: redis.url } };
}

async function warmRequests(): Promise<number> {
  const upstream = await startNginxUpstream('others');
  const { gates, provider } = await startGates([{}, inRedis()], [{ upstream: upstream.origin }]);
  const loads = gates.map((): (Load & { microsecondsPerRequest: number })[] => []);
  const cookies: string[] = [];
  for (const gate of gates) cookies.push(await gate.signIn('user-0'));
  // The first round warms caches and compilers, and does not count.
  for (let round = 0; round <= options.rounds; round++) {
    for (const [i, gate] of gates.entries()) {
      const url = `${gate.address.publicUrl}/1k`;
      const headers = { Cookie: cookies[i]! };
      const load = await loadOf(gate.pid, { url, headers, connections: 64, seconds: options.seconds });
      if (round > 0) loads[i]!.push(load);
    }
  }
  await Promise.all([...gates.map((gate) => gate.stop()), provider.stop()]);
  upstream.child.kill('SIGKILL');
  const of = (field: keyof Load | 'microsecondsPerRequest') =>
    loads.map((rounds) => median(rounds.map((round) => round[field])));
  const [perSecond, cost, p99] = [of('requestsPerSecond'), of('microsecondsPerRequest'), of('p99Ms')];
  printTable(
    `Signed-in requests, 1 KiB, 64 connections: medians of ${options.rounds} rounds of ${options.seconds} s`,
    ['sessions', 'req/s', 'CPU us/req', 'p99 ms'],
    ['in memory', 'in Redis'].map((name, i) => [name, shown(perSecond[i]!), shown(cost[i]!), shown(p99[i]!)]),
  );
  // Neighbours of this machine are the same for both gates of one round.
  return median(loads[1]!.map((load, round) => load.requestsPerSecond / loads[0]![round]!.requestsPerSecond));
}

async function coldReads(): Promise<number> {
  const reader = Worker.start(new URL('./support/cold-reads.ts', import.meta.url), { place: 'server' });
  const ways = [];
  for (const atOnce of [1, 16]) {
    const asked = { port: redis.port, rounds: options.rounds, seconds: 1, atOnce };
    ways.push({ atOnce, times: await reader.ask<ReadTimes[]>('measure', asked) });
    await redis.client.flushAll();
  }
  await reader.stop();
  const ratio = (times: ReadTimes[]) => median(times.map(({ getMs, coldMs }) => coldMs / getMs));
  printTable(
    `A session that is not remembered, medians of ${options.rounds} rounds of 1 s`,
    ['readers', 'GET ms', 'session ms', 'times'],
    ways.map(({ atOnce, times }) => [
      String(atOnce),
      median(times.map(({ getMs }) => getMs)).toFixed(3),
      median(times.map(({ coldMs }) => coldMs)).toFixed(3),
      shown(ratio(times)),
    ]),
  );
  return ratio(ways[0]!.times);
}

async function cutsElsewhere(): Promise<CutRound[]> {
  const swarm = { place: 'others', nice: 10 } as const;
  const upstream = Worker.start(new URL('./support/live-upstream.ts', import.meta.url), swarm);
  const clients = Worker.start(new URL('./support/live-clients.ts', import.meta.url), swarm);
  const live = await upstream.ask<string>('start');
  const { gates, provider } = await startGates([inRedis(), inRedis()], [{ path: '/live', upstream: live }]);
  const [told, other] = gates as [BenchGate, BenchGate];
  const rounds: CutRound[] = [];
  for (let round = 0; round <= options.cuts; round++) {
    const user = `user-${round}`;
    const plan = {
      cookie: await told.signIn(user),
      websockets: Math.floor(options.connections / 2),
      streams: Math.ceil(options.connections / 2),
      kind: 'ticking',
      ticksPerSecond: options.connections,
      prepare: async () => {
        const token = await provider.logoutToken(user);
        return () => sendNotice(told.address.publicUrl, token);
      },
    } as const;
    const cut = await cutRound({ gate: other, clients, upstream }, plan);
    // The first round warms compilers, and does not count.
    if (round > 0) rounds.push(cut);
    await sleep(100);
  }
  await Promise.all([...gates.map((gate) => gate.stop()), provider.stop(), upstream.stop(), clients.stop()]);
  const row = (name: string, of: (cut: CutRound) => number) => {
    const values = rounds.map(of);
    return [name, shown(median(values)), shown(quantile(values, 0.99))];
  };
  printTable(
    `${options.connections} live connections at another replica, ms from the notice's last byte; ${options.cuts} rounds`,
    ['', 'median', 'p99'],
    [
      row('last application byte came', ({ lastByteMs }) => lastByteMs),
      row('last tick made that came', ({ lastTickMs }) => lastTickMs),
      row('notice answered', ({ answeredMs }) => answeredMs),
      row('last close', ({ lastCloseMs }) => lastCloseMs),
    ],
  );
  return rounds;
}

function printWays(): void {
  printTable(
    `Ends told to four replicas, medians of ${options.rounds} rounds`,
    ['by', 'p50 ms', 'p99 ms', 'ends/s', 'Redis us/end', 'kept bytes/end'],
    ways.map((rounds) => {
      const of = (field: Exclude<keyof (typeof rounds)[number], 'name'>) => median(rounds.map((round) => round[field]));
      return [
        rounds[0]!.name,
        of('p50Ms').toFixed(3),
        of('p99Ms').toFixed(3),
        shown(of('endsPerSecond')),
        shown(of('redisMicrosecondsPerEnd')),
        shown(of('keptBytesPerEnd')),
      ];
    }),
  );
}
