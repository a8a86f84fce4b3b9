// Notices that a file has changed: by its contents, by another file in its place, or by a link that leads elsewhere, as
// Kubernetes replaces a mounted folder. So files are looked at, not listened to: no notification tells all three.

import { type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';

const LOOK_EVERY_MS = 1_000;
/** Who replaces several files, a certificate and its key, does so one after the other. */
const SETTLE_MS = 500;

export class WatchFiles {
  readonly #onChange: () => void;
  readonly #looking = setInterval(() => void this.#look(), LOOK_EVERY_MS).unref();
  #seen = new Map<string, string>();
  #settling: NodeJS.Timeout | undefined;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Watches these from now on and no others; call it as soon as they were read. Keeps no process alive. */
  watch(files: readonly string[]): void {
    this.#seen = new Map(files.map((file) => [file, stateNow(file)]));
  }

  stop(): void {
    clearInterval(this.#looking);
    clearTimeout(this.#settling);
  }

  async #look(): Promise<void> {
    const seen = this.#seen;
    for (const [file, before] of seen) {
      const now = nameOf(await stat(file).catch(() => undefined));
      if (now === before) continue;
      seen.set(file, now);
      clearTimeout(this.#settling);
      this.#settling = setTimeout(this.#onChange, SETTLE_MS).unref();
    }
  }
}

function stateNow(file: string): string {
  try {
    return nameOf(statSync(file));
  } catch {
    return nameOf(undefined);
  }
}

/** Tells one state of a file from another. */
function nameOf(stats: Stats | undefined): string {
  return stats === undefined ? 'none' : `${stats.ino} ${stats.mtimeMs} ${stats.ctimeMs} ${stats.size}`;
}
