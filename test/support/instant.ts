// One clock for everything that a test compares: epoch milliseconds with fractions that never go back.

/** Now, in epoch milliseconds; comparable within one process. */
export function instant(): number {
  return performance.timeOrigin + performance.now();
}
