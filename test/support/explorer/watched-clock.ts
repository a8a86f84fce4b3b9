// The time of an explored world: who looks at it has to do with whoever moves it.

import type { Timer } from '../../../src/base/clock.ts';
import { ManualClock } from '../manual-clock.ts';
import type { Turns } from './turns.ts';

export class WatchedClock extends ManualClock {
  readonly #turns: Turns;
  #caught: (() => void)[] | undefined;

  constructor(turns: Turns) {
    super();
    this.#turns = turns;
  }

  override now(): number {
    this.#turns.reads('time');
    return super.now();
  }

  override monotonicMs(): number {
    this.#turns.reads('time');
    return super.monotonicMs();
  }

  override after(delayMs: number, callback: () => void): Timer {
    if (this.#caught?.push(callback) !== undefined) return { cancel() {} };
    this.#turns.reads('time');
    const timer = super.after(delayMs, callback);
    return {
      cancel: () => {
        this.#turns.reads('time');
        timer.cancel();
      },
    };
  }

  override advance(byMs: number): void {
    this.#turns.changes('time');
    super.advance(byMs);
  }

  /** What `arm` would have done later, for a schedule to do when it likes, without time passing for anybody else. */
  catchTimers(arm: () => void): readonly (() => void)[] {
    const caught: (() => void)[] = [];
    this.#caught = caught;
    arm();
    this.#caught = undefined;
    return caught;
  }
}
