// The sessions of the memory store and every way to find them, kept in step by one place.

import { LRUCache } from 'lru-cache';
import type { SessionHandle, SessionId } from '../base/ids.ts';
import { SessionIndex } from './session-index.ts';
import type { SessionRecord, StoredSession } from './session-record.ts';
import type { EndSelector, NotBeforeSelector, SessionFilter } from './session-store.ts';

/** So many are taken out one by one sooner than a large table is emptied. */
const FEW = 1_000;

/** Shared by all sessions of one table: one write ends them all, whatever their number. */
interface Era {
  over: boolean;
}

/** A session in memory; fields are written by the store only. */
export class MemorySession implements StoredSession {
  record: SessionRecord;
  lastSeenAt: number;
  /** Its place in the listing. */
  readonly sequence: number;
  readonly #era: Era;
  #ended = false;

  constructor(record: SessionRecord, place: { sequence: number; lastSeenAt: number; era: Era }) {
    this.record = record;
    this.lastSeenAt = place.lastSeenAt;
    this.sequence = place.sequence;
    this.#era = place.era;
  }

  get ended(): boolean {
    return this.#ended || this.#era.over;
  }

  end(): void {
    this.#ended = true;
  }
}

/** All live sessions, by id (least recently active first), handle, sid, sub and user. */
export class SessionTable {
  readonly #maxSessions: number;
  #era: Era = { over: false };
  readonly #byId: LRUCache<SessionId, MemorySession>;
  /** Those of bearer tokens. They go first where the table is full: it costs one more look at a signature, and nobody who
   *  has many tokens can sign others out. */
  readonly #bearersById: LRUCache<SessionId, MemorySession>;
  /** In order of creation: the order of the listing. */
  readonly #byHandle = new Map<SessionHandle, MemorySession>();
  /** sid and sub mean something only beside their issuer. */
  readonly #byIssuer = new Map<string, { sid: SessionIndex<MemorySession>; sub: SessionIndex<MemorySession> }>();
  #byUser = new SessionIndex<MemorySession>();

  constructor(maxSessions: number) {
    this.#maxSessions = maxSessions;
    this.#byId = new LRUCache({ max: maxSessions });
    this.#bearersById = new LRUCache({ max: maxSessions });
  }

  get size(): number {
    return this.#byId.size + this.#bearersById.size;
  }

  find(id: SessionId): MemorySession | undefined {
    return this.#byId.peek(id) ?? this.#bearersById.peek(id);
  }

  holds(session: MemorySession): boolean {
    return this.#byHandle.get(session.record.handle) === session;
  }

  /** The session that was idle longest; of a bearer token, if there is one. */
  oldest(): MemorySession | undefined {
    return this.#bearersById.rvalues().next().value ?? this.#byId.rvalues().next().value ?? undefined;
  }

