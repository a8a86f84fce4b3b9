// The memory of ends, and what it refuses (design: tombstones; Back-Channel Logout 1.0 section 2.7, races of a login in
// flight). Bounded in time by the longest session and in number.

import { isNotBefore, isRefused, nameOfSelector, type Tombstone } from './end-names.ts';
import type { SessionRecord } from './session-record.ts';
import type { EndSelector } from './session-store.ts';

/**
 * At some 200 bytes each, 200 MB at worst. Beyond it the oldest goes. What an end took out stays gone; what its tombstone
 * still refuses is whatever comes later with older tokens: a code exchange or a refresh under way, and a bearer token.
 */
const MAX_TOMBSTONES = 1_000_000;

/** Each addition takes at most this many expired ones away: what is kept shrinks faster than it grows, in no long pass. */
const SWEPT_PER_ADDITION = 8;

export interface TombstonesOptions {
  /** How long the longest session may live: so long is an end remembered. */
  readonly lifetimeMs: number;
}

/** Tombstones of one store, by what they name. */
export class Tombstones {
  readonly #lifetimeMs: number;
  /** In order of arrival, so that the first is the first to expire. */
  readonly #byName = new Map<string, Tombstone>();

  constructor(options: TombstonesOptions) {
    this.#lifetimeMs = options.lifetimeMs;
  }

  /** How many are remembered. */
  get size(): number {
    return this.#byName.size;
  }

  /** Remembers an end that arrived at store time `arrivedAt`. */
  add(selector: EndSelector, arrivedAt: number, issuedBeforeSeconds: number): void {
    this.#sweep(arrivedAt);
    this.restore(nameOfSelector(selector), { arrivedAt, issuedBeforeSeconds });
  }

  /** Remembers what has been remembered before, by its name. */
  restore(name: string, { arrivedAt, issuedBeforeSeconds }: Tombstone): void {
    const earlier = this.#byName.get(name);
    this.#byName.delete(name);
    this.#byName.set(name, {
      // A notice overtaken by a later one must not weaken what that one refuses.
      arrivedAt: Math.max(arrivedAt, earlier?.arrivedAt ?? 0),
      issuedBeforeSeconds: Math.max(issuedBeforeSeconds, earlier?.issuedBeforeSeconds ?? 0),
    });
  }

  /** Whether an end that is remembered refuses `record`. */
  refuses(record: Omit<SessionRecord, 'id'>): boolean {
    return this.#byName.size > 0 && isRefused(record, (name) => this.#byName.get(name));
  }

  /**
   * Whether an end says nothing new at store time `now`: a not-before that is remembered already, one as late at least, or
   * that is older than any session's tokens. It comes with every token answer, and most were set long ago.
   */
  covers(selector: EndSelector, now: number): boolean {
    if (!isNotBefore(selector)) return false;
    const { issuedBeforeSeconds } = selector;
    if (issuedBeforeSeconds * 1000 + this.#lifetimeMs < now) return true;
    return issuedBeforeSeconds <= (this.#byName.get(nameOfSelector(selector))?.issuedBeforeSeconds ?? 0);
  }

  /** All that is remembered, by name. */
  entries(): Iterable<[string, Tombstone]> {
    return this.#byName.entries();
  }

  /** What an end by this very name has left. */
  of(selector: EndSelector): Tombstone | undefined {
    return this.#byName.get(nameOfSelector(selector));
  }

  /** When the latest end by this very name arrived. */
  arrivedAt(selector: EndSelector): number | undefined {
    return this.of(selector)?.arrivedAt;
  }

  #sweep(now: number): void {
    let left = SWEPT_PER_ADDITION;
    for (const [name, tombstone] of this.#byName) {
      const expired = tombstone.arrivedAt + this.#lifetimeMs < now;
      if (!(expired || this.#byName.size >= MAX_TOMBSTONES) || left-- === 0) return;
      this.#byName.delete(name);
    }
  }
}
