// Two gates on one store, and a fault proxy between the store and one of them.

import { FaultProxy } from './fault-proxy.ts';
import { type FleetParts, startParts } from './gate-fleet.ts';
import type { GatePairOptions } from './gate-pair.ts';
import { RedisServer } from './redis-server.ts';
import { ServerPair } from './server-pair.ts';

export class FaultyPair extends ServerPair {
  readonly proxy: FaultProxy;

  private constructor(parts: FleetParts, server: RedisServer, proxy: FaultProxy) {
    super(parts, server);
    this.proxy = proxy;
  }

  /** `behind`: the gate that can be kept from the store. */
  static async startBehind(behind: 'a' | 'b', options: Omit<GatePairOptions, 'redis'> = {}): Promise<FaultyPair> {
    const server = await RedisServer.start();
    const proxy = await FaultProxy.start(server.port);
    const [direct, faulty] = [{ url: server.url }, { url: `redis://127.0.0.1:${proxy.port}/0` }];
    const redis = behind === 'a' ? [faulty, direct] : [direct, faulty];
    return new FaultyPair(await startParts({ ...options, redis }), server, proxy);
  }

  override async close(): Promise<void> {
    await super.close();
    this.proxy.close();
  }
}
