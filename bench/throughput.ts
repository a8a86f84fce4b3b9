// How fast a signed-in request passes, side by side with a plain Koa gate and with nginx that checks nothing.
//
//   node bench/throughput.ts [--rounds 5] [--seconds 4] [--scenarios 3]        npm run bench:throughput
//
// What: requests per second, latency and processor time per request of a signed-in GET
//   - 1 KiB over 64 connections (what the bounds are about), 64 KiB over 64 connections, 1 KiB over 1 connection,
//   through the gate, through `peers/koa-gate.ts` (Koa, koa-session in memory, http-proxy), through nginx with a pool of
//   upstream connections and no authentication at all, and through `peers/bare-forward.ts`, the yardstick: what Node.js and
//   undici cost by themselves on this machine. It tells a slow gate from a machine that is slow with JavaScript.
// How: the server under test alone on one core; upstream (nginx) and load (wrk) on the other; the gate is the real command,
//   and its session comes from a real sign-in at an OpenID provider in a process of its own. All four servers run all the
//   time; rounds alternate between them, and medians of the rounds are compared. Processor time is the kernel's account of
//   the server's process, so it also holds on a machine that is busy with other things.
// Needs nginx. Without wrk a generator of our own makes the load, which keeps up with nginx too.

import { BenchGate, reserveGate } from './support/gate.ts';
import { hasWrk, type Load, loadOf } from './support/load.ts';
import { startNginxProxy, startNginxUpstream } from './support/nginx.ts';
import { numbersFromCommandLine } from './support/options.ts';
import { Peer } from './support/peer.ts';
import { moveAside } from './support/placement.ts';
import { BenchProvider } from './support/provider.ts';
import { MachineWatch, printMachine, printTable, shown, Verdict } from './support/report.ts';
import { median } from './support/statistics.ts';

const BOUNDS = {
  toKoa: { what: 'requests per second, 1 KiB, 64 connections, to those of the Koa gate', unit: 'times', atLeast: 4 },
  toNginx: { what: 'requests per second, 1 KiB, 64 connections, to those of nginx', unit: 'times', atLeast: 0.3 },
  p99: { what: 'p99 at 64 connections, to that of the Koa gate', unit: 'times', below: 1 },
} as const;

const SCENARIOS = [
  { name: '1 KiB, 64 connections', path: '/1k', bytes: 1024, connections: 64 },
  { name: '64 KiB, 64 connections', path: '/64k', bytes: 64 * 1024, connections: 64 },
  { name: '1 KiB, 1 connection', path: '/1k', bytes: 1024, connections: 1 },
] as const;
type Scenario = (typeof SCENARIOS)[number];

interface Target {
  readonly name: string;
  readonly origin: string;
  readonly pid: number;
  readonly headers: Record<string, string>;
}

type Round = Load & { readonly microsecondsPerRequest: number };

const options = numbersFromCommandLine({ rounds: 5, seconds: 4, scenarios: SCENARIOS.length });
moveAside();
printMachine();
const watch = new MachineWatch();
const verdict = new Verdict();
const targets = await startTargets();
const [gate, koa, nginx, bare] = targets as [Target, Target, Target, Target];
const medians = new Map<Scenario, Map<Target, Round>>();
for (const scenario of SCENARIOS.slice(0, options.scenarios)) {
  for (const target of targets) await check(target, scenario);
  medians.set(scenario, await measure(scenario));
  print(scenario, medians.get(scenario)!);
}
console.log(
  `\nload by ${hasWrk ? 'wrk' : 'our own generator'}; ${shown(watch.stolenShare() * 100)} % of the machine's time stolen\n`,
);
const judged = medians.get(SCENARIOS[0])!;
const ratio = (field: keyof Round, of: Target, to: Target) => judged.get(of)![field] / judged.get(to)![field];
verdict.judge(BOUNDS.toKoa, ratio('requestsPerSecond', gate, koa));
verdict.judge(BOUNDS.toNginx, ratio('requestsPerSecond', gate, nginx));
verdict.judge(BOUNDS.p99, ratio('p99Ms', gate, koa));
console.log(
  `        of what Node.js and undici alone forward here: ${shown(ratio('requestsPerSecond', gate, bare))} times`,
);
console.log(`        of nginx, what they alone forward here: ${shown(ratio('requestsPerSecond', bare, nginx))} times`);
verdict.exit();

