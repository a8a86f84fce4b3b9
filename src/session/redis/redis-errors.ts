// What goes wrong with the shared store, in the gate's words. Redis puts a code before each error's text, and that code is
// its protocol; the text behind it is not looked at and goes nowhere.

import { GatewayError } from '../../base/gateway-error.ts';

/** Why a connection cannot be had or used, for operators, by Redis's code or the system's. */
const REASONS: Readonly<Record<string, string>> = {
  WRONGPASS: 'the user name or password is wrong',
  NOAUTH: 'the server wants a password',
  NOPERM: 'the user may not run a command that the gate needs',
  READONLY: 'the server is a replica and takes no writes',
  MASTERDOWN: 'the server is a replica whose master is down',
  MISCONF: 'the server takes no writes, because it cannot save to disk',
  LOADING: 'the server is still loading its data',
  BUSY: 'the server is busy with a script',
  OOM: 'the memory of the server is full',
  WRONGTYPE: 'a key of ours holds the data of another program; choose another session.redis.key_prefix',
  CROSSSLOT: 'the server is a Redis cluster; name its nodes in session.redis.cluster',
  MOVED: 'the server is a node of a Redis cluster; name its nodes in session.redis.cluster',
  CLUSTERDOWN: 'the cluster has lost nodes',
  ECONNREFUSED: 'nobody listens there',
  ENOENT: 'there is no such socket',
  ENOTFOUND: 'no such host is known',
  ECONNRESET: 'the connection was broken off',
  ETIMEDOUT: 'no connection came about in time',
};

const PREFIX = 'the session store cannot be used: ';

/** The store cannot be used now: nobody can be let through, and no notice can be answered 200. */
export function storeUnavailable(why: string, cause?: unknown): GatewayError {
  return new GatewayError('store_unavailable', {
    status: 503,
    message: `${PREFIX}${why}`,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The code of an error of Redis or of the system; undefined where it has none. */
export function redisErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === 'string') return code;
  return /^[A-Z]{2,}(?= |$)/.exec(error.message)?.[0];
}

/** What an error means, in words for operators. */
export function reasonOf(error: unknown): string {
  if (error instanceof GatewayError) return error.message.replace(PREFIX, '');
  const code = redisErrorCode(error);
  if (code === undefined) return error instanceof Error ? error.name : 'unknown failure';
  return REASONS[code] ?? code;
}
