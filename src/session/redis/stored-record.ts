// A session record as the shared store keeps it: a hash of a few plain fields that scripts compare, and the record itself,
// encrypted, tokens and claims included. The id is not in it. A field of a newer format, a record cut off or somebody else's
// data reads as no record: that user signs in again.

import type { ByteSeal } from '../../base/byte-seal.ts';
import type { TokenSet } from '../../base/tokens.ts';
import { namesOfRecord } from '../end-names.ts';
import { type SessionRecord, withEveryMember } from '../session-record.ts';
import { type Home, shortHash } from './redis-keys.ts';

/** Grows when an older gate could not read what a newer one writes. */
export const FORMAT = '1';

/** How long a replaced id still finds its session (design: decided cases). */
const FORMER_ID_MS = 30_000;

/** More sign-ins of one browser within 30 s are nobody's normal use. */
const MAX_FORMER_IDS = 4;

/** The fields that are read, in the order of their values: alias, format, version, record, id, former ids, last seen, ends. */
export const RECORD_FIELDS = ['a', 'f', 'v', 'r', 'i', 'o', 's', 'n'] as const;

export interface FormerId {
  readonly hash: string;
  readonly goodUntil: number;
}

/** A record read from the store. */
export interface StoredRecord {
  readonly home: Home;
  /** Without the id, which the store does not know. */
  readonly record: Omit<SessionRecord, 'id'>;
  /** The names of the ends that would refuse it, in the order of their tombstones; a record that an older gate wrote has none. */
  readonly ends?: string | undefined;
  readonly idHash: string;
  readonly formerIds: readonly FormerId[];
  readonly lastSeenAt: number;
}

/** What is sealed in another form than a record's. */
interface Sealed {
  /** Their instants are by the store's clock. */
  tokens: TokenSet;
  readonly ends?: string;
}

/** How far this process's wall clock is behind the store's: tokens' instants are the wall clock's of whoever fetched them. */
export interface RecordCodecOptions {
  readonly seal: ByteSeal;
  readonly wallClockBehindMs: () => number;
}

/** Encodes and decodes records. */
export class RecordCodec {
  readonly #seal: ByteSeal;
  readonly #wallClockBehindMs: () => number;

  constructor(options: RecordCodecOptions) {
    this.#seal = options.seal;
    this.#wallClockBehindMs = options.wallClockBehindMs;
  }

  /** Fields and values, flat, of a record whose id has this hash. */
  encode(home: Home, { id: _, ...record }: SessionRecord): (string | Buffer)[] {
    const ends = namesOfRecord(record).map(shortHash).join(' ');
    const text = JSON.stringify({ ...record, tokens: shifted(record.tokens, this.#wallClockBehindMs()), ends });
    const fields = ['f', FORMAT, 'v', String(record.version), 'n', ends];
    return [...fields, 'r', this.#seal.seal(Buffer.from(text), home)];
  }

  /** What the values of RECORD_FIELDS say, or undefined where they are no record that this gate can read. */
  decode(home: Home, values: readonly (Buffer | null)[]): StoredRecord | undefined {
    const [, format, , sealed, idHash, formerIds, seen] = values;
    if (format?.toString() !== FORMAT || sealed == null || idHash == null) return undefined;
    const opened = this.#seal.open(sealed, home);
    if (opened === undefined) return undefined;
    // What the seal vouches for, a gate wrote as a whole.
    const { ends, ...record } = JSON.parse(opened.toString()) as Omit<SessionRecord, 'id' | 'tokens'> & Sealed;
    record.tokens = shifted(record.tokens, -this.#wallClockBehindMs());
    return {
      home,
      ends,
      record: withEveryMember(record),
      idHash: idHash.toString(),
      formerIds: readFormerIds(formerIds?.toString() ?? ''),
      lastSeenAt: Number(seen?.toString() ?? record.createdAt),
    };
  }
}

/** The home that the values of RECORD_FIELDS point to, where they are only another name of a session. */
export function aliasIn([alias]: readonly (Buffer | null)[]): Home | undefined {
  return alias?.toString();
}

/** Which ends the values of RECORD_FIELDS name. What an older gate has written may name none, or those of an earlier record. */
export function endsIn(values: readonly (Buffer | null)[]): string | undefined {
  return values[RECORD_FIELDS.indexOf('n')]?.toString();
}

/** Whether the id with this hash finds the session: its own always, one that a new sign-in replaced for a while. */
export function findsSession({ idHash, formerIds }: StoredRecord, hash: string, now: number): boolean {
  return hash === idHash || formerIds.some((former) => former.hash === hash && former.goodUntil > now);
}

/** The former ids, once `replaced` is one of them. */
export function withFormerId(formerIds: readonly FormerId[], replaced: string, now: number): readonly FormerId[] {
  const kept = formerIds.filter(({ goodUntil }) => goodUntil > now).slice(1 - MAX_FORMER_IDS);
  return [...kept, { hash: replaced, goodUntil: now + FORMER_ID_MS }];
}

/** As the store keeps them. */
export function formerIdsText(formerIds: readonly FormerId[]): string {
  return formerIds.map(({ hash, goodUntil }) => `${hash}:${goodUntil}`).join(' ');
}

function readFormerIds(text: string): FormerId[] {
  return text
    .split(' ')
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [hash = '', goodUntil] = entry.split(':');
      return { hash, goodUntil: Number(goodUntil) };
    });
}

function shifted(tokens: TokenSet, byMs: number): TokenSet {
  const { accessExpiresAt, refreshExpiresAt } = tokens;
  return {
    ...tokens,
    accessExpiresAt: accessExpiresAt + byMs,
    refreshExpiresAt: refreshExpiresAt === undefined ? undefined : refreshExpiresAt + byMs,
  };
}
