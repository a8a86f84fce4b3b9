// Ports for servers that must be told theirs before they start.

import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below what Linux gives to outgoing connections (32768 and up): a port that was free a moment ago stays so, whatever
// number of connections the tests beside this one open.
const FIRST = 10_000;
const LAST = 32_000;

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
