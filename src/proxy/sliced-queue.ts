// Work that comes in thousands, done a little per turn of the event loop so that other users are served meanwhile
// (logout.md, step 5: slices of at most 10 ms).

/**
 * A request of another user crosses the event loop about five times, so a slice is a fifth of the delay that it may feel;
 * and what a slice destroys costs about as much again when it closes.
 */
const SLICE_MS = 2.5;

export class SlicedQueue {
  readonly #urgent = new TaskList();
  readonly #tasks = new TaskList();
  #scheduled = false;

  /** Runs `task` in one of the next slices, in order. It must not throw. */
  push(task: () => void): void {
    this.#tasks.push(task);
    this.#schedule();
  }

  /** Before all that is pushed, and whole: what must happen in this turn, however long it takes. */
  pushUrgent(task: () => void): void {
    this.#urgent.push(task);
    this.#schedule();
  }

  /** Runs all that is urgent, and one slice of the rest, now. */
  runSlice(): void {
    this.#urgent.runUntil(Number.POSITIVE_INFINITY);
    this.#tasks.runUntil(performance.now() + SLICE_MS);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.runSlice();
      if (this.#urgent.size > 0 || this.#tasks.size > 0) this.#schedule();
    });
  }
}

/** First in, first out, without moving what waits. */
class TaskList {
  #tasks: (() => void)[] = [];
  #next = 0;

  get size(): number {
    return this.#tasks.length - this.#next;
  }

  push(task: () => void): void {
    this.#tasks.push(task);
  }

  /** True when nothing is left; false when the time is over. At least one task runs. */
  runUntil(end: number): boolean {
    while (this.#next < this.#tasks.length) {
      this.#tasks[this.#next++]!();
      if (performance.now() >= end && this.#next < this.#tasks.length) return false;
    }
    this.#tasks = [];
    this.#next = 0;
    return true;
  }
}
