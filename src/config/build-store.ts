// `session.redis` as the rooms get it, and the certificates that a client brings along.

import { Secret } from '../base/secret.ts';
import type { ClientTls, RedisConfig } from './model.ts';
import { parseRedisUrl, type RedisUrl } from './redis-url.ts';
import type { ConfigFile } from './sections/config-file.ts';

type ClientTlsSection = NonNullable<ConfigFile['routes'][number]['upstream_tls']>;

/** The model of a section of certificates. */
export function buildClientTls({ ca_file, cert_file, key_file, server_name }: ClientTlsSection): ClientTls {
  return { caPem: ca_file, certPem: cert_file, keyPem: key_file, serverName: server_name };
}

/** The model of the shared store; undefined where sessions are kept in memory. */
export function buildRedis({ store, redis }: ConfigFile['session']): RedisConfig | undefined {
  if (store !== 'redis' || redis === undefined) return undefined;
  // With sentinels or a cluster there may be none: it says nothing then but who the gate is, and whether with TLS.
  const url = parseRedisUrl((redis.url ?? redis.url_file)?.reveal() ?? 'redis://by-its-nodes');
  if ('wrong' in url) throw new Error('a wrong URL was not refused');
  const { address, username, password, database } = url;
  return {
    servers: buildServers(redis, address),
    username,
    password: password === undefined ? undefined : new Secret(password),
    database,
    tls: url.tls ? buildClientTls(redis.tls ?? NO_CERTIFICATES) : undefined,
    keyPrefix: redis.key_prefix,
    commandTimeoutMs: redis.command_timeout,
  };
}

function buildServers(
  { sentinel, cluster }: NonNullable<ConfigFile['session']['redis']>,
  address: RedisUrl['address'],
): RedisConfig['servers'] {
  if (cluster !== undefined) return { cluster: cluster.nodes! };
  if (sentinel === undefined) return { address };
  const { nodes, master, password, password_file } = sentinel;
  return { sentinels: nodes!, master: master!, sentinelPassword: password ?? password_file };
}

const NO_CERTIFICATES: ClientTlsSection = {
  ca_file: undefined,
  cert_file: undefined,
  key_file: undefined,
  server_name: undefined,
};
