// Work that comes in thousands, done a little per turn of the event loop so that other users are served meanwhile
// (logout.md, step 5: slices of at most 10 ms).

/**
 * A request of another user crosses the event loop about five times, so a slice is a fifth of the delay that it may feel;
 * and what a slice destroys costs about as much again when it closes.
 */
const SLICE_MS = 2.5;
/** Tasks that are done are let go in batches: what they hold would otherwise stay for as long as the queue is never empty. */
const LET_GO = 256;

export class SlicedQueue {
  /** One that returns 'more' has to be called again. */
  #tasks: (() => unknown)[] = [];
  #next = 0;
  #scheduled = false;
  readonly #monotonicMs: () => number;

  /** `monotonicMs` tells when a slice is over: real time, for all but tests that may not depend on it. */
  constructor(monotonicMs: () => number = () => performance.now()) {
    this.#monotonicMs = monotonicMs;
  }

  /** Runs `task` in one of the next slices, in order. It must not throw. */
  push(task: () => void): void {
    this.#tasks.push(task);
    this.#schedule();
  }

  /** Runs `task` for each of `items`, which costs nothing here however many they are. */
  pushEach<Item>(items: readonly Item[], task: (item: Item) => void): void {
    if (items.length === 0) return;
    let next = 0;
    this.#tasks.push(() => {
      task(items[next++]!);
      return next < items.length ? 'more' : undefined;
    });
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!withoutStacks(() => this.#runSlice())) this.#schedule();
    });
  }

  /** True when nothing is left; false when the time is over. */
  #runSlice(): boolean {
    const end = this.#monotonicMs() + SLICE_MS;
    while (this.#next < this.#tasks.length) {
      if (this.#tasks[this.#next]!() !== 'more') this.#next++;
      if (this.#monotonicMs() >= end) return this.#isDone();
    }
    return this.#isDone();
  }

  #isDone(): boolean {
    const isDone = this.#next === this.#tasks.length;
    if (isDone || this.#next >= LET_GO) {
      this.#tasks.splice(0, this.#next);
      this.#next = 0;
    }
    return isDone;
  }
}

/**
 * undici and Node make an error for every connection that is destroyed. Its stack is a sixth of what a close costs, and
 * nobody will ever read it: the error goes to a listener that ignores it.
 */
function withoutStacks<Result>(run: () => Result): Result {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return run();
  } finally {
    Error.stackTraceLimit = limit;
  }
}
