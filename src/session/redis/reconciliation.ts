// What this replica holds, compared with what the store has: after a read, after a message that a record has changed, and
// after a time in which messages may have been missed.

import type { SessionId } from '../../base/ids.ts';
import { isRefused, namesOfRecord } from '../end-names.ts';
import type { StoredSession } from '../session-record.ts';
import type { EndsBus } from './ends-bus.ts';
import type { HeldSessions } from './held-sessions.ts';
import type { Home } from './redis-keys.ts';
import type { RedisRecords } from './redis-records.ts';
import type { SharedEnds } from './shared-ends.ts';
import type { StoredRecord } from './stored-record.ts';

/** So many sessions are read at once after a fault: requests shall find the store free. */
const AT_ONCE = 32;

/** Whoever waits for another replica's change looks for it this often, message or not. */
const LOOK_AGAIN_MS = 500;

/** Whoever ended a session accounts for it, and needs its record for that; what is there after this was left over. */
const LEFT_OVER_MS = 60_000;

export interface ReconciliationOptions {
  readonly records: RedisRecords;
  readonly bus: EndsBus;
  readonly held: HeldSessions;
  readonly ends: SharedEnds;
  /** Told of a held session that has ended without this replica having heard it; nothing of it may go on. */
  readonly onStopped: (sessions: readonly StoredSession[]) => void;
  /** Told of a held session whose record another replica has changed. */
  readonly onChanged: (session: StoredSession) => void;
}

/** Brings what is held into line. */
export class Reconciliation {
  readonly #options: ReconciliationOptions;
  readonly #waiting = new Map<Home, Set<() => void>>();
  readonly #leftOver = new Set<Home>();

  constructor(options: ReconciliationOptions) {
    this.#options = options;
  }

  /** Holds what was read, and found to be alive in this turn. */
  hold(stored: StoredRecord, id: SessionId | undefined): StoredSession {
    const { held, bus, onChanged } = this.#options;
    const { session, isNewer } = held.hold(stored, id, bus.lease.epoch);
    if (isNewer) onChanged(session);
    return session;
  }

  /** The store has no such record, or none that can be read. */
  missing(home: Home): void {
    const own = this.#options.held.at(home);
    if (own === undefined) return;
    this.#options.held.end(own.session);
    this.#options.onStopped([own.session]);
  }

  /** The store has the record, and a tombstone that refuses it: whoever made that has not come to the record yet. */
  ended(stored: StoredRecord): void {
    const { home } = stored;
    this.missing(home);
    if (this.#leftOver.has(home)) return;
    this.#leftOver.add(home);
    setTimeout(() => {
      this.#leftOver.delete(home);
      // Best effort: a record that stays is refused all the same, and goes by itself.
      this.#remove(stored).catch(() => {});
    }, LEFT_OVER_MS).unref();
  }

  async #remove(stored: StoredRecord): Promise<void> {
    const { records } = this.#options;
    if (await records.take(stored)) await records.leave(stored.home, stored.record);
  }

  /** Reads a held session again. @throws GatewayError `store_unavailable` */
  async reread(home: Home): Promise<void> {
    const { records, bus, ends, held } = this.#options;
    const stored = await records.read(home);
    if (stored === undefined) return this.missing(home);
    const { tombstones } = await bus.look(namesOfRecord(stored.record));
    if (ends.refuses(stored.record) || isRefused(stored.record, (name) => tombstones.get(name))) {
      return this.ended(stored);
    }
    if (held.at(home) !== undefined) this.hold(stored, undefined);
  }

  /** Resolves when another replica has changed the record, or after a while: a message may be lost. */
  async change(home: Home): Promise<void> {
    const wakes = this.#waiting.get(home) ?? new Set();
    this.#waiting.set(home, wakes);
    let wake = (): void => {};
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      wake = resolve;
      timer = setTimeout(resolve, LOOK_AGAIN_MS);
      wakes.add(wake);
    });
    clearTimeout(timer);
    wakes.delete(wake);
    if (wakes.size === 0) this.#waiting.delete(home);
  }

  /** Another replica has changed the record. */
  changed(home: Home): void {
    const { held } = this.#options;
    held.doubt(home);
    for (const wake of this.#waiting.get(home) ?? []) wake();
    // Live connections are decided again by the new claims; for everything else the next request asks.
    if (held.isLive(home)) this.reread(home).catch(() => {});
  }

  /** Reads every session that has live connections again. @throws GatewayError `store_unavailable` */
  async rereadLive(): Promise<void> {
    const homes = this.#options.held.live().map(({ home }) => home);
    for (let from = 0; from < homes.length; from += AT_ONCE) {
      await Promise.all(homes.slice(from, from + AT_ONCE).map((home) => this.reread(home)));
    }
  }
}
