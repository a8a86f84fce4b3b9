// Pauses between attempts, which a stopping gate cuts short.

import type { Timers } from '../base/clock.ts';

/** Half of each pause is fixed and half random: what failed together does not come back together. */
export class Pauses {
  readonly #timers: Timers;
  readonly #waiting = new Set<() => void>();
  #isStopped = false;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Whether nothing is to be tried again any more. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  pause(ms: number): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        timer.cancel();
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = this.#timers.after(ms / 2 + (Math.random() * ms) / 2, wake);
      this.#waiting.add(wake);
    });
  }

  /** Ends every pause, and makes the others short. */
  stop(): void {
    this.#isStopped = true;
    for (const wake of this.#waiting) wake();
  }
}
