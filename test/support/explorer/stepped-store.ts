// A small shared store, to think with: what a server such as Redis does is done at once, one command or script at a time,
// and every command and every answer is some time under way. A real shared store does these steps in this order.
//
//   create   1 write the record; 2 read the tombstones again; where one refuses it, 3 delete it; only then answer
//   find     1 read the record by its id; 2 read the tombstones of its names
//   update   1 one script: still there, unchanged, and neither the record in place nor the next one refused by a tombstone?
//            then write (replaceId: under the new id, and the old one for 30 s)
//   end      1 write the tombstone, first and alone, and stop what runs here; 2 take the sessions out of the indexes and
//            return their records, each to one end only and none that no tombstone refuses; 3 delete the records, each by itself, after the answer
//   touch    1 some time later: only where the record is still there
//
// Answers are under way too: an end that this process has heard of meanwhile is looked at once more in the tick in which
// an answer is used. Without that, a `find` or `create` that was answered before the mark admits somebody after it.

import type { Clock } from '../../../src/base/clock.ts';
import { GatewayError } from '../../../src/base/gateway-error.ts';
import type { SessionHandle, SessionId } from '../../../src/base/ids.ts';
import { issuedBeforeOf } from '../../../src/session/end-names.ts';
import { FormerIds } from '../../../src/session/former-ids.ts';
import type { SessionRecord, StoredSession } from '../../../src/session/session-record.ts';
import type { EndSelector, SessionFilter, SessionStore } from '../../../src/session/session-store.ts';
import { type MemorySession, SessionTable } from '../../../src/session/session-table.ts';
import { Tombstones } from '../../../src/session/tombstones.ts';
import type { StopHere } from './distant-store.ts';
import type { Turns } from './turns.ts';
import { watchFields } from './watch-fields.ts';

/** What can be left out, to see whether anybody notices. */
export type SteppedCheck =
  | 'tombstones at create'
  | 'presence at update'
  | 'tombstones at find'
  | 'ends heard while an answer is under way';

export interface SteppedStoreOptions {
  readonly clock: Clock;
  readonly turns: Turns;
  readonly stopHere: StopHere;
  readonly estimateNow: () => number;
  readonly without?: SteppedCheck | undefined;
}

/** Far more than any test has; the table sets room aside for them. */
const MOST_KEPT = 64;

const LIFETIME_MS = 10 * 60 * 60_000;

/** A session as one process holds it. */
class NearSession implements StoredSession {
  record: SessionRecord;
  lastSeenAt: number;
  ended = false;

  constructor(record: SessionRecord, lastSeenAt: number) {
    this.record = record;
    this.lastSeenAt = lastSeenAt;
  }
}

export class SteppedStore implements SessionStore {
  readonly #options: SteppedStoreOptions;
  // At the server. `ended` of what is kept there means that it is in no index any more and waits for its deletion.
  readonly #kept = new SessionTable(MOST_KEPT);
  readonly #formerIds = new FormerIds<MemorySession>();
  readonly #tombstones = new Tombstones({ lifetimeMs: LIFETIME_MS });
  #lastEndAt = 0;
  #sequence = 0;
  // In this process.
  readonly #near = new Map<SessionHandle, NearSession>();
  /** Ended here before the store was asked: whichever end began it gives the account of it, whoever takes it out. */
  readonly #accountedFor = new Set<SessionHandle>();
  readonly #heard = new Tombstones({ lifetimeMs: LIFETIME_MS });

  constructor(options: SteppedStoreOptions) {
    this.#options = options;
  }

  now(): Promise<number> {
    return this.#ask('now', () => this.#serverNow());
  }

  estimateNow(): number {
    return this.#options.estimateNow();
  }

