// The real clock and timers, for tests that wait for real sockets.

import type { Clock, Timers } from '../../src/base/clock.ts';

export const systemClock: Clock = { now: () => Date.now(), monotonicMs: () => performance.now() };

export const systemTimers: Timers = {
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Real wall clock; waits and monotonic time run twenty times as fast, so that a test of many waits is short. */
export const hurriedTime: { readonly clock: Clock; readonly timers: Timers } = {
  clock: { now: () => Date.now(), monotonicMs: () => performance.now() * 20 },
  timers: { after: (delayMs, callback) => systemTimers.after(delayMs / 20, callback) },
};
