// The session store that replicas share, in Redis or Valkey (design: everywhere; tombstones). What this replica holds is
// believed while its lease lasts; without one, and for what it does not hold, the store is asked. Revocation wins: every
// answer that a record lives is followed by a look at the tombstones, in the store and in what was heard.

import type { SessionId } from '../../base/ids.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import type { FormStore } from '../form-store.ts';
import type { JarStore } from '../jar-store.ts';
import type { SessionRecord, StoredSession } from '../session-record.ts';
import type { ClaimOnce, EndSelector, RefreshClaim, SessionFilter, SessionStore } from '../session-store.ts';
import type { Held } from './held-sessions.ts';
import { type Home, hashOfId } from './redis-keys.ts';
import { listSessions } from './redis-listing.ts';
import { RedisParts, type RedisSessionStoreOptions } from './redis-parts.ts';
import { findsSession, formerIdsText, type StoredRecord, withFormerId } from './stored-record.ts';

/** Longer than a process that lives takes for a refresh: 10 s for the provider, and the time to write it down. */
const LONGEST_REFRESH_MS = 15_000;

/** Sessions in Redis. `start` comes first. */
export class RedisSessionStore implements SessionStore {
  readonly #parts: RedisParts;
  /** Reads under way, so that parallel requests of one browser ask once. */
  readonly #reads = new Map<SessionId, Promise<StoredSession | undefined>>();

  constructor(options: RedisSessionStoreOptions) {
    this.#parts = new RedisParts(options);
  }

  /**
   * Connects. A store that is down is waited for, in the background.
   * @throws GatewayError `store_unavailable` where the server is there and can never be used like this
   */
  start(): Promise<void> {
    return this.#parts.start();
  }

  /** Writes what is still to be written, and lets go of the store. */
  stop(): Promise<void> {
    return this.#parts.stop();
  }

  /** The jars of its sessions. */
  get jars(): JarStore {
    return this.#parts.jars;
  }

  /** Where forms wait, on the same server. */
  get forms(): FormStore {
    return this.#parts.forms;
  }

  /** For what may be done once. */
  get claimOnce(): ClaimOnce {
    return (name, forMs) => this.#parts.records.claimOnce(name, forMs);
  }

  /** Whether ends may have been told that this process slept through; nothing may be forwarded then. */
  hasSlept(): boolean {
    return this.#parts.bus.hasSlept();
  }

  async now(): Promise<number> {
    return (await this.#parts.bus.look([])).now;
  }

  estimateNow(): number {
    return this.#parts.time.estimate();
  }

  find(id: SessionId): MaybePromise<StoredSession | undefined> {
    const { held, bus } = this.#parts;
    if (bus.lease.isHeld()) {
      const session = held.find(id, bus.lease.epoch);
      if (session !== undefined) return session;
    }
    let read = this.#reads.get(id);
    if (read === undefined) {
      read = this.#read(id).finally(() => this.#reads.delete(id));
      this.#reads.set(id, read);
    }
    return read;
  }

  async create(record: SessionRecord): Promise<StoredSession | 'ended'> {
    const { records, held, bus } = this.#parts;
    const home = hashOfId(record.id);
    const { size, isWritten } = await records.write(home, record);
    this.#parts.count = size;
    const { id, ...rest } = record;
    const stored: StoredRecord = { home, record: rest, idHash: home, formerIds: [], lastSeenAt: record.createdAt };
    if (await this.#parts.ends.isEnded(rest)) {
      if (isWritten) await records.delete(home);
      if (isWritten) await records.leave(home, rest);
      await this.#parts.recount();
      return 'ended';
    }
    return held.hold(stored, id, bus.lease.epoch).session;
  }

  update(session: StoredSession, next: SessionRecord): Promise<'updated' | 'changed' | 'ended'> {
    return this.#replace(session, next, next.id === session.record.id ? 'same id' : 'no id of ours');
  }

  replaceId(session: StoredSession, next: SessionRecord): Promise<'updated' | 'changed' | 'ended'> {
    return this.#replace(session, next, 'new id');
  }

  async claimRefresh(session: StoredSession): Promise<RefreshClaim> {
    const { held, records, reconcile, replica } = this.#parts;
    const own = held.of(session);
    const tokens = own?.session.record.tokens;
    for (;;) {
      if (own === undefined || own.session.ended) return 'ended';
      const { record } = own.session;
      if (record.tokens !== tokens) return 'changed';
      const claim = await records.claimRefresh(own.home, record, { replica, now: this.estimateNow() });
      if (claim === 'ours' || claim === 'doubtful') return claim;
      if (claim !== 'changed' && claim !== 'gone') {
        if (this.estimateNow() - Number(claim.split(' ')[1]) > LONGEST_REFRESH_MS) return 'lost';
        await reconcile.change(own.home);
      }
      await reconcile.reread(own.home);
    }
  }

  async releaseRefresh(session: StoredSession): Promise<void> {
    const { held, records, replica } = this.#parts;
    const own = held.of(session);
    if (own !== undefined) await records.releaseRefresh(own.home, replica);
  }

  async lastSeenAt(session: StoredSession): Promise<number> {
    const { held, records } = this.#parts;
    const own = held.of(session);
    if (own === undefined) return session.lastSeenAt;
    const seen = await records.readLastSeen(own.home);
    own.session.lastSeenAt = Math.max(own.session.lastSeenAt, seen);
    return own.session.lastSeenAt;
  }

  touch(session: StoredSession): void {
    const own = this.#parts.held.of(session);
    if (own === undefined) return;
    this.#parts.held.touch(own.session, this.estimateNow());
    this.#parts.activity.note(own);
  }

  endHeld(selector: EndSelector, noticeIssuedAtSeconds = 0): readonly StoredSession[] {
    return this.#parts.ends.endHeld(selector, noticeIssuedAtSeconds);
  }

  end(
    selector: EndSelector,
    noticeIssuedAtSeconds = 0,
    onLate: (sessions: readonly StoredSession[]) => void = () => {},
  ): Promise<readonly StoredSession[]> {
    return this.#parts.ends.end(selector, noticeIssuedAtSeconds, onLate);
  }

  lastEndOf(issuer: string, sid: string): Promise<number | undefined> {
    return this.#parts.ends.arrivalOf({ by: 'sid', issuer, sid });
  }

  list(
    filter: SessionFilter,
    limit: number,
    cursor: string | undefined,
  ): Promise<{ sessions: readonly StoredSession[]; nextCursor: string | undefined }> {
    return listSessions(this.#parts, { filter, limit, cursor });
  }

  size(): number {
    return this.#parts.count;
  }

  trouble(): string | undefined {
    return this.#parts.connection.trouble;
  }

  async #read(id: SessionId): Promise<StoredSession | undefined> {
    const { reconcile } = this.#parts;
    const hash = hashOfId(id);
    const { stored, isEnded } = await this.#parts.readCold(hash);
    if (stored === undefined) {
      reconcile.missing(hash);
      return undefined;
    }
    if (isEnded) {
      reconcile.ended(stored);
      return undefined;
    }
    if (!findsSession(stored, hash, this.estimateNow())) return undefined;
    return reconcile.hold(stored, hash === stored.idHash ? id : undefined);
  }

  /** Takes back a take-over that was written: what would be left of it, no tombstone need refuse. */
  async #withdraw(home: Home, alias: Home, next: SessionRecord): Promise<void> {
    const { records } = this.#parts;
    await records.delete(alias);
    await records.delete(home);
    await records.leave(home, next);
    await this.#parts.recount();
  }

