// A gate in the test's process, minutes later: its monotonic clock is moved, and with it store time and every timer. The wall
// clock stays with the embedded provider's.

import { systemClock } from '../../src/app/system-clock.ts';

const real = systemClock.monotonicMs;
let aheadMs = 0;

/** Moves the clock of every gate of this process on. */
export function advance(byMs: number): void {
  aheadMs += byMs;
  (systemClock as { monotonicMs: () => number }).monotonicMs = () => real() + aheadMs;
}
