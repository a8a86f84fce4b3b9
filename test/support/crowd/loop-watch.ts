// How long an event loop is held up by its own work. Not perf_hooks' monitorEventLoopDelay: that one counts the time in
// which other processes have the processor too, and beside other tests they have most of it.

import type { LoopWork } from './crowded-gate.ts';

const TICK_MS = 5;

export class LoopWatch {
  #workMs: number[] = [];
  #timer: NodeJS.Timeout | undefined;

  start(): void {
    this.#workMs = [];
    let last = process.threadCpuUsage();
    this.#timer = setInterval(() => {
      const { user, system } = process.threadCpuUsage(last);
      last = process.threadCpuUsage();
      this.#workMs.push((user + system) / 1_000);
    }, TICK_MS);
  }

  stop(): LoopWork {
    clearInterval(this.#timer);
    const sorted = this.#workMs.toSorted((a, b) => a - b);
    return { p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0, maxMs: sorted.at(-1) ?? 0 };
  }
}
