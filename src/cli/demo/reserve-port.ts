// A port for a server whose address must be known before it starts, as a gate's is: it stands in its configuration.

import { createServer } from 'node:net';

export interface ReservedPort {
  readonly port: number;
  /** Lets go of it; whoever listens next has it. */
  release(): Promise<void>;
}

/** `preferred` where it is free on loopback, otherwise (and for 0) a free one. Nobody else gets it until `release`. */
export async function reservePort(preferred: number): Promise<ReservedPort> {
  return await hold(preferred).catch(() => hold(0));
}

function hold(port: number): Promise<ReservedPort> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const { port: taken } = server.address() as { port: number };
      resolve({ port: taken, release: () => new Promise((released) => server.close(() => released())) });
    });
  });
}
