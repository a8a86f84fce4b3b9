// `session.store` and `session.redis`: where sessions are kept.

import { childPath, type Finding, type IsWritten } from '../problem.ts';
import { parseRedisUrl } from '../redis-url.ts';
import type { ConfigDraft, RouteDraft } from '../sections/config-file.ts';
import { checkKeyPair } from './key-pair-checks.ts';

/**
 * A notice is answered within 4 s (Keycloak waits 5, with somebody's request blocked meanwhile): one command and the second
 * that a replica's lease lasts have to fit into them.
 */
const LONGEST_COMMAND_MS = 2_500;
const SHORTEST_COMMAND_MS = 50;
/**
 * A form goes there in one command, which has ten seconds: so large a one needs a link of 4 Mbit/s. All forms together have
 * room for 64 MiB.
 */
const LARGEST_FORM_BYTES = 4 * 1024 ** 2;

/** The store against the section that describes it. */
export function checkStore({ session, routes }: ConfigDraft, isWritten: IsWritten): Finding[] {
  if (session === undefined) return [];
  const { store, redis } = session;
  if (store !== 'redis') {
    if (redis === undefined || store === undefined) return [];
    const message = 'the store in Redis is described, and session.store is memory';
    return [{ path: 'session.redis', message, cure: 'write session.store: redis, or remove this section' }];
  }
  if (redis === undefined) {
    if (isWritten('session.redis')) return [];
    const message = 'session.store is redis, and session.redis does not say where that is';
    return [{ path: 'session.store', message, cure: 'add redis: { url: redis://host:6379 } to session' }];
  }
  return [
    ...checkUrl(redis, isWritten),
    ...checkNodes(redis, isWritten),
    ...checkKeys(redis),
    ...checkForms(routes ?? []),
  ];
}

type RedisDraft = NonNullable<NonNullable<ConfigDraft['session']>['redis']>;

function checkUrl({ url, url_file, tls }: RedisDraft, isWritten: IsWritten): Finding[] {
  const path = isWritten('session.redis.url_file') ? 'session.redis.url_file' : 'session.redis.url';
  const secret = url ?? url_file;
  if (secret === undefined) {
    if (isWritten(path) || isWritten('session.redis.sentinel') || isWritten('session.redis.cluster')) return [];
    return [{ path: 'session.redis', message: 'the server has no address', cure: 'add url: redis://host:6379' }];
  }
  const parsed = parseRedisUrl(secret.reveal());
  if ('wrong' in parsed) return [{ path, message: parsed.wrong, cure: parsed.cure }];
  if (parsed.database !== 0 && isWritten('session.redis.cluster')) {
    const message = 'a cluster has no numbered databases';
    return [{ path, message, cure: 'write 0, or nothing, behind the host of the URL' }];
  }
  if (tls === undefined) return [];
  if (!parsed.tls) {
    const message = 'there are certificates, and the URL is one without TLS';
    return [{ path: 'session.redis.tls', message, cure: 'write rediss:// in the URL, or remove this section' }];
  }
  return checkKeyPair('session.redis.tls', tls);
}

function checkNodes({ sentinel, cluster }: RedisDraft, isWritten: IsWritten): Finding[] {
  const findings: Finding[] = [];
  const missing = (path: string, name: string) => {
    if (isWritten(`${path}.${name}`)) return;
    findings.push({ path, message: `${name} is missing`, cure: `add ${name} to ${path}` });
  };
  if (sentinel !== undefined) {
    missing('session.redis.sentinel', 'master');
    missing('session.redis.sentinel', 'nodes');
  }
  if (cluster !== undefined) missing('session.redis.cluster', 'nodes');
  if (sentinel !== undefined && cluster !== undefined) {
    const message = 'a cluster looks after its masters itself and has no sentinels';
    findings.push({ path: 'session.redis.sentinel', message, cure: 'keep one of sentinel and cluster' });
  }
  return findings;
}

function checkKeys({ key_prefix, command_timeout }: RedisDraft): Finding[] {
  const findings: Finding[] = [];
  if (key_prefix !== undefined && !/^[!-z|~]{1,100}$/.test(key_prefix)) {
    findings.push({
      path: 'session.redis.key_prefix',
      message: 'the prefix has braces, spaces or other characters that names of keys should not have, or is too long',
      cure: 'write up to 100 letters, digits and marks, such as "portcullis:"',
    });
  }
  const isOdd =
    command_timeout !== undefined && (command_timeout < SHORTEST_COMMAND_MS || command_timeout > LONGEST_COMMAND_MS);
  if (isOdd) {
    findings.push({
      path: 'session.redis.command_timeout',
      message: 'with this no notice could be answered in time, or every command would fail',
      cure: 'write a time from 50ms to 2500ms',
    });
  }
  return findings;
}

function checkForms(routes: readonly (RouteDraft | undefined)[]): Finding[] {
  return routes.flatMap((route, i) => {
    const kept = route?.preserve_post;
    if (kept?.enabled === false || (kept?.max_bytes ?? 0) <= LARGEST_FORM_BYTES) return [];
    const message = 'a form goes to Redis in one command, and this is too much for one';
    const path = `${childPath('routes', i)}.preserve_post.max_bytes`;
    return [{ path, message, cure: 'write 4MiB or less, or session.store: memory' }];
  });
}
