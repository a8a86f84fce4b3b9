// The session store of one process (design: what ends a session). Everything happens in the caller's tick, so that
// between a mark and the end of what it names no other code runs.

import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../base/gateway-error.ts';
import type { SessionId } from '../base/ids.ts';
import { issuedBeforeOf, nameOfSelector, type Tombstone } from './end-names.ts';
import { FormerIds } from './former-ids.ts';
import { type SessionRecord, type StoredSession, withEveryMember } from './session-record.ts';
import type { EndSelector, SessionFilter, SessionStore } from './session-store.ts';
import { MemorySession, SessionTable } from './session-table.ts';
import { Tombstones } from './tombstones.ts';

/** The least by which store time moves on after an end; a double holds epoch milliseconds to about 0.0003. */
const AFTER_AN_END_MS = 0.001;

export interface MemorySessionStoreOptions {
  readonly clock: Clock;
  /** Hard bound; beyond it the session that was idle longest goes. */
  readonly maxSessions: number;
  /** The longest that any session may live: so long are ends remembered. */
  readonly maxSessionLifetimeMs: number;
  /** Told, in the tick of the eviction, of a session that had to go; it has ended and is in no index any more. */
  readonly onEvicted?: (session: StoredSession) => void;
  /** Told, in its tick, of an end that is to be remembered, evictions too, before `onEvicted`. What it throws is dropped. */
  readonly onMarked?: (name: string, tombstone: Tombstone) => void;
}

/** What another process has left. */
export interface FormerSessions {
  /** Its store's time. */
  readonly now: number;
  /** In order of creation. */
  readonly sessions: readonly { readonly record: SessionRecord; readonly lastSeenAt: number }[];
  readonly ends: Iterable<readonly [name: string, arrivedAt: number, issuedBeforeSeconds: number]>;
}

/** Sessions in memory. Nothing here waits or fails. */
export class MemorySessionStore implements SessionStore {
  readonly #clock: Clock;
  #clockOffsetMs: number;
  readonly #maxSessions: number;
  readonly #onEvicted: ((session: StoredSession) => void) | undefined;
  readonly #onMarked: MemorySessionStoreOptions['onMarked'];
  readonly #tombstones: Tombstones;
  readonly #formerIds = new FormerIds<MemorySession>();
  readonly #table: SessionTable;
  #lastEndAt = 0;
  #sequence = 0;

  constructor(options: MemorySessionStoreOptions) {
    this.#clock = options.clock;
    // A wall clock that is set back must not make a new login look older than an end, nor a session younger than it is.
    this.#clockOffsetMs = options.clock.now() - options.clock.monotonicMs();
    this.#maxSessions = options.maxSessions;
    this.#onEvicted = options.onEvicted;
    this.#onMarked = options.onMarked;
    this.#tombstones = new Tombstones({ lifetimeMs: options.maxSessionLifetimeMs });
    this.#table = new SessionTable(options.maxSessions);
  }

