// Random schedules of everything that can happen to sessions at once, over a store whose every call and a provider whose
// every answer waits for its turn (design: never undone). Whatever the order: what an end named does not come back, every
// end is accounted for once, and no refresh token is ever under way twice.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { GateEvent } from '../../../src/base/events.ts';
import { newSessionId } from '../../../src/base/ids.ts';
import { createFreshness } from '../../../src/freshness/freshness.ts';
import { createAdmitSignIn } from '../../../src/logout/admit-sign-in.ts';
import { createEndSessions } from '../../../src/logout/end-sessions.ts';
import { MemorySessionStore } from '../../../src/session/memory-session-store.ts';
import type { SessionRecord, StoredSession } from '../../../src/session/session-record.ts';
import type { EndSelector, SessionStore } from '../../../src/session/session-store.ts';
import { MINUTE, providerDown, refreshRefused } from '../../support/freshness-desk.ts';
import { ManualClock, settled } from '../../support/manual-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { FakeRegistry } from '../../support/session-desk.ts';
import { aTokenSet, ISSUER } from '../../support/session-records.ts';

const SCHEDULES = 120;
const STEPS = 80;

/** Everything that waits, let go one by one in an order that the seed decides. */
class Turns {
  readonly #random: () => number;
  readonly #waiting: (() => void)[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async letOneGo(): Promise<boolean> {
    const [one] = this.#waiting.splice(Math.floor(this.#random() * this.#waiting.length), 1);
    one?.();
    await settled();
    return one !== undefined;
  }
}

/** The memory store as if it stood at the other end of a network: each call takes effect later, and is answered later still. */
function distant(store: MemorySessionStore, turns: Turns): SessionStore {
  const far = async <T>(call: () => T): Promise<T> => {
    await turns.wait();
    const result = call();
    await turns.wait();
    return result;
  };
  return {
    now: () => far(() => store.now()),
    estimateNow: () => store.estimateNow(),
    find: (id) => far(() => store.find(id)),
    create: (record) => far(() => store.create(record)),
    update: (session, next) => far(() => store.update(session, next)),
    replaceId: (session, next) => far(() => store.replaceId(session, next)),
    lastSeenAt: (session) => far(() => store.lastSeenAt(session)),
    touch: (session) => store.touch(session),
    end: (selector, issuedAt) => far(() => store.end(selector, issuedAt)),
    list: (filter, limit, cursor) => far(() => store.list(filter, limit, cursor)),
    size: () => store.size(),
    trouble: () => store.trouble(),
  };
}

interface KnownEnd {
  readonly selector: EndSelector;
  readonly returnedAt: number;
}

function names(selector: EndSelector, record: SessionRecord): boolean {
  if (selector.by === 'all') return true;
  if (selector.by === 'sid') return record.sid === selector.sid;
  if (selector.by === 'sub') return record.sub === selector.sub;
  if (selector.by === 'user') return record.user === selector.user;
  return record.handle === selector.handle;
}

