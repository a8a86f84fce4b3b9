// Two gates on one store, with a server of their own.

import { type FleetParts, startParts } from './gate-fleet.ts';
import { GatePair, type GatePairOptions } from './gate-pair.ts';
import { RedisServer } from './redis-server.ts';

export class ServerPair extends GatePair {
  readonly server: RedisServer;

  protected constructor(parts: FleetParts, server: RedisServer) {
    super(parts);
    this.server = server;
  }

  static async startWith(
    options: Omit<GatePairOptions, 'redis'> = {},
    serverArgs: readonly string[] = [],
  ): Promise<ServerPair> {
    const server = await RedisServer.start(serverArgs);
    const redis = { url: server.url };
    return new ServerPair(await startParts({ ...options, redis: [redis, redis] }), server);
  }

  override async close(): Promise<void> {
    await super.close();
    await this.server.close();
  }
}
