// Random schedules of everything that can happen to sessions at once, over a store whose every call and a provider whose
// every answer waits for its turn (design: never undone). Whatever the order: what an end named does not come back, every
// end is accounted for once, no refresh token is ever under way twice, none that was used up is sent again unless its
// answer was lost, and no answer of an older grant replaces what a newer sign-in brought.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { GateEvent } from '../../../src/base/events.ts';
import { newSessionHandle, newSessionId } from '../../../src/base/ids.ts';
import type { TokenSet } from '../../../src/base/tokens.ts';
import { createFreshness } from '../../../src/freshness/freshness.ts';
import { createAdmitSignIn } from '../../../src/logout/admit-sign-in.ts';
import { createEndSessions } from '../../../src/logout/end-sessions.ts';
import { MemorySessionStore } from '../../../src/session/memory-session-store.ts';
import type { SessionRecord, StoredSession } from '../../../src/session/session-record.ts';
import type { EndSelector, NotBeforeSelector, SessionStore } from '../../../src/session/session-store.ts';
import { MINUTE, providerDown, refreshRefused } from '../../support/freshness-desk.ts';
import { ManualClock, settled } from '../../support/manual-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { FakeRegistry } from '../../support/session-desk.ts';
import { aTokenSet, ISSUER } from '../../support/session-records.ts';

const SCHEDULES = 80;
const STEPS = 400;

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
    lastEndOf: (issuer, sid) => far(() => store.lastEndOf(issuer, sid)),
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
  switch (selector.by) {
    case 'all':
      return true;
    case 'sid':
      return record.sid === selector.sid;
    case 'sub':
      return record.sub === selector.sub;
    case 'user':
      return record.user === selector.user;
    case 'handle':
    case 'expired':
      return record.handle === selector.handle;
    case 'client':
      return record.clientId === selector.clientId;
    case 'client_tokens':
      return record.clientId === selector.clientId && isOlder(record, selector);
    case 'sub_tokens':
      return record.sub === selector.sub && isOlder(record, selector);
  }
}

function isOlder({ tokens }: SessionRecord, { issuedBeforeSeconds }: NotBeforeSelector): boolean {
  return tokens.issuedAtSeconds < issuedBeforeSeconds;
}

/** A provider that rotates refresh tokens, forgets nothing, and writes down what a gate must not do. */
class RotatingProvider {
  readonly faults: string[] = [];
  readonly #grants = new Map<string, number>();
  readonly #underWay = new Set<string>();
  readonly #usedUp = new Set<string>();
  readonly #lost = new Set<string>();
  readonly #over = new Set<string>();
  readonly #world: { random: () => number; turns: Turns; clock: ManualClock };
  #grant = 0;

  constructor(world: { random: () => number; turns: Turns; clock: ManualClock }) {
    this.#world = world;
  }

  signIn(): TokenSet {
    return this.#give(++this.#grant);
  }

  grantOf(token: string): number {
    return this.#grants.get(token)!;
  }

  /** Whether the gate was told that the grant of this token is over. */
  isOver(token: string): boolean {
    return this.#over.has(token);
  }