  now(): number {
    // Order, not the clock's resolution, decides between an end and a login that begins in the same instant.
    return Math.max(this.#clock.monotonicMs() + this.#clockOffsetMs, this.#lastEndAt + AFTER_AN_END_MS);
  }

  estimateNow(): number {
    return this.now();
  }

  find(id: SessionId): StoredSession | undefined {
    const session = this.#table.find(id) ?? this.#formerIds.find(id, this.now());
    return session === undefined || session.ended ? undefined : session;
  }

  create(record: SessionRecord): StoredSession | 'ended' {
    if (this.#tombstones.refuses(record)) return 'ended';
    const held = this.#table.find(record.id);
    if (held !== undefined) return held;
    const place = { sequence: this.#sequence++, lastSeenAt: this.now() };
    const [session, evicted] = this.#table.add(record, place);
    if (evicted !== undefined) {
      evicted.end();
      // A token is shown again, and is in no file.
      const { kind, handle } = evicted.record;
      if (kind !== 'bearer') this.#tell({ by: 'handle', handle }, { arrivedAt: this.now(), issuedBeforeSeconds: 0 });
      this.#onEvicted?.(evicted);
    }
    return session;
  }

  /**
   * Takes over, before anything else happens here, what another process has left: its ends, and of its sessions those that
   * no end refuses, as far as there is room for them; none of them counts as proven. Time goes on from its time at least.
   */
  restore({ now, sessions, ends }: FormerSessions): readonly StoredSession[] {
    this.#clockOffsetMs += Math.max(0, now - this.now());
    for (const [name, arrivedAt, issuedBeforeSeconds] of ends) {
      this.#tombstones.restore(name, { arrivedAt, issuedBeforeSeconds });
      this.#lastEndAt = Math.max(this.#lastEndAt, arrivedAt);
    }
    const living = sessions.filter(({ record }) => !this.#tombstones.refuses(record));
    const latestFirst = living.toSorted((a, b) => b.lastSeenAt - a.lastSeenAt).slice(0, this.#maxSessions);
    const kept = new Set(latestFirst);
    const restored = new Map<unknown, MemorySession>();
    for (const session of living) {
      if (!kept.has(session)) continue;
      const { record, lastSeenAt } = session;
      const place = { sequence: this.#sequence++, lastSeenAt };
      restored.set(session, this.#table.add({ ...withEveryMember(record), provenAt: 0 }, place)[0]);
    }
    for (const session of latestFirst.toReversed()) this.#table.promote(restored.get(session)!);
    return [...restored.values()];
  }

  /** All sessions, in order of creation. */
  sessions(): Iterable<StoredSession> {
    return this.#table.all();
  }

  /** All ends that are remembered, by name, in order of arrival. */
  ends(): Iterable<[string, Tombstone]> {
    return this.#tombstones.entries();
  }

  update(session: StoredSession, next: SessionRecord): 'updated' | 'changed' | 'ended' {
    if (next.id !== session.record.id) return this.#held(session) === undefined ? 'ended' : 'changed';
    return this.#replace(session, next);
  }

  replaceId(session: StoredSession, next: SessionRecord): 'updated' | 'changed' | 'ended' {
    const formerId = session.record.id;
    const outcome = this.#replace(session, next);
    const held = this.#held(session);
    if (outcome === 'updated' && held !== undefined) {
      this.#formerIds.add(formerId, held, this.now());
      this.touch(held);
    }
    return outcome;
  }

  lastSeenAt(session: StoredSession): number {
    return session.lastSeenAt;
  }

  touch(session: StoredSession): void {
    const held = this.#held(session);
    if (held === undefined) return;
    held.lastSeenAt = this.now();
    this.#table.promote(held);
  }

  end(selector: EndSelector, noticeIssuedAtSeconds = 0): readonly StoredSession[] {
    if (this.#tombstones.covers(selector, this.now())) return [];
    this.#lastEndAt = this.now();
    if (selector.by !== 'expired') {
      this.#tombstones.add(selector, this.#lastEndAt, issuedBeforeOf(selector, noticeIssuedAtSeconds));
      this.#tell(selector, this.#tombstones.of(selector)!);
    }
    const sessions = this.#table.select(selector);
    this.#table.endEach(sessions);
    if (this.#table.size === 0) this.#formerIds.clear();
    return sessions;
  }

  lastEndOf(issuer: string, sid: string): number | undefined {
    return this.#tombstones.arrivedAt({ by: 'sid', issuer, sid });
  }

  list(
    filter: SessionFilter,
    limit: number,
    cursor: string | undefined,
  ): { sessions: readonly StoredSession[]; nextCursor: string | undefined } {
    const after = cursor === undefined ? -1 : sequenceOf(cursor);
    const sessions: MemorySession[] = [];
    for (const session of this.#table.candidates(filter)) {
      if (session.sequence <= after || !matches(session.record, filter)) continue;
      if (sessions.length >= limit) return { sessions, nextCursor: String(sessions.at(-1)?.sequence ?? after) };
      sessions.push(session);
    }
    return { sessions, nextCursor: undefined };
  }

  size(): number {
    return this.#table.size;
  }

  trouble(): undefined {
    return undefined;
  }

  #tell(selector: EndSelector, tombstone: Tombstone): void {
    try {
      this.#onMarked?.(nameOfSelector(selector), tombstone);
    } catch {
      // The cut comes first: after the mark, nobody else's trouble leaves a session in.
    }
  }

  #replace(session: StoredSession, next: SessionRecord): 'updated' | 'changed' | 'ended' {
    const held = this.#held(session);
    if (held === undefined) return 'ended';
    if (next.handle !== held.record.handle) throw new Error('A session keeps its handle for life.');
    if (next.version !== held.record.version + 1) return 'changed';
    if (this.#tombstones.refuses(next)) return 'ended';
    this.#table.replace(held, next);
    return 'updated';
  }

  /** The session as this store wrote it, if it still lives here: one that has ended is in no table any more. */
  #held(session: StoredSession): MemorySession | undefined {
    return session instanceof MemorySession && this.#table.holds(session) ? session : undefined;
  }
}

function sequenceOf(cursor: string): number {
  if (!/^\d{1,15}$/.test(cursor)) {
    throw new GatewayError('cursor_invalid', {
      status: 400,
      message: 'The cursor of the session listing is not one of ours.',
    });
  }
  return Number(cursor);
}

function matches(record: SessionRecord, filter: SessionFilter): boolean {
  return (
    (filter.user === undefined || record.user === filter.user) &&
    (filter.sub === undefined || record.sub === filter.sub) &&
    (filter.sid === undefined || record.sid === filter.sid)
  );
}
