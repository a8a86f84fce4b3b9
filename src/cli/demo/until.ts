// Waiting for what must happen soon, and giving up on what does not.

/** A promise of milliseconds, on a busy machine; what has not happened by then does not happen at all. */
export const PATIENCE_MS = 3_000;

/** Resolves when `holds` does. @throws after PATIENCE_MS. */
export async function until(holds: () => boolean): Promise<void> {
  for (const giveUpAtMs = performance.now() + PATIENCE_MS; !holds(); await sleep(5)) {
    if (performance.now() > giveUpAtMs) throw new Error(`nothing happened for ${PATIENCE_MS} ms`);
  }
}

/** What `work` resolves with. @throws `late` after `deadlineMs`. */
export async function within<T>(deadlineMs: number, work: Promise<T>, late: string): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(late)), deadlineMs);
  return await Promise.race([work, promise]).finally(() => clearTimeout(timer));
}

/** Keeps no process alive. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