  async refresh(token: string): Promise<TokenSet> {
    await this.#alone(token);
    if (this.#usedUp.has(token) && !this.#lost.has(token)) this.faults.push('a used token was sent again');
    const chance = this.#world.random();
    if (chance < 0.1) throw providerDown();
    if (chance < 0.2 || this.#usedUp.has(token)) {
      this.#over.add(token);
      throw refreshRefused();
    }
    this.#usedUp.add(token);
    if (chance < 0.3) {
      this.#lost.add(token);
      throw providerDown();
    }
    return this.#give(this.grantOf(token));
  }

  async probe(token: string): Promise<'alive' | 'ended'> {
    await this.#alone(token);
    const chance = this.#world.random();
    if (chance < 0.15) throw providerDown();
    if (chance > 0.1 && !this.#usedUp.has(token)) return 'alive';
    this.#over.add(token);
    return 'ended';
  }

  async #alone(token: string): Promise<void> {
    if (this.#underWay.has(token)) this.faults.push('a refresh token is under way twice');
    this.#underWay.add(token);
    await this.#world.turns.wait();
    this.#underWay.delete(token);
  }

  #give(grant: number): TokenSet {
    const tokens = aTokenSet({ accessExpiresAt: this.#world.clock.now() + 5 * MINUTE });
    this.#grants.set(tokens.refreshToken!, grant);
    return tokens;
  }
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
  /** With those that ended before their sign-in was answered. */
  readonly created = new Set<StoredSession>();
  readonly ends: KnownEnd[] = [];
  readonly provider: RotatingProvider;
  readonly running = new Set<Promise<unknown>>();
  /** The grants that each session has had, in order: one that a sign-in replaced never comes back. */
  readonly grants = new Map<StoredSession, number[]>();
  readonly tokens = new Map<StoredSession, Set<string>>();

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.turns = new Turns(this.random);
    this.provider = new RotatingProvider({ random: this.random, turns: this.turns, clock: this.clock });
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
    refreshTokens: async ({ tokens, claims }) => ({
      tokens: await this.provider.refresh(tokens.refreshToken!),
      claims,
    }),
    probeSession: (token) => this.provider.probe(token),
  });

  readonly admit = createAdmitSignIn({
    store: new Proxy({} as SessionStore, { get: (_, name) => this.store[name as keyof SessionStore] }),
    endSessions: this.ending.endSessions,
    clientId: 'wiki-gate',
    watch: (session) => {
      this.created.add(session);
      this.freshness.watch(session);
    },
  });

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
    const again = this.random() < 0.7 ? current?.record : undefined;
    const sub = again?.sub ?? `sub-${Math.floor(this.random() * 3)}`;
    const sid = again?.sid ?? `sid-${Math.floor(this.random() * 6)}`;
    const session = await this.admit({
      signedIn: {
        ...{ issuer: ISSUER, sub, sid, claims: { preferred_username: sub }, tokens: this.provider.signIn() },
        ...{ idTokenIssuedAtSeconds: Math.floor(this.clock.now() / 1000), probe: 'introspect' },
      },
      ...{
        beganAt,
        id: newSessionId(),
        handle: newSessionHandle(),
        current,
        cookieHost: undefined,
        refusedAcr: undefined,
        address: '192.0.2.1',
        userAgent: 'test',
      },
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
      { by: 'sid', issuer: ISSUER, sid: `sid-${Math.floor(this.random() * 6)}` },
      { by: 'sub', issuer: ISSUER, sub: `sub-${Math.floor(this.random() * 3)}` },
      { by: 'handle', handle: record?.handle ?? 's_none' },
      { by: 'user', user: 'sub-1' },
      this.random() < 0.2 ? { by: 'all' } : { by: 'handle', handle: record?.handle ?? 's_none' },
    ])!;
    // What had begun by now must be gone when this returns, and stay so.
    const askedAt = this.near.now();
    const ended = await this.ending.endSessions(selector, { reason: 'operator' });
    for (const session of ended.sessions) assert.equal(session.ended, true);
    this.ends.push({ selector, returnedAt: askedAt });
  }

  check(): void {
    assert.deepEqual(this.provider.faults, []);
    for (const session of this.sessions) {
      const grant = this.provider.grantOf(session.record.tokens.refreshToken!);
      const had = this.grants.get(session) ?? [];
      if (had.at(-1) !== grant) had.push(grant);
      assert.equal(new Set(had).size, had.length, 'a grant that a sign-in replaced stays replaced');
      this.grants.set(session, had);
      this.tokens.set(session, (this.tokens.get(session) ?? new Set()).add(session.record.tokens.refreshToken!));
      if (!session.ended) this.admitted(session.record);
    }
  }

  /** What ended by the provider's word ended by its word about that session. */
  checkReasons(): void {
    for (const event of this.events) {
      if (event.event !== 'session.ended') continue;
      if (event.reason !== 'refresh_refused' && event.reason !== 'revalidation') continue;
      const session = this.sessions.find(({ record }) => record.handle === event.session);
      const tokens = session && this.tokens.get(session);
      assert.ok(tokens === undefined || [...tokens].some((token) => this.provider.isOver(token)));
    }
  }

  async play(): Promise<void> {
    const weighted: [number, () => unknown][] = [
      [2, () => this.run(this.signIn())],
      [8, () => this.run(this.request())],
      [1, () => this.run(this.end())],
      [3, () => this.clock.advance(Math.floor(this.random() * 3 * MINUTE))],
      [26, () => this.turns.letOneGo()],
    ];
    const steps = weighted.flatMap(([weight, step]) => Array<() => unknown>(weight).fill(step));
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
    const gone = [...this.created].filter(({ ended }) => ended).map(({ record }) => record.handle);
    assert.deepEqual(accounts.toSorted(), gone.toSorted(), 'every end is accounted for once');
    this.checkReasons();
    assert.equal(this.near.size(), this.sessions.filter(({ ended }) => !ended).length, 'nothing is left of what ended');
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
