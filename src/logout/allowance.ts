// How often something may be done that anybody can ask for.

import type { Clock } from '../base/clock.ts';

export interface AllowanceOptions {
  readonly clock: Clock;
  /** So many at once; */
  readonly most: number;
  /** then one more each time so long has passed. */
  readonly oneMoreEveryMs: number;
}

/** A number that goes down with each use and comes back with time (a token bucket). */
export class Allowance {
  readonly #options: AllowanceOptions;
  #left: number;
  #countedAtMs: number;

  constructor(options: AllowanceOptions) {
    this.#options = options;
    this.#left = options.most;
    this.#countedAtMs = options.clock.monotonicMs();
  }

  /** Whether it may be done now; then it counts as done. */
  take(): boolean {
    const { clock, most, oneMoreEveryMs } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#left = Math.min(most, this.#left + (nowMs - this.#countedAtMs) / oneMoreEveryMs);
    this.#countedAtMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
