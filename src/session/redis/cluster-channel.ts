// Commands to whichever node of a cluster has their key. The client follows the slots when they move.

import type { RedisClusterType } from '@redis/client';
import type { RedisNode } from './find-server.ts';
import { loginOf, OPTIONS, socketOptions, type Way, withDeadline } from './open-client.ts';
import { type RedisArgument, runScript } from './redis-connection.ts';
import { reasonOf, storeUnavailable } from './redis-errors.ts';
import type { RedisScript } from './redis-script.ts';

/** Every command has its key in the second place; every script its own first. */
export class ClusterChannel {
  readonly #nodes: readonly RedisNode[];
  readonly #way: Way;
  #cluster: RedisClusterType | undefined;
  #bufferMapping: object = {};

  constructor(nodes: readonly RedisNode[], way: Way) {
    this.#nodes = nodes;
    this.#way = way;
  }

  /** Learns the cluster's slots, once. @throws GatewayError `store_unavailable` */
  async open(): Promise<void> {
    if (this.#cluster !== undefined) return;
    const { createCluster, RESP_TYPES } = await import('@redis/client');
    const { access, timeoutMs } = this.#way;
    const socket = { ...socketOptions(access.tls), connectTimeout: timeoutMs };
    const cluster = createCluster({
      RESP: 3,
      rootNodes: this.#nodes.map((node) => ({ ...loginOf(access), socket: { ...node, ...socket }, ...OPTIONS })),
      defaults: { ...loginOf(access), socket, ...OPTIONS },
    } as Parameters<typeof createCluster>[0]) as unknown as RedisClusterType;
    // Every command that fails says so itself.
    cluster.on('error', () => {});
    try {
      await withDeadline(timeoutMs, async () => void (await cluster.connect()));
    } catch (error) {
      cluster.destroy();
      throw storeUnavailable(reasonOf(error), error);
    }
    this.#bufferMapping = { [RESP_TYPES.BLOB_STRING]: Buffer };
    this.#cluster = cluster;
  }

  /** @throws GatewayError `store_unavailable` */
  send<Reply>(args: readonly RedisArgument[]): Promise<Reply> {
    return this.#send(args[1]!, args, {});
  }

  /** The same, for replies whose texts are bytes. @throws GatewayError `store_unavailable` */
  sendForBytes<Reply>(args: readonly RedisArgument[]): Promise<Reply> {
    return this.#send(args[1]!, args, { typeMapping: this.#bufferMapping });
  }

  /** Runs a script on the node of its first key. @throws GatewayError `store_unavailable` */
  run<Reply>(script: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): Promise<Reply> {
    const rest = [String(keys.length), ...keys, ...args];
    return runScript((command) => this.#send<Reply>(keys[0]!, command, {}), script, rest);
  }

  /** The same, for replies whose texts are bytes. @throws GatewayError `store_unavailable` */
  runForBytes<Reply>(script: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): Promise<Reply> {
    const rest = [String(keys.length), ...keys, ...args];
    const options = { typeMapping: this.#bufferMapping };
    return runScript((command) => this.#send<Reply>(keys[0]!, command, options), script, rest);
  }

  close(): void {
    this.#cluster?.destroy();
    this.#cluster = undefined;
  }

  async #send<Reply>(key: RedisArgument, args: readonly RedisArgument[], options: object): Promise<Reply> {
    const cluster = this.#cluster;
    if (cluster === undefined) throw storeUnavailable('not connected');
    try {
      return await withDeadline(this.#way.timeoutMs, () =>
        cluster.sendCommand<Reply>(key, false, args as RedisArgument[], options),
      );
    } catch (error) {
      throw storeUnavailable(reasonOf(error), error);
    }
  }
}
