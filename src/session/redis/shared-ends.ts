// Ends of shared sessions: here at once, then in the store and everywhere (design: what happens at the end of a session;
// decided cases: what could not be written is kept, and written when the store is back).

import type { SessionHandle } from '../../base/ids.ts';
import { isRefused, issuedBeforeOf, nameOfSelector, namesOfRecord, type Tombstone } from '../end-names.ts';
import type { SessionRecord, StoredSession } from '../session-record.ts';
import type { EndSelector } from '../session-store.ts';
import { MemorySession } from '../session-table.ts';
import { Tombstones } from '../tombstones.ts';
import type { EndsBus, HeardEnd } from './ends-bus.ts';
import type { HeldSessions } from './held-sessions.ts';
import { type Home, unknownId } from './redis-keys.ts';
import type { RedisRecords } from './redis-records.ts';
import type { StoreTime } from './store-time.ts';

/** So long an end waits for the records that it takes out; the others follow, and have ended all the same. */
const TAKE_OUT_MS = 1_000;
const AT_ONCE = 64;

/** An end that the store does not know of yet. `heardAt` is this process's idea of the store's time. */
interface Unwritten {
  readonly selector: EndSelector;
  readonly issuedBeforeSeconds: number;
  readonly heardAt: number;
}

/** Who accounts for the sessions of an end, but for those that were held here and are accounted for. */
interface Account {
  readonly begun: readonly MemorySession[];
  readonly onLate: (sessions: readonly StoredSession[]) => void;
}

export interface SharedEndsOptions {
  readonly bus: EndsBus;
  readonly records: RedisRecords;
  readonly held: HeldSessions;
  readonly time: StoreTime;
  readonly lifetimeMs: number;
  /** Told, in its turn, of held sessions that another replica has ended. */
  readonly onStopped: (sessions: readonly StoredSession[]) => void;
  /** Told when sessions have been taken out of the store. */
  readonly onTakenOut: () => Promise<void>;
}

/** What this replica has ended and heard of. */
export class SharedEnds {
  readonly #options: SharedEndsOptions;
  readonly #heard: Tombstones;
  readonly #unwritten = new Map<string, Unwritten>();
  /** Held sessions that `endHeld` has ended and `end` has still to account for. */
  readonly #begun = new Map<string, readonly MemorySession[]>();
  /** Whom this replica accounts for already: an end under another name that finds the record must not do so too. */
  readonly #accounted = new Set<SessionHandle>();
  /** Of ends that could not be written, by name. */
  readonly #accounts = new Map<string, Account>();
  /** Records that are taken out after the store was back: one end after the other. */
  #takingOut: Promise<void> = Promise.resolve();
  /** Whose record was to be taken out when the store failed: where it is gone afterwards, it was. */
  readonly #unanswered = new Map<Home, StoredSession>();
  /** Goes on with what the store has failed at. */
  #resume: (() => void)[] = [];

  constructor(options: SharedEndsOptions) {
    this.#options = options;
    this.#heard = new Tombstones(options);
  }

