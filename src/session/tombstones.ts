// The memory of ends, and what it refuses (design: tombstones; Back-Channel Logout 1.0 section 2.7, races of a login in
// flight). Bounded in time by the longest session and in number.

import type { SessionRecord } from './session-record.ts';
import type { EndSelector } from './session-store.ts';

/** What one end left behind. `arrivedAt` is store time; `noticeIssuedAtSeconds` the provider's, 0 where no notice said it. */
interface Tombstone {
  readonly arrivedAt: number;
  readonly noticeIssuedAtSeconds: number;
}

/**
 * At some 200 bytes each, 200 MB at worst. Beyond it the oldest goes: in this process it guards only code exchanges that
 * are still under way, and none of those is as old as a million ends.
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
  add(selector: EndSelector, arrivedAt: number, noticeIssuedAtSeconds: number): void {
    this.#sweep(arrivedAt);
    const name = nameOfSelector(selector);
    const earlier = this.#byName.get(name);
    this.#byName.delete(name);
    this.#byName.set(name, {
      arrivedAt,
      // A notice overtaken by a later one must not weaken what that one refuses.
      noticeIssuedAtSeconds: Math.max(noticeIssuedAtSeconds, earlier?.noticeIssuedAtSeconds ?? 0),
    });
  }

  /**
   * Whether an end refuses `record`: it existed or was under way (`beganAt`) when the end arrived, or its ID token is
   * older than the notice. Nothing else: providers reuse a sid, and a new sign-in in the same second is a new session.
   */
  refuses(record: SessionRecord): boolean {
    return namesOfRecord(record).some((name) => {
      const tombstone = this.#byName.get(name);
      return (
        tombstone !== undefined &&
        (record.beganAt <= tombstone.arrivedAt || record.idTokenIssuedAtSeconds < tombstone.noticeIssuedAtSeconds)
      );
    });
  }

  /** When the latest end by this very name arrived. */
  arrivedAt(selector: EndSelector): number | undefined {
    return this.#byName.get(nameOfSelector(selector))?.arrivedAt;
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

/** One string per named thing; JSON keeps apart what a separator inside a claim could confuse. */
function nameOfSelector(selector: EndSelector): string {
  switch (selector.by) {
    case 'handle':
      return nameOf('handle', selector.handle);
    case 'sid':
      return nameOf('sid', selector.issuer, selector.sid);
    case 'sub':
      return nameOf('sub', selector.issuer, selector.sub);
    case 'user':
      return nameOf('user', selector.user);
    case 'all':
      return nameOf('all');
  }
}

function namesOfRecord(record: SessionRecord): string[] {
  const names = [
    nameOf('all'),
    nameOf('sub', record.issuer, record.sub),
    nameOf('user', record.user),
    nameOf('handle', record.handle),
  ];
  if (record.sid !== undefined) names.push(nameOf('sid', record.issuer, record.sid));
  return names;
}

function nameOf(...parts: string[]): string {
  return JSON.stringify(parts);
}
