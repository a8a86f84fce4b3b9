// Records and their indexes in the shared store. Every operation works on one key; what takes several is written in an order
// that leaves nothing unfindable behind: a record and its index entries before it is used, entries taken out after it is gone.

import { GatewayError } from '../../base/gateway-error.ts';
import { nameOfSelector } from '../end-names.ts';
import type { SessionRecord } from '../session-record.ts';
import type { EndSelector } from '../session-store.ts';
import type { RedisConnection } from './redis-connection.ts';
import { redisErrorCode } from './redis-errors.ts';
import type { Home, RedisKeys } from './redis-keys.ts';
import { CLAIM, ENROLL, ONCE, PUT, RELEASE, SEEN, SWAP, TAKE } from './redis-scripts.ts';
import { aliasIn, FORMAT, RECORD_FIELDS, type RecordCodec, type StoredRecord } from './stored-record.ts';

/** An idle session's record goes by itself a little later than a replica would end it, which writes down why. */
const AFTER_IDLE_MS = 60_000;

type RecordOfNoId = Omit<SessionRecord, 'id'>;

export interface RedisRecordsOptions {
  readonly connection: Pick<RedisConnection, 'run' | 'send' | 'sendForBytes'>;
  readonly keys: RedisKeys;
  readonly codec: RecordCodec;
  readonly idleTimeoutMs: number;
  readonly absoluteTimeoutMs: number;
}

/** All methods reject with GatewayError `store_unavailable` where the store fails. */
export class RedisRecords {
  readonly #options: RedisRecordsOptions;

  constructor(options: RedisRecordsOptions) {
    this.#options = options;
  }

  /** The record at `home`, or at the home for which `home` is another name. */
  async read(home: Home): Promise<StoredRecord | undefined> {
    const values = await this.#values(home);
    const alias = aliasIn(values);
    if (alias === undefined) return this.#options.codec.decode(home, values);
    return this.#options.codec.decode(alias, await this.#values(alias));
  }

  /** The record that the values of RECORD_FIELDS make; undefined where they are none, or only another name of one. */
  decode(home: Home, values: readonly (Buffer | null)[]): StoredRecord | undefined {
    return aliasIn(values) === undefined ? this.#options.codec.decode(home, values) : undefined;
  }

