// A client of one Redis server, connected. It connects once: who comes back, and to which server, is decided elsewhere.

import type { RedisClientType } from '@redis/client';
import { storeUnavailable } from './redis-errors.ts';
import type { RedisAccess, RedisAddress, RedisTls } from './redis-target.ts';

export type RedisClient = RedisClientType;

const LATE = 'the server does not answer in time';

/** What a connection is made with. */
export interface Way {
  readonly access: RedisAccess;
  readonly timeoutMs: number;
}

/** @throws GatewayError `store_unavailable`, or what the client throws */
export async function openClient(
  address: RedisAddress,
  { access, timeoutMs }: Way,
  onError: (error: unknown, client: RedisClient) => void,
): Promise<RedisClient> {
  // Loaded only where it is needed: a gate that keeps its sessions in memory starts without it.
  const { createClient } = await import('@redis/client');
  const client = createClient({
    RESP: 3,
    ...loginOf(access),
    database: access.database,
    socket: { ...address, ...socketOptions(access.tls), connectTimeout: timeoutMs, reconnectStrategy: false },
    ...OPTIONS,
  } as Parameters<typeof createClient>[0]) as unknown as RedisClient;
  client.on('error', (error: unknown) => onError(error, client));
  try {
    const late =
      access.tls === undefined ? LATE : `${LATE}; write redis:// in session.redis.url if it speaks no TLS there`;
    await withDeadline(timeoutMs, async () => void (await client.connect()), late);
    return client;
  } catch (error) {
    client.destroy();
    throw error;
  }
}

/** Deadlines are ours, and hold for commands that were sent too; nothing waits for a connection, nothing is sent twice. */
export const OPTIONS = {
  commandOptions: { timeout: 0 },
  disableOfflineQueue: true,
  disableClientInfo: true,
  maintNotifications: 'disabled',
} as const;

/** User and password, where there are any. */
export function loginOf({ username, password }: RedisAccess): { username?: string; password?: string } {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: password.reveal() }),
  };
}

/** The socket's options for TLS; none without. */
export function socketOptions(tls: RedisTls | undefined): object {
  if (tls === undefined) return {};
  const { ca, cert, key, serverName } = tls;
  return {
    tls: true,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

/** @throws GatewayError `store_unavailable` where the work takes longer */
export async function withDeadline<T>(timeoutMs: number, work: () => Promise<T>, why = LATE): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(storeUnavailable(why)), timeoutMs);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