  async find(id: SessionId): Promise<StoredSession | undefined> {
    await this.#wait('find reads the record');
    this.#options.turns.reads('presence', id);
    const kept = this.#keptUnder(id);
    if (kept === undefined) return this.#wait('find is answered').then(() => undefined);
    const { record, lastSeenAt } = kept;
    await this.#wait('find reads the tombstones');
    const refused = this.#checks('tombstones at find') && this.#refuses(record);
    await this.#wait('find is answered');
    if (refused || (this.#checks('tombstones at find') && this.#heardEndOf(record))) return undefined;
    return this.#hold(record, lastSeenAt);
  }

  async create(record: SessionRecord): Promise<StoredSession | 'ended'> {
    await this.#wait('create writes the record');
    this.#appears(record.id);
    this.#options.turns.changes('presence', record.handle);
    const place = { sequence: this.#sequence++, lastSeenAt: this.#serverNow() };
    const kept = this.#kept.find(record.id) ?? this.#add(record, place);
    await this.#wait('create reads the tombstones');
    const refused = this.#checks('tombstones at create') && this.#refuses(record);
    await this.#wait('create is answered');
    if (!refused && !(this.#checks('tombstones at create') && this.#heardEndOf(record)))
      return this.#hold(record, kept.lastSeenAt);
    await this.#wait('create deletes the record');
    this.#delete(kept);
    return 'ended';
  }

  async update(session: StoredSession, next: SessionRecord): Promise<'updated' | 'changed' | 'ended'> {
    return this.#write('update', session, next);
  }

  async replaceId(session: StoredSession, next: SessionRecord): Promise<'updated' | 'changed' | 'ended'> {
    return this.#write('replaceId', session, next);
  }

  async lastSeenAt(session: StoredSession): Promise<number> {
    const seen = await this.#ask('lastSeenAt', () => this.#keptOf(session)?.lastSeenAt ?? 0);
    return this.#see(session, seen);
  }

  touch(session: StoredSession): void {
    if (session.ended) return;
    this.#see(session, this.estimateNow());
    void this.#options.turns.waitBehind('a touch is written').then(() => this.#writeTouch(session));
  }

  endHeld(selector: EndSelector, noticeIssuedAtSeconds = 0): readonly StoredSession[] {
    const issuedBefore = issuedBeforeOf(selector, noticeIssuedAtSeconds);
    // Whoever holds a token knows by itself when it expires: that is no end to be remembered.
    if (selector.by === 'expired') return this.#endHere(({ handle }) => handle === selector.handle);
    const named = new Tombstones({ lifetimeMs: LIFETIME_MS });
    named.add(selector, Number.POSITIVE_INFINITY, issuedBefore);
    const held = this.#endHere((record) => named.refuses(record));
    // Not before any of them began: the estimate may lag, and a read must not bring them back.
    const heardAt = Math.max(this.#options.clock.now(), ...held.map(({ record }) => record.beganAt));
    this.#heard.add(selector, heardAt, issuedBefore);
    this.#options.turns.changes('what was heard');
    for (const { record } of held) this.#accountedFor.add(record.handle);
    return held;
  }

  async end(selector: EndSelector, noticeIssuedAtSeconds = 0): Promise<readonly StoredSession[]> {
    const issuedBefore = issuedBeforeOf(selector, noticeIssuedAtSeconds);
    const held = this.endHeld(selector, noticeIssuedAtSeconds);
    if (selector.by === 'expired') {
      await this.#ask('end deletes the record', () => {
        for (const kept of this.#kept.select(selector)) this.#delete(kept);
      });
      return held;
    }
    const arrivedAt = await this.#ask('end writes the tombstone', () => {
      this.#options.turns.changes('tombstones');
      this.#options.turns.reads('answers to notices');
      this.#lastEndAt = this.#serverNow();
      this.#tombstones.add(selector, this.#lastEndAt, issuedBefore);
      return this.#lastEndAt;
    });
    this.#options.turns.changes('what was heard');
    this.#heard.add(selector, arrivedAt, issuedBefore);
    this.#options.stopHere(this.#endHere((record) => this.#heard.refuses(record)));
    const taken = await this.#ask('end takes the sessions out', () => this.#takeOut(selector));
    for (const kept of taken) void this.#options.turns.waitBehind('a record is deleted').then(() => this.#delete(kept));
    this.#options.turns.reads('what was heard');
    const others = taken.filter(({ record }) => !this.#accountedFor.has(record.handle));
    return [...held, ...others.map((kept) => this.#endNear(this.#hold(kept.record, kept.lastSeenAt)))];
  }

  lastEndOf(issuer: string, sid: string): Promise<number | undefined> {
    return this.#ask('lastEndOf', () => this.#lastEnd({ by: 'sid', issuer, sid }));
  }

  async list(
    filter: SessionFilter,
    limit: number,
    cursor: string | undefined,
  ): Promise<{ sessions: readonly StoredSession[]; nextCursor: string | undefined }> {
    if (cursor !== undefined && !/^\d+$/.test(cursor))
      throw new GatewayError('cursor_invalid', { status: 400, message: 'The cursor is not one of ours.' });
    const listed = await this.#ask('list', () => {
      this.#options.turns.reads('listing');
      return [...this.#kept.candidates(filter)]
        .filter(({ sequence, record }) => sequence > Number(cursor ?? -1) && !this.#refuses(record))
        .filter(({ record }) => Object.entries(filter).every(([name, value]) => record[name as 'sub'] === value))
        .map(({ record, lastSeenAt, sequence }) => ({ record, lastSeenAt, sequence }));
    });
    const page = listed.slice(0, limit);
    return {
      sessions: page
        .filter(({ record }) => !this.#heardEndOf(record))
        .map(({ record, lastSeenAt }) => this.#hold(record, lastSeenAt)),
      nextCursor: listed.length > limit ? String(page.at(-1)!.sequence) : undefined,
    };
  }

  size(): number {
    return [...this.#kept.candidates({})].filter(({ record }) => !this.#refuses(record)).length;
  }

  trouble(): undefined {
    return undefined;
  }

  /** Whether a reader would find this id now. */
  finds(id: SessionId): boolean {
    const kept = this.#keptUnder(id);
    return kept !== undefined && !(this.#checks('tombstones at find') && this.#refuses(kept.record));
  }

  /** Every record at the server, what waits for its deletion included. */
  left(): readonly SessionRecord[] {
    return [...this.#kept.candidates({})].map(({ record }) => record);
  }

  async #write(
    operation: 'update' | 'replaceId',
    session: StoredSession,
    next: SessionRecord,
  ): Promise<'updated' | 'changed' | 'ended'> {
    const former = session.record.id;
    const answer = await this.#ask(operation, () => {
      const kept = this.#keptOf(session) ?? this.#resurrected(next);
      if (kept === undefined) return 'ended';
      const isUnchanged = next.version === kept.record.version + 1 && (operation === 'replaceId' || next.id === former);
      if (!isUnchanged) return kept.record;
      if (this.#refusesWrite(kept.record, next)) return 'ended';
      if (next.id !== former) {
        this.#appears(former);
        this.#appears(next.id);
      }
      this.#kept.replace(kept, next);
      if (operation === 'replaceId') {
        this.#formerIds.add(former, kept, this.#serverNow());
        kept.lastSeenAt = this.#serverNow();
      }
      return next;
    });
    if (answer === 'ended' || session.ended) return 'ended';
    this.#hold(answer, operation === 'replaceId' ? this.estimateNow() : 0);
    return answer === next ? 'updated' : 'changed';
  }

  /** The record in place counts too: a sign-in that began after the mark must not take over what the mark has ended. */
  #refusesWrite(current: SessionRecord, next: SessionRecord): boolean {
    if (!this.#checks('presence at update')) return false;
    return this.#refuses(current) || this.#refuses(next);
  }

  #writeTouch(session: StoredSession): void {
    const kept = this.#keptOf(session);
    if (kept !== undefined) kept.lastSeenAt = Math.max(kept.lastSeenAt, session.lastSeenAt);
  }

  /** What a write without a look at what is there would do. */
  #resurrected(next: SessionRecord): MemorySession | undefined {
    if (this.#checks('presence at update')) return undefined;
    const place = { sequence: this.#sequence++, lastSeenAt: this.#serverNow() };
    return this.#add({ ...next, version: next.version - 1 }, place);
  }

  /** The object that everybody in this process has for this session, with the newest record that was heard of. */
  #hold(record: SessionRecord, lastSeenAt: number): NearSession {
    this.#options.turns.reads('what is near');
    let near = this.#near.get(record.handle);
    if (near === undefined) {
      this.#options.turns.changes('what is near');
      near = new NearSession(record, lastSeenAt);
      watchFields(near, this.#options.turns);
      this.#near.set(record.handle, near);
    }
    if (record.version > near.record.version) near.record = record;
    near.lastSeenAt = Math.max(near.lastSeenAt, lastSeenAt);
    return near;
  }

  #endNear(near: NearSession): NearSession {
    near.ended = true;
    this.#options.turns.changes('what is near');
    this.#near.delete(near.record.handle);
    return near;
  }

  #endHere(isOver: (record: SessionRecord) => boolean): NearSession[] {
    this.#options.turns.reads('what is near');
    const over = [...this.#near.values()].filter(({ record }) => isOver(record));
    return over.map((near) => this.#endNear(near));
  }

  #see(session: StoredSession, at: number): number {
    if (session instanceof NearSession) session.lastSeenAt = Math.max(session.lastSeenAt, at);
    return session.lastSeenAt;
  }

  /** Only what a tombstone refuses: who has signed in since the mark has nothing to do with it. */
  #takeOut(selector: EndSelector): MemorySession[] {
    const isOver = (kept: MemorySession) => !kept.ended && this.#refuses(kept.record);
    const taken = this.#kept.select(selector).filter(isOver);
    this.#options.turns.reads('listing');
    if (taken.length > 0) this.#options.turns.changes('kept ends');
    for (const kept of taken) kept.end();
    return taken;
  }

  #delete(kept: MemorySession): void {
    this.#appears(kept.record.id);
    this.#options.turns.changes('presence', kept.record.handle);
    if (this.#kept.holds(kept)) this.#kept.remove(kept);
  }

  #keptUnder(id: SessionId): MemorySession | undefined {
    const kept = this.#kept.find(id) ?? this.#formerIds.find(id, this.#serverNow());
    return kept !== undefined && this.#kept.holds(kept) ? kept : undefined;
  }

  #keptOf({ record }: StoredSession): MemorySession | undefined {
    this.#options.turns.reads('presence', record.handle);
    return this.#kept.select({ by: 'handle', handle: record.handle })[0];
  }

  #add(record: SessionRecord, place: { sequence: number; lastSeenAt: number }): MemorySession {
    const [kept] = this.#kept.add(record, place);
    watchFields(kept, this.#options.turns, 'kept ');
    return kept;
  }

  /** Or disappears. */
  #appears(id: SessionId): void {
    this.#options.turns.changes('presence', id);
    this.#options.turns.changes('listing');
    this.#options.turns.reads('answers to notices');
  }

  #lastEnd(selector: EndSelector): number | undefined {
    this.#options.turns.reads('tombstones');
    return this.#tombstones.arrivedAt(selector);
  }

  #refuses(record: SessionRecord): boolean {
    this.#options.turns.reads('tombstones');
    return this.#tombstones.refuses(record);
  }

  #heardEndOf(record: SessionRecord): boolean {
    this.#options.turns.reads('what was heard');
    return this.#checks('ends heard while an answer is under way') && this.#heard.refuses(record);
  }

  #serverNow(): number {
    this.#options.turns.reads('tombstones');
    return Math.max(this.#options.clock.now(), this.#lastEndAt + 0.001);
  }

  #checks(check: SteppedCheck): boolean {
    return this.#options.without !== check;
  }

  #wait(what: string): Promise<void> {
    return this.#options.turns.wait(what);
  }

  async #ask<T>(operation: string, atTheServer: () => T): Promise<T> {
    await this.#wait(operation);
    const answer = atTheServer();
    await this.#wait(`${operation}: answered`);
    return answer;
  }
}
