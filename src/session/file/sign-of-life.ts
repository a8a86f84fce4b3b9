// Whether a process works with the file of sessions: as long as one does, the file's time of change moves on. A lock would have
// to survive crashes, and containers, in which every process has the number 1. Nobody's clock is believed: whoever wants to
// know waits for a change, so it holds on a file server too.

import { futimesSync } from 'node:fs';
import { stat } from 'node:fs/promises';

export const BEAT_MS = 1_000;

/** A file that stays as it is for so long is nobody's any more. */
export const QUIET_MS = 3 * BEAT_MS;

/** Moves the time of change of an open file on. @throws the system's error */
export function giveSign(fd: number): void {
  const now = Date.now() / 1_000;
  futimesSync(fd, now, now);
}

/** Resolves when the file has not changed for so long, with whether it never did; 'in use' where it still changes at the end. */
export async function untilQuiet(
  path: string,
  { sign, quietMs, waitMs, onChange }: { sign: string; quietMs: number; waitMs: number; onChange: () => void },
): Promise<'unchanged' | 'changed' | 'in use'> {
  const until = performance.now() + waitMs;
  for (let last = sign; ; ) {
    await new Promise((resolve) => setTimeout(resolve, quietMs));
    const next = await signOf(path);
    if (next === last) return next === sign ? 'unchanged' : 'changed';
    if (performance.now() > until) return 'in use';
    onChange();
    last = next;
  }
}

/** What is another after every change. @throws the system's error, but for a file that is not there */
export async function signOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs].join(' ');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'not there';
    throw error;
  }
}
