// The rooms that hold and end sessions, put together as a gate does, with time and connections in the test's hands.

import assert from 'node:assert/strict';
import type { ConnectionCounts, GateEvent } from '../../src/base/events.ts';
import { createEndSessions, type Ending, type EndSessionsOptions } from '../../src/logout/end-sessions.ts';
import { MemorySessionStore } from '../../src/session/memory-session-store.ts';
import type { SessionRecord, StoredSession } from '../../src/session/session-record.ts';
import { ManualClock } from './manual-clock.ts';
import { aRecord } from './session-records.ts';

/** The connections of one session: only counted, and closed when the test says so. */
export class FakeOwner {
  readonly key: string;
  readonly live: ConnectionCounts;
  stopped = false;

  constructor(key: string, live: Partial<ConnectionCounts>) {
    this.key = key;
    this.live = { requests: 0, streams: 0, websockets: 0, ...live };
  }

  counts(): ConnectionCounts {
    return { ...this.live };
  }
}

/** A registry whose closes last until `finishClosing`. */
export class FakeRegistry {
  readonly #owners = new Map<string, FakeOwner>();
  readonly #closing: (() => void)[] = [];
  readonly closed: FakeOwner[][] = [];

  connect(session: StoredSession, live: Partial<ConnectionCounts>): FakeOwner {
    const owner = new FakeOwner(session.record.handle, live);
    this.#owners.set(owner.key, owner);
    return owner;
  }

  isLive(key: string): boolean {
    return this.#owners.has(key);
  }

  stop(key: string): FakeOwner | undefined {
    const owner = this.#owners.get(key);
    if (owner !== undefined) owner.stopped = true;
    this.#owners.delete(key);
    return owner;
  }

  close(owners: readonly FakeOwner[]): Promise<void> {
    this.closed.push([...owners]);
    return new Promise((resolve) => this.#closing.push(resolve));
  }

  finishClosing(): void {
    for (const resolve of this.#closing.splice(0)) resolve();
  }
}

export type SessionEnded = Extract<GateEvent, { event: 'session.ended' }>;

/** One gate's sessions. */
export class SessionDesk {
  readonly clock = new ManualClock();
  readonly registry = new FakeRegistry();
  readonly events: GateEvent[] = [];
  readonly forgotten: StoredSession[] = [];
  readonly store: MemorySessionStore;
  readonly ending: Ending;

  constructor(options: { maxSessions?: number } & Partial<EndSessionsOptions<FakeOwner>> = {}) {
    this.store = new MemorySessionStore({
      clock: this.clock,
      maxSessions: options.maxSessions ?? 1_000,
      maxSessionLifetimeMs: 10 * 60 * 60_000,
      onEvicted: (session) => this.ending.conclude([session], { reason: 'evicted' }),
    });
    this.ending = createEndSessions({
      store: this.store,
      registry: this.registry,
      clock: this.clock,
      emit: (event) => this.events.push(event),
      forget: (session) => this.forgotten.push(session),
      ...options,
    });
  }

  signIn(overrides: Partial<SessionRecord> = {}): StoredSession {
    const session = this.store.create(aRecord(this.store.now(), overrides));
    assert.ok(session !== 'ended');
    return session;
  }

  isAlive(session: StoredSession): boolean {
    const found = this.store.find(session.record.id);
    assert.equal(found === undefined, session.ended);
    return found !== undefined;
  }

  ended(): SessionEnded[] {
    return this.events.filter((event) => event.event === 'session.ended');
  }
}
