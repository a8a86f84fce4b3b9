// Waiting for a server that says nothing when it is ready.

import { setTimeout as sleep } from 'node:timers/promises';

const LONGEST_WAIT_MS = 10_000;
const BETWEEN_TRIES_MS = 20;

/** Resolves when something answers HTTP at `url`, whatever it says. */
export async function answers(url: string): Promise<void> {
  const until = performance.now() + LONGEST_WAIT_MS;
  for (;;) {
    try {
      await (await fetch(url)).arrayBuffer();
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
      await sleep(BETWEEN_TRIES_MS);
    }
  }
}
