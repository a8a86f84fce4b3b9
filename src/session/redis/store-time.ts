// The store's clock as this process knows it between two answers (design: tombstones, by the store's clock).

import type { Clock } from '../../base/clock.ts';

/** An estimate that lags behind by the way of the last answer, and goes on with the monotonic clock. */
export class StoreTime {
  readonly #clock: Clock;
  #offsetMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offsetMs = clock.now() - clock.monotonicMs();
  }

  /** The store has said what time it is. */
  hear(storeNow: number): void {
    this.#offsetMs = storeNow - this.#clock.monotonicMs();
  }

  estimate(): number {
    return this.#clock.monotonicMs() + this.#offsetMs;
  }

  /** How far this process's wall clock is behind. */
  wallClockBehindMs(): number {
    return this.estimate() - this.#clock.now();
  }
}
