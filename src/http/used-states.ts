// The `state`s of sign-ins that have come back. It belongs to the process and outlives snapshots: a reload must not make a
// used one good again.

import type { Clock } from '../base/clock.ts';

/** More than come back in the lifetime of a sign-in; beyond it the oldest are forgotten. */
const MOST_REMEMBERED = 100_000;

export class UsedStates {
  readonly #clock: Clock;
  readonly #lifetimeMs: number;
  #used = new Set<string>();
  #usedBefore = new Set<string>();
  #rotatedAtMs: number;

  /** Each is remembered for `lifetimeMs` at least. */
  constructor(clock: Clock, lifetimeMs: number) {
    this.#clock = clock;
    this.#lifetimeMs = lifetimeMs;
    this.#rotatedAtMs = clock.monotonicMs();
  }

  has(state: string): boolean {
    return this.#used.has(state) || this.#usedBefore.has(state);
  }

  /** False when it was there already: exactly one of parallel callers goes on. */
  add(state: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#rotatedAtMs > this.#lifetimeMs || this.#used.size >= MOST_REMEMBERED) {
      this.#usedBefore = this.#used;
      this.#used = new Set();
      this.#rotatedAtMs = nowMs;
    }
    if (this.has(state)) return false;
    this.#used.add(state);
    return true;
  }
}
