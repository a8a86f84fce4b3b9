// Which server of several is the one to connect to: the master that sentinels name, or the node of a cluster that has a key.

import type { Secret } from '../../base/secret.ts';
import { openClient, type Way, withDeadline } from './open-client.ts';
import { reasonOf, redisErrorCode, storeUnavailable } from './redis-errors.ts';
import type { RedisAddress } from './redis-target.ts';

export type RedisNode = { readonly host: string; readonly port: number };

/** The sentinels have a password of their own. */
const LOGIN_FAILED = ['WRONGPASS', 'NOAUTH'];

/** One server, the master among several that sentinels watch, or a cluster. */
export type RedisServers =
  | { readonly address: RedisAddress }
  | { readonly sentinels: readonly RedisNode[]; readonly master: string; readonly sentinelPassword: Secret | undefined }
  | { readonly cluster: readonly RedisNode[] };

/** The server to connect to now; in a cluster the one that has `key`. @throws GatewayError `store_unavailable` */
export async function findServer(servers: RedisServers, key: string, way: Way): Promise<RedisAddress> {
  if ('address' in servers) return servers.address;
  if ('cluster' in servers) return findOwner(servers.cluster, key, way);
  const { sentinels, master, sentinelPassword } = servers;
  const { tls } = way.access;
  const access = {
    database: 0,
    ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }),
    ...(tls === undefined ? {} : { tls }),
  };
  return findMaster(sentinels, master, { ...way, access });
}

/**
 * The master of this name, as the first sentinel that answers knows it.
 * @throws GatewayError `store_unavailable`
 */
async function findMaster(sentinels: readonly RedisNode[], master: string, way: Way): Promise<RedisAddress> {
  const answer = await askFirst(sentinels, way, ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master]);
  if ('failed' in answer) {
    const { failed } = answer;
    const cure = LOGIN_FAILED.includes(redisErrorCode(failed) ?? '') ? '; see session.redis.sentinel.password' : '';
    throw storeUnavailable(`no sentinel answers: ${reasonOf(failed)}${cure}`, failed);
  }
  const pair = answer.reply as [string, string] | null;
  if (pair === null) {
    throw storeUnavailable('the sentinels know no master of the name in sentinel.master', new Error('NOMASTER'));
  }
  return { host: pair[0], port: Number(pair[1]) };
}

/**
 * The node of a cluster that has `key`.
 * @throws GatewayError `store_unavailable`
 */
async function findOwner(nodes: readonly RedisNode[], key: string, way: Way): Promise<RedisAddress> {
  const answer = await askFirst(nodes, way, ['EXISTS', key]);
  if (!('failed' in answer)) return answer.node;
  const { failed, node } = answer;
  // MOVED slot host:port; without a host it is the one that was asked.
  const moved = redisErrorCode(failed) === 'MOVED' ? /^MOVED \d+ (.*):(\d+)$/.exec((failed as Error).message) : null;
  if (moved === null) throw storeUnavailable(`no node of the cluster answers: ${reasonOf(failed)}`, failed);
  return { host: moved[1] || node.host, port: Number(moved[2]) };
}

type Answered = { readonly node: RedisNode; readonly reply: unknown };
type Failed = { readonly node: RedisNode; readonly failed: unknown };

/** The reply of the first server that gives one; the last failure where none does. */
async function askFirst(nodes: readonly RedisNode[], way: Way, command: string[]): Promise<Answered | Failed> {
  let last: Failed | undefined;
  for (const node of nodes) {
    try {
      const client = await openClient(node, way, () => {});
      try {
        return { node, reply: await withDeadline(way.timeoutMs, () => client.sendCommand(command)) };
      } finally {
        client.destroy();
      }
    } catch (failed) {
      last = { node, failed };
      if (redisErrorCode(failed) === 'MOVED') return last;
    }
  }
  return last ?? { node: nodes[0]!, failed: storeUnavailable('no node is named') };
}