  /** Whether an end that this replica knows of refuses a record, the store's word apart. */
  refuses(record: Omit<SessionRecord, 'id'>): boolean {
    if (this.#heard.refuses(record)) return true;
    return this.#unwritten.size > 0 && isRefused(record, (name) => this.#unwrittenTombstone(name));
  }

  /**
   * Whether the store or what was heard refuses one of these records, as of this turn; in one look.
   * @throws GatewayError `store_unavailable`
   */
  async isEnded(...records: readonly Omit<SessionRecord, 'id'>[]): Promise<boolean> {
    const names = new Set(records.flatMap(namesOfRecord));
    const { tombstones } = await this.#options.bus.look([...names]);
    return records.some((record) => this.refuses(record) || isRefused(record, (name) => tombstones.get(name)));
  }

  /** Ends, in this turn, what this replica holds of it. */
  endHeld(selector: EndSelector, noticeIssuedAtSeconds: number): readonly StoredSession[] {
    const { held, time } = this.#options;
    if (this.#heard.covers(selector, time.estimate())) return [];
    const name = nameOfSelector(selector);
    const sessions = held.select(selector);
    held.endEach(sessions);
    if (selector.by === 'expired') return sessions;
    this.#begun.set(name, [...(this.#begun.get(name) ?? []), ...sessions]);
    for (const { record } of sessions) this.#accounted.add(record.handle);
    const own = { selector, issuedBeforeSeconds: issuedBeforeOf(selector, noticeIssuedAtSeconds) };
    // One that waits to be written under the same name must lose nothing by this one.
    const waiting = this.#unwritten.get(name) ?? own;
    const stronger = waiting.issuedBeforeSeconds > own.issuedBeforeSeconds ? waiting : own;
    this.#unwritten.set(name, { ...stronger, heardAt: latest(sessions, time.estimate()) });
    return sessions;
  }

  /** Marks, tells, takes out; returns what it ended, `endHeld` included. @throws GatewayError `store_unavailable` */
  async end(
    selector: EndSelector,
    noticeIssuedAtSeconds: number,
    onLate: (sessions: readonly StoredSession[]) => void,
  ): Promise<readonly StoredSession[]> {
    if (selector.by === 'expired') return this.#expire(selector.handle);
    const name = nameOfSelector(selector);
    if (!this.#begun.has(name)) this.endHeld(selector, noticeIssuedAtSeconds);
    const begun = this.#begun.get(name);
    const unwritten = this.#unwritten.get(name);
    // Nothing new: it was written, and heard, before.
    if (begun === undefined) return [];
    this.#begun.delete(name);
    const { bus } = this.#options;
    const { issuedBeforeSeconds } = unwritten ?? {
      issuedBeforeSeconds: issuedBeforeOf(selector, noticeIssuedAtSeconds),
    };
    const marking = bus.mark(unwritten?.selector ?? selector, { name, issuedBeforeSeconds, heardAt: undefined });
    // It is written when the store is back, and whoever it takes out then is accounted for as now.
    marking.catch(() => this.#accounts.set(name, this.#accountOf(name, { begun, onLate })));
    const marked = await marking;
    this.#written(name, unwritten, { arrivedAt: marked.arrivedAt, issuedBeforeSeconds });
    const account = this.#accountOf(name, { begun, onLate });
    const taken: StoredSession[] = [];
    let isLate = false;
    const takingOut = this.#takeOut(selector, { arrivedAt: marked.arrivedAt, issuedBeforeSeconds }, (sessions) => {
      if (isLate) onLate(sessions);
      else taken.push(...sessions);
    });
    void takingOut.then(() => this.#forget(account));
    await Promise.all([atMost(TAKE_OUT_MS, takingOut), marked.acknowledged]);
    isLate = true;
    return [...begun, ...taken];
  }

  /** Every replica knows by itself when a token expires: nothing is marked and nobody is told. */
  async #expire(handle: SessionHandle): Promise<readonly StoredSession[]> {
    const { records, onTakenOut } = this.#options;
    const sessions = this.endHeld({ by: 'expired', handle }, 0);
    const [home] = await records.homesOf({ by: 'handle', handle });
    const stored = home === undefined ? undefined : await records.read(home);
    if (stored !== undefined && (await records.take(stored))) await records.leave(stored.home, stored.record);
    await onTakenOut();
    return sessions;
  }

  /** Another replica, or this one, has told an end. */
  heard({ selector, arrivedAt, issuedBeforeSeconds }: HeardEnd): void {
    const { held, onStopped } = this.#options;
    this.#heard.add(selector, arrivedAt, issuedBeforeSeconds);
    const sessions = held.select(selector).filter(({ record }) => this.#heard.refuses(record));
    held.endEach(sessions);
    if (sessions.length > 0) onStopped(sessions);
  }

  /** An end was told that may name anybody: whatever is held stops, and the store says at its next request who lives. */
  heardUnknown(): void {
    const { held, onStopped } = this.#options;
    const sessions = held.select({ by: 'all' });
    held.endEach(sessions);
    if (sessions.length > 0) onStopped(sessions);
  }

  /** Whether an end is still to be written, or records of one to be taken out. */
  get isBehind(): boolean {
    return this.#unwritten.size > 0 || this.#resume.length > 0;
  }

  /** When the latest end by this name arrived. @throws GatewayError `store_unavailable` */
  async arrivalOf(selector: EndSelector): Promise<number | undefined> {
    const name = nameOfSelector(selector);
    const { tombstones } = await this.#options.bus.look([name]);
    return tombstones.get(name)?.arrivedAt;
  }

  /**
   * Writes every end that could not be written when it was heard. What they name is taken out after that, by and by.
   * @throws GatewayError `store_unavailable`
   */
  async writeUnwritten(): Promise<void> {
    for (const [name, unwritten] of [...this.#unwritten]) {
      if (this.#begun.has(name)) continue;
      const { selector, issuedBeforeSeconds, heardAt } = unwritten;
      const { arrivedAt } = await this.#options.bus.mark(selector, { name, issuedBeforeSeconds, heardAt });
      this.#written(name, unwritten, { arrivedAt, issuedBeforeSeconds });
      const account = this.#accountOf(name, { begun: [], onLate: () => {} });
      this.#takingOut = this.#takingOut
        .then(() => this.#takeOut(selector, { arrivedAt, issuedBeforeSeconds }, account.onLate))
        .then(() => this.#forget(account));
    }
    for (const resume of this.#resume.splice(0)) resume();
  }

  /** Writes every tombstone again that is remembered: the store may have come back without. @throws GatewayError */
  async writeAgain(): Promise<void> {
    const remembered = [...this.#heard.entries()];
    for (let from = 0; from < remembered.length; from += AT_ONCE) {
      const batch = remembered.slice(from, from + AT_ONCE);
      await Promise.all(batch.map(([name, tombstone]) => this.#options.bus.keep(name, tombstone)));
    }
  }

  /** This account, together with that of an earlier end of the same name that could not be written: the first one's counts. */
  #accountOf(name: string, { begun, onLate }: Account): Account {
    const earlier = this.#accounts.get(name);
    this.#accounts.delete(name);
    return earlier === undefined ? { begun, onLate } : { begun: [...earlier.begun, ...begun], onLate: earlier.onLate };
  }

  #forget({ begun }: Account): void {
    for (const { record } of begun) this.#accounted.delete(record.handle);
  }

  #unwrittenTombstone(name: string): Tombstone | undefined {
    const unwritten = this.#unwritten.get(name);
    return unwritten && { arrivedAt: unwritten.heardAt, issuedBeforeSeconds: unwritten.issuedBeforeSeconds };
  }

  /** The store knows now; an end of the same name that came meanwhile is still to be written. */
  #written(name: string, unwritten: Unwritten | undefined, { arrivedAt, issuedBeforeSeconds }: Tombstone): void {
    if (unwritten === undefined) return;
    this.#heard.add(unwritten.selector, arrivedAt, issuedBeforeSeconds);
    if (this.#unwritten.get(name) === unwritten) this.#unwritten.delete(name);
  }

  /**
   * Deletes the records of what has ended, and tells of them by the batch, as fast as the store gives them. Never rejects:
   * where the store fails, it goes on when that is back. Until then a tombstone refuses them.
   */
  async #takeOut(
    selector: EndSelector,
    tombstone: Tombstone,
    onTaken: (sessions: readonly StoredSession[]) => void,
  ): Promise<void> {
    for (;;) {
      try {
        const homes = await this.#options.records.homesOf(selector);
        for (let from = 0; from < homes.length; from += AT_ONCE) {
          const batch = homes.slice(from, from + AT_ONCE).map((home) => this.#takeOne(home, selector, tombstone));
          const taken = await Promise.allSettled(batch);
          const sessions = taken.flatMap((one) => (one.status === 'fulfilled' ? (one.value ?? []) : []));
          const others = sessions.filter(({ record }) => !this.#accounted.has(record.handle));
          if (others.length > 0) onTaken(others);
          // What was taken is told; now the failure counts.
          await Promise.all(batch);
        }
        return await this.#options.onTakenOut();
      } catch {
        await new Promise<void>((resolve) => this.#resume.push(resolve));
      }
    }
  }

  async #takeOne(home: Home, selector: EndSelector, tombstone: Tombstone): Promise<StoredSession | undefined> {
    const { records } = this.#options;
    const name = nameOfSelector(selector);
    for (;;) {
      const stored = await records.read(home);
      const unanswered = this.#unanswered.get(home);
      this.#unanswered.delete(home);
      if (stored === undefined) return unanswered;
      const { record, lastSeenAt } = stored;
      if (!namesOfRecord(record).includes(name)) return undefined;
      if (!isRefused(record, (other) => (other === name ? tombstone : undefined))) return undefined;
      const full = { ...record, id: unknownId(home) };
      const session = new MemorySession(full, { sequence: 0, lastSeenAt, era: { over: true } });
      const taking = records.take(stored);
      taking.catch(() => this.#unanswered.set(home, session));
      if (!(await taking)) continue;
      // What stays in the indexes goes by itself; what was taken must be accounted for.
      await records.leave(home, record).catch(() => {});
      return session;
    }
  }
}

/** Not before any of `sessions` began: our idea of the store's time may lag, and a read must not bring them back. */
function latest(sessions: readonly StoredSession[], estimate: number): number {
  return sessions.reduce((at, { record }) => Math.max(at, record.beganAt), estimate);
}

function atMost(ms: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void work.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
