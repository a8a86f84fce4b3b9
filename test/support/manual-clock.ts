// Time for tests: it moves when the test says so, and timers fire in order while it does.

import type { Clock, Timer, Timers } from '../../src/base/clock.ts';

interface Pending {
  readonly dueAt: number;
  readonly order: number;
  callback: (() => void) | undefined;
}

/** A Clock and its Timers, both moved by `advance`. */
export class ManualClock implements Clock, Timers {
  #wallMs: number;
  #monotonicMs = 0;
  #order = 0;
  #armed = 0;
  /** A heap: the next one first. */
  readonly #pending: Pending[] = [];

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
    const pending: Pending = { dueAt: this.#monotonicMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#push(pending);
    this.#armed++;
    return {
      cancel: () => {
        if (pending.callback !== undefined) this.#armed--;
        pending.callback = undefined;
      },
    };
  }

  /** How many timers are armed. */
  get armed(): number {
    return this.#armed;
  }

  /** Moves both clocks on; what falls due on the way fires at its own instant. */
  advance(byMs: number): void {
    const target = this.#monotonicMs + byMs;
    for (let next = this.#pending[0]; next !== undefined && next.dueAt <= target; next = this.#pending[0]) {
      this.#pop();
      const { callback } = next;
      if (callback === undefined) continue;
      next.callback = undefined;
      this.#armed--;
      this.#move(Math.max(next.dueAt, this.#monotonicMs));
      callback();
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

  #push(pending: Pending): void {
    const heap = this.#pending;
    let at = heap.length;
    heap.push(pending);
    for (let parent = (at - 1) >> 1; at > 0 && isBefore(pending, heap[parent]!); parent = (at - 1) >> 1) {
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = pending;
  }

  #pop(): void {
    const heap = this.#pending;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (child >= heap.length || !isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Pending, b: Pending): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order);
}

/** Resolves when every promise that can settle now, and what follows from it, has. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