  /**
   * Writes a new record and enters it everywhere; returns how many sessions there are then. `isWritten` is false where a newer
   * gate has a record there, of the same bearer token: that one stays.
   */
  async write(home: Home, record: SessionRecord): Promise<{ size: number; isWritten: boolean }> {
    const { connection, keys, codec } = this.#options;
    const fields = [...codec.encode(home, record), 'i', home, 's', String(record.createdAt)];
    const args = [FORMAT, this.#expiry(record, record.createdAt), ...(fields as string[])];
    const [size, written] = await Promise.all([
      this.#enroll(keys.all, home),
      connection.run<number>(PUT, [keys.session(home)], args),
      this.#enterNames(home, record),
    ]);
    return { size, isWritten: written === 1 };
  }

  /** Puts `next` in the place of the version before it; `more` are fields beside the record. */
  swap(
    home: Home,
    next: SessionRecord,
    { lastSeenAt, more }: { lastSeenAt: number; more: readonly string[] },
  ): Promise<'swapped' | 'changed' | 'gone'> {
    const { connection, keys, codec } = this.#options;
    const fields = [...codec.encode(home, next), ...more];
    return connection.run(
      SWAP,
      [keys.session(home)],
      [String(next.version - 1), this.#expiry(next, lastSeenAt), ...(fields as string[])],
    );
  }

  /** As `ClaimOnce` says. */
  async claimOnce(name: string, forMs: number): Promise<boolean> {
    const { connection, keys } = this.#options;
    return (await connection.run<number>(ONCE, [keys.once(name)], [String(forMs)])) === 1;
  }

  /** Writes down that `replica` sends the refresh token of this version; otherwise who has sent it, and when. */
  claimRefresh(
    home: Home,
    { version }: RecordOfNoId,
    { replica, now }: { replica: string; now: number },
  ): Promise<'ours' | 'doubtful' | 'changed' | 'gone' | `${string} ${number}`> {
    const { connection, keys } = this.#options;
    return connection.run(CLAIM, [keys.session(home)], [String(version), replica, String(now)]);
  }

  /** What `replica` has sent found no answer. */
  async releaseRefresh(home: Home, replica: string): Promise<void> {
    await this.#options.connection.run(RELEASE, [this.#options.keys.session(home)], [replica]);
  }

  /** Enters the session under the names that `next` has and `previous` has not. */
  async enterAnew(home: Home, previous: RecordOfNoId, next: RecordOfNoId): Promise<void> {
    const known = indexesOf(previous);
    const names = indexesOf(next).filter((name) => !known.includes(name));
    await Promise.all(names.map((name) => this.#enroll(this.#options.keys.index(name), home)));
  }

  /** Enters the session everywhere once more, for the whole lifetime that a new sign-in begins: each entry goes by itself. */
  async enterAgain(home: Home, next: RecordOfNoId): Promise<void> {
    await Promise.all([this.#enroll(this.#options.keys.all, home), this.#enterNames(home, next)]);
  }

  /** Takes the session out of the indexes of the names that `previous` has and `next` has not. */
  async leave(home: Home, previous: RecordOfNoId, next?: RecordOfNoId): Promise<void> {
    const { connection, keys } = this.#options;
    const kept = next === undefined ? [] : indexesOf(next);
    const names = indexesOf(previous).filter((name) => !kept.includes(name));
    await Promise.all([
      ...names.map((name) => connection.send(['ZREM', keys.index(name), home])),
      ...(next === undefined
        ? [connection.send(['ZREM', keys.all, home]), connection.send(['DEL', keys.handle(previous.handle)])]
        : []),
    ]);
  }

  /** Makes `alias` another name of `home`, for as long as the session may live. */
  async alias(alias: Home, home: Home, { createdAt }: RecordOfNoId): Promise<void> {
    const { connection, keys, absoluteTimeoutMs } = this.#options;
    const expiresAt = String(Math.ceil(createdAt + absoluteTimeoutMs));
    await connection.run(PUT, [keys.session(alias)], [FORMAT, expiresAt, 'a', home]);
  }

  /** Deletes this version of the record; false where there is another one, or none. */
  async take({ home, record }: StoredRecord): Promise<boolean> {
    const { connection, keys } = this.#options;
    return (await connection.run<number>(TAKE, [keys.session(home)], [String(record.version)])) === 1;
  }

  /** Deletes whatever record is there. */
  async delete(home: Home): Promise<void> {
    await this.#options.connection.send(['DEL', this.#options.keys.session(home)]);
  }

  async writeLastSeen(home: Home, record: RecordOfNoId, lastSeenAt: number): Promise<void> {
    const { connection, keys } = this.#options;
    await connection.run(SEEN, [keys.session(home)], [FORMAT, String(lastSeenAt), this.#expiry(record, lastSeenAt)]);
  }

  async readLastSeen(home: Home): Promise<number> {
    const seen = await this.#options.connection.send<string | null>(['HGET', this.#options.keys.session(home), 's']);
    return Number(seen ?? 0);
  }

  /** The homes of all sessions that a selector may mean, whatever has become of them. */
  async homesOf(selector: EndSelector): Promise<readonly Home[]> {
    const { connection, keys } = this.#options;
    switch (selector.by) {
      case 'handle': {
        const home = await connection.send<string | null>(['GET', keys.handle(selector.handle)]);
        return home === null ? [] : [home];
      }
      case 'sid':
      case 'sub':
      case 'user':
        return connection.send(['ZRANGE', keys.index(nameOfSelector(selector)), '0', '-1']);
      case 'sub_tokens':
        return this.homesOf({ ...selector, by: 'sub' });
      default:
        return connection.send(['ZRANGE', keys.all, '0', '-1']);
    }
  }

  /** Homes of one index, or of all sessions, in the order of their enrolment, each with its place; those after `place`. */
  async page(
    selector: EndSelector,
    place: number,
    limit: number,
  ): Promise<readonly { readonly home: Home; readonly place: number }[]> {
    const { connection, keys } = this.#options;
    const key = selector.by === 'all' ? keys.all : keys.index(nameOfSelector(selector));
    const pairs = await connection.send<[string, number][]>([
      ...['ZRANGE', key, `(${place}`, '+inf', 'BYSCORE', 'LIMIT', '0', String(limit), 'WITHSCORES'],
    ]);
    return pairs.map(([home, score]) => ({ home, place: score }));
  }

  async size(): Promise<number> {
    return this.#options.connection.send(['ZCARD', this.#options.keys.all]);
  }

  async #values(home: Home): Promise<readonly (Buffer | null)[]> {
    const { connection, keys } = this.#options;
    try {
      return await connection.sendForBytes(['HMGET', keys.session(home), ...RECORD_FIELDS]);
    } catch (error) {
      // Another program's data under a name of ours is no session.
      if (error instanceof GatewayError && redisErrorCode(error.cause) === 'WRONGTYPE') return [];
      throw error;
    }
  }

  async #enterNames(home: Home, record: RecordOfNoId): Promise<void> {
    const { connection, keys, absoluteTimeoutMs } = this.#options;
    await Promise.all([
      connection.send(['SET', keys.handle(record.handle), home, 'PX', String(absoluteTimeoutMs)]),
      ...indexesOf(record).map((name) => this.#enroll(keys.index(name), home)),
    ]);
  }

  #enroll(index: string, home: Home): Promise<number> {
    const { connection, absoluteTimeoutMs } = this.#options;
    return connection.run(ENROLL, [index], [home, String(absoluteTimeoutMs)]);
  }

  #expiry({ kind, createdAt, tokens }: RecordOfNoId, lastSeenAt: number): string {
    const { idleTimeoutMs, absoluteTimeoutMs } = this.#options;
    // A bearer token is never idle; it lives so long by the clock of whoever issued it.
    const endsAt =
      kind === 'bearer'
        ? createdAt + tokens.accessExpiresAt - tokens.issuedAtSeconds * 1000
        : lastSeenAt + idleTimeoutMs;
    return String(Math.ceil(Math.min(createdAt + absoluteTimeoutMs, endsAt + AFTER_IDLE_MS)));
  }
}

/** The names of the indexes that a record is in. */
function indexesOf({ issuer, sid, sub, user }: RecordOfNoId): string[] {
  const names = [nameOfSelector({ by: 'sub', issuer, sub }), nameOfSelector({ by: 'user', user })];
  if (sid !== undefined) names.push(nameOfSelector({ by: 'sid', issuer, sid }));
  return names;
}
