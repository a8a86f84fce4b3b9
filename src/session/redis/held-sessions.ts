// The sessions that this replica holds in memory: one object each, so that whoever keeps it sees every change and the end.
// Bounded in number; what is held beyond a minute is read again before it is believed.

import type { Clock } from '../../base/clock.ts';
import type { SessionHandle, SessionId } from '../../base/ids.ts';
import type { TokenSet } from '../../base/tokens.ts';
import type { SessionRecord } from '../session-record.ts';
import type { EndSelector } from '../session-store.ts';
import { MemorySession, SessionTable } from '../session-table.ts';
import { type Home, hashOfId, unknownId } from './redis-keys.ts';
import type { StoredRecord } from './stored-record.ts';

/** Messages about changes are not counted as those about ends are; one that was lost is made up for after this. */
const BELIEVED_MS = 60_000;

/** Sessions with live connections are kept beyond the bound, as long as they are fewer than half of what is held. */
const TRIES_TO_EVICT = 64;

/** One held session and what the store knows of it beside the record. */
export interface Held {
  readonly session: MemorySession;
  readonly home: Home;
  idHash: string;
  formerIds: StoredRecord['formerIds'];
  /** The lease's epoch in which it was read last. */
  epoch: number;
  readAtMonotonicMs: number;
}

export interface HeldSessionsOptions {
  readonly clock: Clock;
  readonly maxSessions: number;
  readonly isLive: (handle: SessionHandle) => boolean;
  /** Told of a session that is not held any more, though it lives; its object says that it has ended. */
  readonly onLetGo: (session: MemorySession) => void;
}

/** What this replica remembers of living sessions. */
export class HeldSessions {
  readonly #options: HeldSessionsOptions;
  readonly #table: SessionTable;
  readonly #byHome = new Map<Home, Held>();
  readonly #bySession = new Map<MemorySession, Held>();
  #sequence = 0;

  constructor(options: HeldSessionsOptions) {
    this.#options = options;
    this.#table = new SessionTable(2 * options.maxSessions);
  }

  /** The session with this id, if it may be believed in this epoch. */
  find(id: SessionId, epoch: number): MemorySession | undefined {
    const session = this.#table.find(id);
    const held = session && this.#bySession.get(session);
    if (held === undefined || held.epoch !== epoch) return undefined;
    return this.#options.clock.monotonicMs() - held.readAtMonotonicMs < BELIEVED_MS ? session : undefined;
  }

  of(session: unknown): Held | undefined {
    return session instanceof MemorySession ? this.#bySession.get(session) : undefined;
  }

  at(home: Home): Held | undefined {
    return this.#byHome.get(home);
  }

  isLive(home: Home): boolean {
    const held = this.#byHome.get(home);
    return held !== undefined && this.#options.isLive(held.session.record.handle);
  }

  /** Every session that is held and has live connections. */
  live(): Held[] {
    return [...this.#bySession.values()].filter(({ session }) => this.#options.isLive(session.record.handle));
  }

  /**
   * Holds what was read in `epoch` under `id`, where that is its own. The object of a session that is held already gets the
   * newer record; `isNewer` says whether it had an older one.
   */
  hold(stored: StoredRecord, id: SessionId | undefined, epoch: number): { session: MemorySession; isNewer: boolean } {
    const { home, idHash, formerIds, lastSeenAt } = stored;
    const readAtMonotonicMs = this.#options.clock.monotonicMs();
    const held = this.#byHome.get(home);
    if (held === undefined) {
      this.#makeRoom();
      const record = { ...stored.record, id: id ?? unknownId(home) };
      const [session] = this.#table.add(record, { sequence: this.#sequence++, lastSeenAt });
      const added = { session, home, idHash, formerIds, epoch, readAtMonotonicMs };
      this.#byHome.set(home, added);
      this.#bySession.set(session, added);
      return { session, isNewer: false };
    }
    const { session } = held;
    Object.assign(held, { idHash, formerIds, epoch, readAtMonotonicMs });
    session.lastSeenAt = Math.max(session.lastSeenAt, lastSeenAt);
    const known = hashOfId(session.record.id) === idHash ? session.record.id : unknownId(home);
    const isNewer = stored.record.version > session.record.version;
    const nextId = id ?? known;
    if (isNewer || nextId !== session.record.id) {
      const next = isNewer ? stored.record : session.record;
      this.#table.replace(session, { ...next, id: nextId, tokens: kept(session.record.tokens, next.tokens) });
    }
    return { session, isNewer };
  }

  /** Puts a record that this replica has written in the place of the one before. */
  replace(session: MemorySession, next: SessionRecord): void {
    this.#table.replace(session, next);
  }

  /** Not to be believed before it is read again. */
  doubt(home: Home): void {
    const held = this.#byHome.get(home);
    if (held !== undefined) held.epoch = -1;
  }

  touch(session: MemorySession, now: number): void {
    session.lastSeenAt = now;
    this.#table.promote(session);
  }

  /** Every held session that a selector names. */
  select(selector: EndSelector): readonly MemorySession[] {
    return this.#table.select(selector);
  }

  /** Ends a session for its holders and forgets it. */
  end(session: MemorySession): void {
    session.end();
    if (!this.#bySession.has(session)) return;
    this.#table.remove(session);
    this.#letGo(session);
  }

  /** Ends all of `sessions`, which are held. */
  endEach(sessions: readonly MemorySession[]): void {
    this.#table.endEach(sessions);
    if (this.#table.size === 0) {
      this.#bySession.clear();
      this.#byHome.clear();
      return;
    }
    for (const session of sessions) this.#letGo(session);
  }

  #letGo(session: MemorySession): void {
    const held = this.#bySession.get(session);
    this.#bySession.delete(session);
    if (held !== undefined) this.#byHome.delete(held.home);
  }

  #makeRoom(): void {
    for (let tries = 0; tries < TRIES_TO_EVICT && this.#bySession.size >= this.#options.maxSessions; tries++) {
      const oldest = this.#table.oldest();
      if (oldest === undefined) return;
      const isLast = this.#bySession.size >= 2 * this.#options.maxSessions - 1;
      if (this.#options.isLive(oldest.record.handle) && !isLast) this.#table.promote(oldest);
      else {
        this.end(oldest);
        this.#options.onLetGo(oldest);
      }
    }
  }
}

/** Whoever waits for an answer about tokens knows them by their object: it stays the same for as long as they do. */
function kept(tokens: TokenSet, next: TokenSet): TokenSet {
  const { accessToken, refreshToken } = next;
  return tokens.accessToken === accessToken && tokens.refreshToken === refreshToken ? tokens : next;
}