class Schedule {
  readonly random: () => number;
  readonly turns: Turns;
  readonly clock = new ManualClock();
  readonly registry = new FakeRegistry();
  readonly events: GateEvent[] = [];
  readonly near = new MemorySessionStore({ clock: this.clock, maxSessions: 50, maxSessionLifetimeMs: 1e12 });
  readonly store: SessionStore;
  readonly sessions: StoredSession[] = [];
  readonly ends: KnownEnd[] = [];
  readonly sent = new Set<string>();
  readonly running = new Set<Promise<unknown>>();

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.turns = new Turns(this.random);
    this.store = distant(this.near, this.turns);
  }

  readonly ending = createEndSessions({
    store: { end: (selector: EndSelector, at?: number) => this.store.end(selector, at) } as SessionStore,
    registry: this.registry,
    clock: this.clock,
    emit: (event) => this.events.push(event),
    forget: (session) => this.freshness.forget(session),
  });

  readonly freshness = createFreshness({
    store: new Proxy({} as SessionStore, { get: (_, name) => this.store[name as keyof SessionStore] }),
    endSessions: this.ending.endSessions,
    clock: this.clock,
    timers: this.clock,
    emit: (event) => this.events.push(event),
    isLive: (handle) => this.registry.isLive(handle),
    revalidateMs: 5 * MINUTE,
    idleTimeoutMs: 30 * MINUTE,
    absoluteTimeoutMs: 60 * MINUTE,
    random: () => this.random(),
    refreshTokens: async ({ tokens, claims }) => {
      await this.exclusively(tokens.refreshToken!);
      return { tokens: this.tokens(), claims };
    },
    probeSession: async (token) => {
      await this.exclusively(token);
      return this.random() < 0.1 ? 'ended' : 'alive';
    },
  });

  readonly admit = createAdmitSignIn({
    store: new Proxy({} as SessionStore, { get: (_, name) => this.store[name as keyof SessionStore] }),
    endSessions: this.ending.endSessions,
    clientId: 'wiki-gate',
    watch: (session) => this.freshness.watch(session),
  });

  tokens() {
    return aTokenSet({ accessExpiresAt: this.clock.now() + 5 * MINUTE });
  }

  /** A call to the provider with a token that must not be under way in another. */
  async exclusively(token: string): Promise<void> {
    assert.equal(this.sent.has(token), false, 'a refresh token is under way once');
    this.sent.add(token);
    await this.turns.wait();
    this.sent.delete(token);
    const chance = this.random();
    if (chance < 0.1) throw refreshRefused();
    if (chance < 0.25) throw providerDown();
  }

  pick<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.random() * from.length)];
  }

  run(what: Promise<unknown>): void {
    this.running.add(what);
    void what.finally(() => this.running.delete(what));
  }

  async signIn(): Promise<void> {
    const current = this.random() < 0.5 ? this.pick(this.sessions) : undefined;
    const beganAt = await this.store.now();
    await this.turns.wait();
    const [sub, sid] = [`sub-${Math.floor(this.random() * 2)}`, `sid-${Math.floor(this.random() * 3)}`];
    const session = await this.admit({
      signedIn: {
        ...{ issuer: ISSUER, sub, sid, claims: { preferred_username: sub }, tokens: this.tokens() },
        ...{ idTokenIssuedAtSeconds: Math.floor(this.clock.now() / 1000), probe: 'introspect' },
      },
      ...{ beganAt, id: newSessionId(), current, address: '192.0.2.1', userAgent: 'test' },
    });
    if (session === 'ended' || this.sessions.includes(session)) return;
    this.sessions.push(session);
    this.registry.connect(session, { websockets: 1 });
  }

  async request(): Promise<void> {
    const known = this.pick(this.sessions);
    const session = known && (await this.store.find(known.record.id));
    if (session === undefined || (await this.freshness.ensure(session)) === 'ended' || session.ended) return;
    this.freshness.active(session);
    this.admitted(session.record);
  }

  /** Called in the tick in which a request of the session would be let through. */
  admitted(record: SessionRecord): void {
    for (const { selector, returnedAt } of this.ends) {
      assert.ok(record.beganAt > returnedAt || !names(selector, record), `admitted after an end by ${selector.by}`);
    }
  }

  async end(): Promise<void> {
    const record = this.pick(this.sessions)?.record;
    const selector = this.pick<EndSelector>([
      { by: 'sid', issuer: ISSUER, sid: `sid-${Math.floor(this.random() * 3)}` },
      { by: 'sub', issuer: ISSUER, sub: `sub-${Math.floor(this.random() * 2)}` },
      { by: 'handle', handle: record?.handle ?? 's_none' },
      { by: 'user', user: 'sub-1' },
      { by: 'all' },
    ])!;
    // What had begun by now must be gone when this returns, and stay so.
    const askedAt = this.near.now();
    const ended = await this.ending.endSessions(selector, { reason: 'operator' });
    for (const session of ended.sessions) assert.equal(session.ended, true);
    this.ends.push({ selector, returnedAt: askedAt });
  }

  check(): void {
    for (const session of this.sessions) if (!session.ended) this.admitted(session.record);
  }

  async play(): Promise<void> {
    const steps = [
      () => this.run(this.signIn()),
      () => this.run(this.request()),
      () => this.run(this.request()),
      () => this.run(this.end()),
      () => this.clock.advance(Math.floor(this.random() * MINUTE)),
      () => this.turns.letOneGo(),
      () => this.turns.letOneGo(),
      () => this.turns.letOneGo(),
      () => this.turns.letOneGo(),
    ];
    for (let step = 0; step < STEPS; step++) {
      await this.pick(steps)!();
      this.check();
    }
    await this.finish();
  }

  async finish(): Promise<void> {
    const failures: unknown[] = [];
    for (const running of this.running) running.catch((error) => failures.push(error));
    while ((await this.turns.letOneGo()) || this.running.size > 0) {
      this.check();
      this.clock.advance(3_000);
    }
    this.registry.finishClosing();
    await settled();
    assert.deepEqual(failures, []);
    const accounts = this.events.filter((event) => event.event === 'session.ended').map(({ session }) => session);
    const gone = this.sessions.filter(({ ended }) => ended).map(({ record }) => record.handle);
    assert.deepEqual(accounts.toSorted(), gone.toSorted(), 'every end is accounted for once');
    this.freshness.stop();
    assert.equal(this.clock.armed, 0);
  }
}

it('whatever the order of ends, sign-ins, refreshes and requests, nothing comes back that was ended', async () => {
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    try {
      await new Schedule(seed).play();
    } catch (error) {
      throw new Error(`the schedule of seed ${seed} breaks the promise`, { cause: error });
    }
  }
});
