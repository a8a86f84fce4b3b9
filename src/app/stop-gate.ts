// The graceful stop (design: decided cases): no new connection, running answers are finished within the drain, then
// WebSockets get 1001 and what still runs is cut.

import type { Server } from 'node:http';
import type { ConnectionRegistry } from '../proxy/connection-registry.ts';
import type { UpstreamGroup } from '../proxy/upstream-group.ts';

/** WebSocket clients have 1 s to answer a close; nothing may hold the exit up longer. */
const LAST_CLOSE_MS = 2_000;

const DRAIN_CHECK_MS = 50;

export interface StopOptions {
  readonly publicServer: Server;
  readonly adminServer: Server;
  readonly registry: ConnectionRegistry;
  readonly upstreams: readonly UpstreamGroup[];
  readonly drainMs: number;
  /** Requests on own endpoints, and those that wait for their decision. */
  readonly pending: { readonly count: number };
}

export async function stopGate(options: StopOptions): Promise<void> {
  const { publicServer, adminServer, registry } = options;
  const closed = closeServer(publicServer);
  // From now on every answer says that its connection is over.
  publicServer.prependListener('request', (_request, response) => response.setHeader('Connection', 'close'));
  await drain(options);
  // What still runs: WebSockets above all, which end by themselves only by chance.
  await Promise.race([registry.shutDown(), sleep(LAST_CLOSE_MS)]);
  publicServer.closeAllConnections();
  await closed;
  await Promise.race([Promise.all(options.upstreams.map((upstream) => upstream.close())), sleep(LAST_CLOSE_MS)]);
  adminServer.closeAllConnections();
  await closeServer(adminServer);
}

/** Until no exchange runs any more; event streams and WebSockets end only when they are told. */
async function drain({ registry, pending, drainMs }: StopOptions): Promise<void> {
  const until = performance.now() + drainMs;
  while (registry.totals().requests + pending.count > 0 && performance.now() < until) await sleep(DRAIN_CHECK_MS);
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