  /** Adds a session; where the table is full, one that was idle longest is taken out and returned. */
  add(
    record: SessionRecord,
    place: { sequence: number; lastSeenAt: number },
  ): [MemorySession, MemorySession | undefined] {
    const evicted = this.size >= this.#maxSessions ? (this.#bearersById.pop() ?? this.#byId.pop()) : undefined;
    if (evicted !== undefined) this.remove(evicted);
    const session = new MemorySession(record, { ...place, era: this.#era });
    this.#idsOf(record).set(record.id, session);
    this.#byHandle.set(record.handle, session);
    this.#index(session);
    return [session, evicted];
  }

  /** Puts `next` in the place of the session's record; a new id counts as activity, nothing else does. */
  replace(session: MemorySession, next: SessionRecord): void {
    const previous = session.record;
    this.#unindex(session);
    session.record = next;
    this.#index(session);
    if (previous.id === next.id) return;
    this.#byId.delete(previous.id);
    this.#byId.set(next.id, session);
  }

  /** Makes this session the one that was active last. */
  promote(session: MemorySession): void {
    this.#idsOf(session.record).get(session.record.id);
  }

  remove(session: MemorySession): void {
    this.#idsOf(session.record).delete(session.record.id);
    this.#byHandle.delete(session.record.handle);
    this.#unindex(session);
  }

  /** All, in order of creation. */
  all(): Iterable<MemorySession> {
    return this.#byHandle.values();
  }

  /** Every session that `selector` names. */
  select(selector: EndSelector): readonly MemorySession[] {
    switch (selector.by) {
      case 'handle':
      case 'expired': {
        const session = this.#byHandle.get(selector.handle);
        return session === undefined ? [] : [session];
      }
      case 'sid':
        return this.#byIssuer.get(selector.issuer)?.sid.get(selector.sid) ?? [];
      case 'sub':
        return this.#byIssuer.get(selector.issuer)?.sub.get(selector.sub) ?? [];
      case 'user':
        return this.#byUser.get(selector.user);
      case 'client':
        return this.#ofClient(selector);
      case 'client_tokens':
        return this.#ofClient(selector).filter((session) => isOlder(session, selector));
      case 'sub_tokens':
        return this.select({ ...selector, by: 'sub' }).filter((session) => isOlder(session, selector));
      case 'all':
        return [...this.#byHandle.values()];
    }
  }

  /** Ends `sessions`, which are in the table, and takes them out; where they are everybody, with one write. */
  endEach(sessions: readonly MemorySession[]): void {
    if (sessions.length > FEW && sessions.length === this.size) {
      this.#endAll();
      return;
    }
    for (const session of sessions) {
      session.end();
      this.remove(session);
    }
  }

  /** Emptied and not made anew: laying out the places for the most sessions there may be takes longer than all of an end. */
  #endAll(): void {
    this.#era.over = true;
    this.#era = { over: false };
    this.#byId.clear();
    this.#bearersById.clear();
    this.#byHandle.clear();
    this.#byIssuer.clear();
    this.#byUser = new SessionIndex();
  }

  /** Sessions in order of creation that are worth comparing with `filter`: those of one index where there is one. */
  candidates(filter: SessionFilter): Iterable<MemorySession> {
    const { user, sub, sid } = filter;
    if (sid !== undefined) return this.#ofEveryIssuer('sid', sid);
    if (sub !== undefined) return this.#ofEveryIssuer('sub', sub);
    if (user !== undefined) return inOrder(this.#byUser.get(user));
    return this.#byHandle.values();
  }

  #ofClient({ issuer, clientId }: { issuer: string; clientId: string }): MemorySession[] {
    return [...this.#byHandle.values()].filter(
      ({ record }) => record.clientId === clientId && record.issuer === issuer,
    );
  }

  #idsOf({ kind }: SessionRecord): LRUCache<SessionId, MemorySession> {
    return kind === 'bearer' ? this.#bearersById : this.#byId;
  }

  #ofEveryIssuer(claim: 'sid' | 'sub', value: string): MemorySession[] {
    return inOrder([...this.#byIssuer.values()].flatMap((indexes) => indexes[claim].get(value)));
  }

  #index(session: MemorySession): void {
    const { issuer, sid, sub, user } = session.record;
    let indexes = this.#byIssuer.get(issuer);
    if (indexes === undefined) {
      indexes = { sid: new SessionIndex(), sub: new SessionIndex() };
      this.#byIssuer.set(issuer, indexes);
    }
    if (sid !== undefined) indexes.sid.add(sid, session);
    indexes.sub.add(sub, session);
    this.#byUser.add(user, session);
  }

  #unindex(session: MemorySession): void {
    const { issuer, sid, sub, user } = session.record;
    const indexes = this.#byIssuer.get(issuer);
    if (sid !== undefined) indexes?.sid.delete(sid, session);
    indexes?.sub.delete(sub, session);
    this.#byUser.delete(user, session);
  }
}

function isOlder({ record }: MemorySession, { issuedBeforeSeconds }: NotBeforeSelector): boolean {
  return record.tokens.issuedAtSeconds < issuedBeforeSeconds;
}

function inOrder(sessions: readonly MemorySession[]): MemorySession[] {
  return sessions.toSorted((a, b) => a.sequence - b.sequence);
}
