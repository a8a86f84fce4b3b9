// What an idle WebSocket costs in memory, in the gate and in the plain Koa gate.
//
//   node bench/websocket-memory.ts [--tunnels 2000] [--rounds 3]           npm run bench:websocket-memory
//
// What: resident memory (VmRSS) of the server's process per idle tunnel, and of it the JavaScript heap.
// How: the server alone on one core, clients and upstream in processes of their own. A fresh server for each round; 200
//   tunnels are opened and closed first, so that what the first of a kind costs is not counted; then garbage is collected by
//   the inspector from outside, memory is read, the tunnels are opened, and after another collection it is read again. The
//   kernel's own socket buffers are in neither figure. Rounds alternate between the servers; medians are compared.

import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from './support/children.ts';
import { BenchGate, reserveGate } from './support/gate.ts';
import type { Inspector } from './support/inspector.ts';
import type { OpenOptions } from './support/live-clients.ts';
import { numbersFromCommandLine } from './support/options.ts';
import { Peer } from './support/peer.ts';
import { moveAside } from './support/placement.ts';
import { residentBytes } from './support/process-accounts.ts';
import { BenchProvider } from './support/provider.ts';
import { printMachine, printTable, shown, Verdict } from './support/report.ts';
import { median } from './support/statistics.ts';

const BOUND = { what: 'resident memory of the gate per idle WebSocket', unit: 'KiB', below: 30 } as const;

const WARM_UP_TUNNELS = 200;
const INSPECTED = ['--inspect=127.0.0.1:0'];

interface Subject {
  readonly pid: number;
  readonly inspector: Inspector;
  readonly target: Pick<OpenOptions, 'origin' | 'cookie'>;
  stop(): Promise<void>;
}

interface Cost {
  readonly residentKiB: number;
  readonly heapKiB: number;
}

const options = numbersFromCommandLine({ tunnels: 2000, rounds: 3 });
moveAside();
printMachine();
const clients = Worker.start(new URL('./support/live-clients.ts', import.meta.url), { place: 'others' });
const upstream = Worker.start(new URL('./support/live-upstream.ts', import.meta.url), { place: 'others' });
const upstreamOrigin = await upstream.ask<string>('start');

const subjects = { portcullis: startGate, 'koa gate': startPeer };
type Name = keyof typeof subjects;
const names = Object.keys(subjects) as Name[];
const costs: Record<Name, Cost[]> = { portcullis: [], 'koa gate': [] };
for (let round = 0; round < options.rounds; round++) {
  for (const name of names) costs[name].push(await measure(await subjects[name]()));
}
const of = (name: Name, field: keyof Cost) => median(costs[name].map((cost) => cost[field]));
printTable(
  `${options.tunnels} idle WebSockets: medians of ${options.rounds} rounds, KiB per tunnel`,
  ['', 'resident', 'gate is', 'heap and buffers'],
  names.map((name) => [
    name,
    shown(of(name, 'residentKiB')),
    name === 'portcullis' ? '' : shown(of('portcullis', 'residentKiB') / of(name, 'residentKiB'), 'x'),
    shown(of(name, 'heapKiB')),
  ]),
);
console.log('');
const verdict = new Verdict();
verdict.judge(BOUND, of('portcullis', 'residentKiB'));
verdict.exit();

async function startGate(): Promise<Subject> {
  const address = await reserveGate();
  const provider = await BenchProvider.start(address.client);
  const gate = await BenchGate.start({
    address,
    issuer: provider.issuer,
    routes: [{ upstream: upstreamOrigin }],
    nodeOptions: INSPECTED,
  });
  const cookie = await gate.signIn('user-0');
  return {
    pid: gate.pid,
    inspector: await gate.inspector,
    target: { origin: address.publicUrl, cookie },
    async stop() {
      await gate.stop();
      await provider.stop();
    },
  };
}

async function startPeer(): Promise<Subject> {
  const peer = await Peer.start('koa-gate', upstreamOrigin, INSPECTED);
  return {
    pid: peer.pid,
    inspector: await peer.inspector!,
    target: { origin: peer.origin, cookie: await peer.signIn('alice') },
    stop: () => peer.stop(),
  };
}

async function measure(subject: Subject): Promise<Cost> {
  await open(subject, WARM_UP_TUNNELS);
  await clients.ask('abort');
  await sleep(1000);
  const before = await memory(subject);
  await open(subject, options.tunnels);
  await sleep(2000);
  const after = await memory(subject);
  await clients.ask('abort');
  subject.inspector.close();
  await subject.stop();
  const perTunnel = (field: keyof typeof before) => (after[field] - before[field]) / options.tunnels / 1024;
  return { residentKiB: perTunnel('resident'), heapKiB: perTunnel('heap') };
}

function open({ target }: Subject, websockets: number): Promise<void> {
  return clients.ask('open', { ...target, websockets, streams: 0 });
}

async function memory({ inspector, pid }: Subject): Promise<{ resident: number; heap: number }> {
  const { heapUsed, external } = await inspector.settledMemory();
  return { resident: residentBytes(pid), heap: heapUsed + external };
}
