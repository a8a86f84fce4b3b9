// The one timer of the process: every deadline of every session hangs on it, so that 100 000 sessions cost one
// interval and a few words each instead of a libuv timer each.

import type { Clock, Timer, Timers } from '../base/clock.ts';

/** Deadlines of sessions are minutes; a quarter of a second late is nothing, and idle processes stay asleep. */
const TICK_MS = 250;

class WheelTimer implements Timer {
  callback: (() => void) | undefined;

  constructor(callback: () => void) {
    this.callback = callback;
  }

  cancel(): void {
    this.callback = undefined;
  }
}

/** Timers by slot of 250 ms. A callback that throws is reported and does not keep others from running. */
export class TimerWheel implements Timers {
  readonly #slots = new Map<number, WheelTimer[]>();
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #interval: NodeJS.Timeout;
  #nextSlot: number;

  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
    this.#nextSlot = Math.floor(clock.monotonicMs() / TICK_MS);
    this.#interval = setInterval(() => this.#advance(), TICK_MS).unref();
  }

  after(delayMs: number, callback: () => void): Timer {
    const slot = Math.max(this.#nextSlot, Math.ceil((this.#clock.monotonicMs() + Math.max(0, delayMs)) / TICK_MS));
    const timer = new WheelTimer(callback);
    const slotTimers = this.#slots.get(slot);
    if (slotTimers) slotTimers.push(timer);
    else this.#slots.set(slot, [timer]);
    return timer;
  }

  stop(): void {
    clearInterval(this.#interval);
    this.#slots.clear();
  }

  #advance(): void {
    const current = Math.floor(this.#clock.monotonicMs() / TICK_MS);
    // After a long pause (a stopped process) there may be more slots in the past than timers: take the smaller set.
    if (current - this.#nextSlot > this.#slots.size) {
      const due = [...this.#slots.keys()].filter((slot) => slot <= current).sort((a, b) => a - b);
      this.#nextSlot = current + 1;
      for (const slot of due) this.#run(slot);
      return;
    }
    while (this.#nextSlot <= current) this.#run(this.#nextSlot++);
  }

  #run(slot: number): void {
    const timers = this.#slots.get(slot);
    if (!timers) return;
    this.#slots.delete(slot);
    for (const timer of timers) {
      const { callback } = timer;
      timer.callback = undefined;
      try {
        callback?.();
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