async function startTargets(): Promise<Target[]> {
  const upstream = await startNginxUpstream('others');
  const address = await reserveGate();
  const provider = await BenchProvider.start(address.client);
  const benchGate = await BenchGate.start({
    address,
    issuer: provider.issuer,
    routes: [{ upstream: upstream.origin }],
  });
  const peer = await Peer.start('koa-gate', upstream.origin);
  const bare = await Peer.start('bare-forward', upstream.origin);
  const proxy = await startNginxProxy('server', upstream.origin);
  return [
    {
      name: 'portcullis',
      origin: address.publicUrl,
      pid: benchGate.pid,
      headers: { Cookie: await benchGate.signIn('user-0') },
    },
    { name: 'koa gate', origin: peer.origin, pid: peer.pid, headers: { Cookie: await peer.signIn('alice') } },
    { name: 'nginx, no auth', origin: proxy.origin, pid: proxy.pid, headers: {} },
    { name: 'bare forward', origin: bare.origin, pid: bare.pid, headers: {} },
  ];
}

/** That the right thing is measured: the whole body for who is signed in, nothing for anybody else. */
async function check(target: Target, { path, bytes }: Scenario): Promise<void> {
  const signedIn = await fetch(target.origin + path, { headers: target.headers });
  const body = await signedIn.arrayBuffer();
  if (signedIn.status !== 200 || body.byteLength !== bytes) {
    throw new Error(`${target.name} answers ${signedIn.status} with ${body.byteLength} bytes`);
  }
  const anonymous = await fetch(target.origin + path);
  await anonymous.arrayBuffer();
  if (target.headers['Cookie'] !== undefined && anonymous.status !== 401) {
    throw new Error(`${target.name} answers ${anonymous.status} to nobody`);
  }
}

async function measure({ path, connections }: Scenario): Promise<Map<Target, Round>> {
  const rounds = new Map(targets.map((target) => [target, [] as Round[]]));
  // The first round warms caches and compilers, and does not count.
  for (let round = 0; round <= options.rounds; round++) {
    for (const target of targets) {
      const load = await loadOf(target.pid, {
        url: target.origin + path,
        headers: target.headers,
        connections,
        seconds: options.seconds,
      });
      if (round > 0) rounds.get(target)!.push(load);
    }
  }
  return new Map([...rounds].map(([target, loads]) => [target, medianOf(loads)]));
}

function medianOf(rounds: readonly Round[]): Round {
  const of = (field: keyof Round) => median(rounds.map((round) => round[field]));
  return {
    requests: of('requests'),
    requestsPerSecond: of('requestsPerSecond'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    microsecondsPerRequest: of('microsecondsPerRequest'),
  };
}

function print({ name }: Scenario, rounds: ReadonlyMap<Target, Round>): void {
  const own = rounds.get(gate)!;
  printTable(
    `${name}: medians of ${options.rounds} rounds of ${options.seconds} s`,
    ['', 'req/s', 'gate is', 'CPU us/req', 'gate costs', 'p50 ms', 'p99 ms'],
    [...rounds].map(([target, round]) => [
      target.name,
      shown(round.requestsPerSecond),
      target === gate ? '' : shown(own.requestsPerSecond / round.requestsPerSecond, 'x'),
      shown(round.microsecondsPerRequest),
      target === gate ? '' : shown(own.microsecondsPerRequest / round.microsecondsPerRequest, 'x'),
      shown(round.p50Ms),
      shown(round.p99Ms),
    ]),
  );
}
