// A port for a server whose address must be known before it starts, as a gate's is: it stands in its configuration.

import { createServer } from 'node:net';

/** `preferred` where it is free on loopback, otherwise (and for 0) a free one of the system's choice. */
export async function reservePort(preferred: number): Promise<number> {
  try {
    return await probe(preferred);
  } catch {
    return await probe(0);
  }
}

function probe(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const taken = (server.address() as { port: number }).port;
      server.close(() => resolve(taken));
    });
  });
}
