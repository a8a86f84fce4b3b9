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
