// Whether a server is one that sessions can be kept on, said before anything is kept there.

import type { RedisConnection } from './redis-connection.ts';
import { RIGHTS, storeUnavailable } from './redis-errors.ts';
import { RIGHTS_OF_USER } from './redis-rights.ts';

/** Scripts that go on with a full memory came with this version; Valkey calls itself 7.2 where it is asked for Redis's. */
const OLDEST_VERSION = 7;

/**
 * Returns what operators have to be told of a server that can be used.
 * @throws GatewayError `store_unavailable`, with a cause whose message begins with a code.
 */
export async function inspectServer(
  connection: RedisConnection,
  { isCluster, scratch, channel }: { isCluster: boolean; scratch: string; channel: string },
): Promise<string | undefined> {
  const facts = readFacts(await connection.send<string>(['INFO']));
  const version = facts.get('redis_version') ?? '';
  if (Number.parseInt(version, 10) < OLDEST_VERSION) {
    throw storeUnavailable(`it is Redis ${version}, and Redis 7 or Valkey 8 is needed`, new Error('VERSION'));
  }
  // Valkey's name for it is the second.
  const mode = facts.get('redis_mode') ?? facts.get('server_mode');
  if (mode !== 'cluster' && isCluster) {
    throw storeUnavailable('the server is no node of a cluster; remove session.redis.cluster', new Error('MODE'));
  }
  if (mode === 'cluster' && !isCluster) {
    const why = 'the server is a node of a Redis cluster; name its nodes in session.redis.cluster';
    throw storeUnavailable(why, new Error('MOVED'));
  }
  if (facts.get('role') === 'slave') throw storeUnavailable('the server is a replica and takes no writes');
  const missing = await connection.run<string[]>(RIGHTS_OF_USER, [scratch], [channel]);
  if (missing.length > 0) {
    throw storeUnavailable(`the user may not run ${missing.join(', ')}; ${RIGHTS}`, new Error('NOPERM'));
  }
  const policy = facts.get('maxmemory_policy') ?? 'noeviction';
  if (facts.get('maxmemory') === '0' || policy === 'noeviction') return undefined;
  return `The session store's maxmemory-policy is ${policy}: with a full memory it forgets sessions and the memory of ended ones. Set noeviction.`;
}

function readFacts(info: string): ReadonlyMap<string, string> {
  const pairs = info.split('\r\n').filter((line) => line.includes(':'));
  return new Map(pairs.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}
