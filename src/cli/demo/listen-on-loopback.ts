// Servers of the demo: loopback only, and gone at once when the demo ends.

import type { Server } from 'node:http';

export interface RunningServer {
  readonly origin: string;
  stop(): Promise<void>;
}

/** Port 0: any free one. */
export async function listenOnLoopback(server: Server, port: number): Promise<RunningServer> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const taken = (server.address() as { port: number }).port;
  return {
    origin: `http://127.0.0.1:${taken}`,
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
