// A random history of several gates whose processes are stopped and whose connections to the store are cut, dropped and held,
// while sessions with live connections at all of them are ended; written down as the clients see it.

import { setTimeout as sleep } from 'node:timers/promises';
import type { BrowserClient } from '../support/browser-client.ts';
import { instant } from '../support/instant.ts';
import type { LiveSocket } from '../support/live-socket.ts';
import type { LiveTransfer } from '../support/live-transfer.ts';
import { seededRandom } from '../support/seeded-random.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { type Gate, type GateFleet, url } from './gate-fleet.ts';
import type { Interval, SeenConnection, SeenEnd, SeenHistory, SeenRequest } from './history-judge.ts';

/** Between two notices, two requests of one reader and two faults, at most. */
const NOTICE_MS = 900;
const REQUEST_MS = 25;
const FAULT_MS = 700;
/** A gate that is ready again has read all its live sessions again after this. */
const SETTLED_MS = 1_000;

interface Live {
  readonly session: number;
  readonly replica: number;
  readonly kind: string;
  readonly connection: LiveTransfer | LiveSocket;
}

export interface GateHistoryOptions {
  readonly seed: number;
  readonly fleet: GateFleet;
  /** By gate: what stands between it and the store. */
  readonly proxies: readonly FaultProxy[];
  readonly users: readonly string[];
  /** So many of the users are signed out. */
  readonly ends: number;
}

export class GateHistory {
  readonly #options: GateHistoryOptions;
  readonly #random: () => number;
  readonly #browsers: BrowserClient[] = [];
  readonly #live: Live[] = [];
  readonly #ends = new Map<number, SeenEnd>();
  readonly #requests: SeenRequest[] = [];
  readonly #deaf: Interval[][];
  readonly #faulty = new Set<number>();
  readonly #stopped = new Set<number>();
  #isOver = false;

  constructor(options: GateHistoryOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#deaf = options.fleet.gates.map(() => []);
  }

  /** Everybody signs in and opens what lives; then come faults, requests and notices; then everything is well again. */
  async play(): Promise<SeenHistory> {
    const { fleet, users, ends } = this.#options;
    for (const [session, user] of users.entries()) {
      this.#browsers.push(await fleet.signedIn(this.#pick(fleet.gates), user));
      await this.#open(session);
    }
    const spoiling = this.#spoil();
    const reading = fleet.gates.map((gate, replica) => this.#read(gate, replica));
    const sessions = Array.from({ length: ends }, (_, session) => session);
    await Promise.all([0, 1].map((lane) => this.#endEach(sessions.filter((session) => session % 2 === lane))));
    await sleep(NOTICE_MS);
    this.#isOver = true;
    await spoiling;
    // A reader may wait for a gate that sleeps.
    await Promise.all(fleet.gates.map((_, replica) => this.#heal(replica)));
    await Promise.all(reading);
    await this.#settled();
    const connections = this.#live.map(toSeen);
    return { ends: this.#ends, deaf: this.#deaf, requests: this.#requests, connections };
  }

  async #open(session: number): Promise<void> {
    for (const [replica, gate] of this.#options.fleet.gates.entries()) {
      const browser = this.#browsers[session]!;
      const [stream, download] = [browser.download(url(gate, '/events')), browser.download(url(gate, '/download'))];
      const socket = browser.openWebSocket(url(gate, '/ws'));
      await Promise.all([stream.moreBytes(), download.moreBytes(), socket.opened]);
      const at = { session, replica };
      this.#live.push(
        { ...at, kind: 'stream', connection: stream },
        { ...at, kind: 'download', connection: download },
        { ...at, kind: 'socket', connection: socket },
      );
    }
  }

  async #read(gate: Gate, replica: number): Promise<void> {
    while (!this.#isOver) {
      const session = this.#below(this.#browsers.length);
      await this.#ask(session, replica, gate);
      await sleep(this.#below(REQUEST_MS));
    }
  }

  async #ask(session: number, replica: number, gate: Gate): Promise<number> {
    const sentAt = instant();
    const { status } = await this.#browsers[session]!.request(url(gate, '/echo'));
    this.#requests.push({ session, replica, sentAt, status });
    return status;
  }

  async #endEach(sessions: readonly number[]): Promise<void> {
    for (const session of sessions) {
      await sleep(this.#below(NOTICE_MS));
      await this.#end(session);
    }
  }

  async #end(session: number): Promise<void> {
    const end: SeenEnd = { answeredAt: Number.POSITIVE_INFINITY };
    this.#ends.set(session, end);
    const { fleet, users } = this.#options;
    if ((await fleet.notify(this.#pick(fleet.gates), users[session]!)) === 200) end.answeredAt = instant();
  }

  async #spoil(): Promise<void> {
    const { proxies } = this.#options;
    while (!this.#isOver) {
      const replica = this.#below(proxies.length);
      if (this.#faulty.has(replica) || this.#stopped.has(replica)) await this.#heal(replica);
      else this.#break(replica);
      await sleep(this.#below(FAULT_MS));
    }
  }

  #break(replica: number): void {
    const proxy = this.#options.proxies[replica]!;
    const fault = this.#below(4);
    if (fault === 0) {
      // A process that sleeps is not deaf: what it may forward when it wakes up, it has to know then.
      this.#stopped.add(replica);
      this.#options.fleet.gates[replica]!.process.signal('SIGSTOP');
      return;
    }
    this.#faulty.add(replica);
    this.#deaf[replica]!.push({ from: instant(), to: Number.POSITIVE_INFINITY });
    if (fault === 1) proxy.cut();
    else if (fault === 2) proxy.drop();
    else proxy.hold();
  }

  async #heal(replica: number): Promise<void> {
    const { fleet, proxies } = this.#options;
    const gate = fleet.gates[replica]!;
    gate.process.signal('SIGCONT');
    this.#stopped.delete(replica);
    if (!this.#faulty.has(replica)) return;
    proxies[replica]!.restore();
    proxies[replica]!.release();
    while (!(await isReady(gate))) await sleep(20);
    await sleep(SETTLED_MS);
    this.#deaf[replica]!.at(-1)!.to = instant();
    this.#faulty.delete(replica);
  }

  /** Until every gate knows every end, answered or not, and serves everybody else. */
  async #settled(): Promise<void> {
    for (const session of this.#browsers.keys()) {
      for (const [replica, gate] of this.#options.fleet.gates.entries()) {
        const expected = this.#ends.has(session) ? 401 : 200;
        let status = 0;
        do status = await this.#ask(session, replica, gate);
        while (status !== expected && (expected === 401 || status === 503));
      }
    }
    for (const { session, connection } of this.#live) {
      if (this.#ends.has(session)) await ('closed' in connection ? connection.closed : connection.ended);
    }
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#below(items.length)]!;
  }
}

function toSeen({ session, replica, kind, connection }: Live): SeenConnection {
  return { session, replica, kind, lastMadeAt: connection.ticks().at(-1) ?? 0 };
}

async function isReady(gate: Gate): Promise<boolean> {
  const answer = await fetch(`${gate.addresses.adminUrl}/readyz`);
  await answer.arrayBuffer();
  return answer.ok;
}