  async #replace(
    session: StoredSession,
    next: SessionRecord,
    id: 'same id' | 'new id' | 'no id of ours',
  ): Promise<'updated' | 'changed' | 'ended'> {
    const { held, records, jars, ends, reconcile } = this.#parts;
    const own = held.of(session);
    if (own === undefined) return 'ended';
    const previous = own.session.record;
    if (id === 'no id of ours') return 'changed';
    if (next.handle !== previous.handle) throw new Error('A session keeps its handle for life.');
    if (next.version !== previous.version + 1) return 'changed';
    // A sign-in that began after the end of the session that it would take over is not refused itself; but that session is.
    const judged = id === 'new id' ? [next, previous] : [next];
    // Refused before anything is written, so that the session stays as it was; and once more when it is written.
    if (await ends.isEnded(...judged)) return 'ended';
    const { home } = own;
    const rename = id === 'new id' ? newNames(own, next.id, this.estimateNow()) : undefined;
    if (rename === undefined) await records.enterAnew(home, previous, next);
    else {
      await Promise.all([records.alias(rename.idHash, home, next), records.enterAgain(home, next), jars.renew(next)]);
    }
    const outcome = await records.swap(home, next, {
      lastSeenAt: rename?.now ?? own.session.lastSeenAt,
      more: [...(rename?.fields ?? []), ...(next.tokens === previous.tokens ? [] : ['w', ''])],
    });
    if (outcome !== 'swapped') {
      if (rename !== undefined) await records.delete(rename.idHash);
      // Whoever took the record out may have taken out its entries before they were made again.
      if (outcome === 'gone') await records.leave(home, next);
      await reconcile.reread(home);
      return own.session.ended ? 'ended' : 'changed';
    }
    if ((await ends.isEnded(...judged)) || own.session.ended) {
      if (rename !== undefined) await this.#withdraw(home, rename.idHash, next);
      return 'ended';
    }
    if (rename !== undefined) {
      own.idHash = rename.idHash;
      own.formerIds = rename.formerIds;
      held.touch(own.session, rename.now);
    }
    held.replace(own.session, next);
    await records.leave(home, previous, next);
    this.#parts.tellChanged(home);
    return 'updated';
  }
}

/** What a new id changes beside the record. */
function newNames({ idHash, formerIds }: Held, id: SessionId, now: number) {
  const next = { idHash: hashOfId(id), formerIds: withFormerId(formerIds, idHash, now) };
  return { ...next, now, fields: ['i', next.idHash, 'o', formerIdsText(next.formerIds), 's', String(now)] };
}
