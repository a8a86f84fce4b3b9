// Random histories of four replicas whose connections to the store fail in every way, judged by the promise alone: once an end
// has been answered, no replica finds the session any more; an end that was refused comes true all the same; and nobody else
// is signed out (design: the promise, 1 to 3).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { StoredSession } from '../../src/session/session-record.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { aRecord, ISSUER } from '../support/session-records.ts';
import { FaultProxy } from './fault-proxy.ts';
import { RedisServer } from './redis-server.ts';
import { Replica } from './replica.ts';

const REPLICAS = 4;
const SESSIONS = 40;
const ENDS = 24;
/** Of each outcome so many at least: a history in which nothing happens shows nothing. */
const ENOUGH = 20;
const LONGEST_MS = 30_000;

class History {
  readonly #random: () => number;
  readonly #proxies: readonly FaultProxy[];
  readonly #replicas: readonly Replica[];
  readonly #sessions: StoredSession[] = [];
  /** Ends that were begun, and those that were answered as done. */
  readonly #begun = new Set<StoredSession>();
  readonly #answered = new Set<StoredSession>();
  readonly violations: string[] = [];
  /** Finds by what they came to. */
  readonly finds = { alive: 0, gone: 0, unavailable: 0 };
  #isOver = false;

  constructor(seed: number, proxies: readonly FaultProxy[], replicas: readonly Replica[]) {
    this.#random = seededRandom(seed);
    this.#proxies = proxies;
    this.#replicas = replicas;
  }

  async play(): Promise<void> {
    for (let i = 0; i < SESSIONS; i++) {
      const { store } = this.#pick(this.#replicas);
      const session = await store.create(aRecord(await store.now()));
      assert.ok(session !== 'ended');
      this.#sessions.push(session);
    }
    // Every replica has served every session: what it remembers is what could be wrong.
    for (const { store } of this.#replicas) for (const session of this.#sessions) await store.find(session.record.id);
    const background = [
      this.#spoil(),
      ...this.#replicas.flatMap((replica) => [this.#read(replica), this.#read(replica)]),
    ];
    const victims = this.#sessions.slice(0, ENDS);
    await Promise.all(Array.from({ length: 4 }, (_, i) => this.#end(victims.filter((_, at) => at % 4 === i))));
    const until = performance.now() + LONGEST_MS;
    while (!this.#hasSeenEnough() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
    this.#isOver = true;
    await Promise.all(background);
    for (const proxy of this.#proxies) {
      proxy.restore();
      proxy.release();
    }
  }

  #hasSeenEnough(): boolean {
    return Object.values(this.finds).every((count) => count > ENOUGH);
  }

  /** What is true when every fault is over. */
  async judge(): Promise<void> {
    for (const session of this.#sessions) {
      for (const [i, { store }] of this.#replicas.entries()) {
        const shouldLive = !this.#begun.has(session);
        while ((await this.#find(store, session)) !== (shouldLive ? 'alive' : 'gone')) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          if (shouldLive && (await this.#find(store, session)) === 'gone') {
            this.violations.push(`replica ${i} has lost a session that nobody ended`);
            return;
          }
        }
      }
    }
  }

  async #find(store: Replica['store'], { record }: StoredSession): Promise<'alive' | 'gone' | 'unavailable'> {
    try {
      return (await store.find(record.id)) === undefined ? 'gone' : 'alive';
    } catch {
      return 'unavailable';
    }
  }

  async #read({ store }: Replica): Promise<void> {
    while (!this.#isOver) {
      const session = this.#pick(this.#sessions);
      try {
        const found = store.find(session.record.id);
        const settled = found instanceof Promise ? await found : found;
        // From here to the verdict nothing waits, as between the decision and the registration of a connection.
        const isAdmitted = settled !== undefined && !settled.ended;
        if (isAdmitted && this.#answered.has(session)) {
          this.violations.push(
            `admitted ${found instanceof Promise ? 'by the store' : 'from memory'} after the answer`,
          );
        }
        this.finds[isAdmitted ? 'alive' : 'gone']++;
      } catch {
        this.finds.unavailable++;
      }
      await new Promise((resolve) => setTimeout(resolve, this.#below(4)));
    }
  }

  async #end(victims: readonly StoredSession[]): Promise<void> {
    for (const session of victims) {
      const { store } = this.#pick(this.#replicas);
      this.#begun.add(session);
      try {
        await store.end({ by: 'sid', issuer: ISSUER, sid: session.record.sid! });
        this.#answered.add(session);
      } catch {
        // Refused: the provider is told so, and it comes true when the store is back.
      }
      await new Promise((resolve) => setTimeout(resolve, this.#below(500)));
    }
  }

  async #spoil(): Promise<void> {
    while (!this.#isOver) {
      const proxy = this.#pick(this.#proxies);
      const fault = this.#below(6);
      if (fault === 0) proxy.cut();
      else if (fault === 1) proxy.drop();
      else if (fault === 2) proxy.hold();
      else {
        proxy.restore();
        proxy.release();
      }
      await new Promise((resolve) => setTimeout(resolve, this.#below(400)));
    }
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#below(items.length)]!;
  }
}

describe('histories of four replicas under random faults', () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server.close());

  for (const seed of [1, 2]) {
    test(`keep the promise: seed ${seed}`, async () => {
      await server.command('FLUSHALL');
      const proxies = await Promise.all(Array.from({ length: REPLICAS }, () => FaultProxy.start(server.port)));
      const replicas = await Promise.all(proxies.map(({ port }) => Replica.start(port)));
      for (const { store } of replicas)
        while (store.trouble() !== undefined) await new Promise((resolve) => setTimeout(resolve, 20));
      const history = new History(seed, proxies, replicas);
      await history.play();
      assert.deepEqual([...new Set(history.violations)], []);
      await history.judge();
      assert.deepEqual(history.violations, []);
      for (const [outcome, count] of Object.entries(history.finds)) assert.ok(count > ENOUGH, `${outcome}: ${count}`);
      for (const replica of replicas) await replica.stop();
      for (const proxy of proxies) proxy.close();
    });
  }
});
