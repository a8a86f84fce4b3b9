// Time for tests: it moves when the test says so, and timers fire in order while it does.

import type { Clock, Timer, Timers } from '../../src/base/clock.ts';

interface Pending {
  readonly dueAt: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A Clock and its Timers, both moved by `advance`. */
export class ManualClock implements Clock, Timers {
  #wallMs: number;
  #monotonicMs = 0;
  #order = 0;
  readonly #pending = new Set<Pending>();

  constructor(wallMs = Date.UTC(2026, 0, 1)) {
    this.#wallMs = wallMs;
  }

  now(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const pending = { dueAt: this.#monotonicMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  /** How many timers are armed. */
  get armed(): number {
    return this.#pending.size;
  }

  /** Moves both clocks on; what falls due on the way fires at its own instant. */
  advance(byMs: number): void {
    const target = this.#monotonicMs + byMs;
    for (let next = this.#next(target); next !== undefined; next = this.#next(target)) {
      this.#move(Math.max(next.dueAt, this.#monotonicMs));
      this.#pending.delete(next);
      next.callback();
    }
    this.#move(target);
  }

  /** Moves time on in steps, and lets promises settle after each: for what waits and arms timers in turns. */
  async pass(byMs: number, stepMs = byMs): Promise<void> {
    for (let left = byMs; left > 0; left -= stepMs) {
      this.advance(Math.min(stepMs, left));
      await settled();
    }
  }

  /** Sets the wall clock forward or back, as an administrator or NTP would; the monotonic one does not notice. */
  jumpWall(byMs: number): void {
    this.#wallMs += byMs;
  }

  #move(toMonotonicMs: number): void {
    this.#wallMs += toMonotonicMs - this.#monotonicMs;
    this.#monotonicMs = toMonotonicMs;
  }

  #next(until: number): Pending | undefined {
    let first: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.dueAt > until) continue;
      if (
        first === undefined ||
        pending.dueAt < first.dueAt ||
        (pending.dueAt === first.dueAt && pending.order < first.order)
      ) {
        first = pending;
      }
    }
    return first;
  }
}

/** Resolves when every promise that can settle now, and what follows from it, has. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
