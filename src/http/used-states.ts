// The `state`s of sign-ins that have come back. It belongs to the process and outlives snapshots: a reload must not make a
// used one good again; and where the process has a store in common with others, neither must a balancer that tries twice.

import type { Clock } from '../base/clock.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { ClaimOnce } from '../session/session-store.ts';

/** More than come back in the lifetime of a sign-in; beyond it the oldest are forgotten. */
const MOST_REMEMBERED = 100_000;

export class UsedStates {
  readonly #clock: Clock;
  readonly #lifetimeMs: number;
  readonly #claim: ClaimOnce | undefined;
  #used = new Set<string>();
  #usedBefore = new Set<string>();
  #rotatedAtMs: number;

  /** Each is remembered for `lifetimeMs` at least; with `claim` by all processes together. */
  constructor(clock: Clock, lifetimeMs: number, claim?: ClaimOnce) {
    this.#clock = clock;
    this.#lifetimeMs = lifetimeMs;
    this.#claim = claim;
    this.#rotatedAtMs = clock.monotonicMs();
  }

  /**
   * False when it was there already: exactly one of parallel callers goes on.
   * @throws what `claim` throws: then none of them does.
   */
  add(state: string): MaybePromise<boolean> {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#rotatedAtMs > this.#lifetimeMs || this.#used.size >= MOST_REMEMBERED) {
      this.#usedBefore = this.#used;
      this.#used = new Set();
      this.#rotatedAtMs = nowMs;
    }
    if (this.#used.has(state) || this.#usedBefore.has(state)) return false;
    this.#used.add(state);
    return this.#claim === undefined || this.#claim(`state ${state}`, this.#lifetimeMs);
  }
}
