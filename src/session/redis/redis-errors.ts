// What goes wrong with the shared store, in the gate's words. Redis puts a code before each error's text, and that code is
// its protocol; where one code stands for many things, a few texts are told apart. No text of a server goes anywhere.

import { GatewayError } from '../../base/gateway-error.ts';

/** All that the gate's user needs, for whoever has a user of its own for it. */
export const RIGHTS =
  'allow it: ACL SETUSER <user> ~<key_prefix>* &<key_prefix>* +@connection +@read +@write +@pubsub +eval +evalsha +time -@dangerous +info';

const OF_A_CLUSTER = 'the server is a node of a Redis cluster; name its nodes in session.redis.cluster';
const UNTRUSTED =
  "the server's certificate is of no authority that the gate trusts; name its CA in session.redis.tls.ca_file";
const NO_TLS = 'the server does not speak TLS there; write redis:// in session.redis.url, or the port on which it does';
const WANTS_CERTIFICATE =
  'the server wants a client certificate that it trusts; name one in session.redis.tls.cert_file and key_file';

/** Why a connection cannot be had or used, for operators, by Redis's code or the system's. */
const REASONS: Readonly<Record<string, string>> = {
  WRONGPASS: 'the user name or password is wrong',
  NOAUTH: 'the server wants a password',
  READONLY: 'the server is a replica and takes no writes',
  MASTERDOWN: 'the server is a replica whose master is down',
  MISCONF: 'the server takes no writes, because it cannot save to disk',
  LOADING: 'the server is still loading its data',
  BUSY: 'the server is busy with a script',
  OOM: 'the memory of the server is full',
  WRONGTYPE: 'a key of ours holds the data of another program; choose another session.redis.key_prefix',
  NODATABASE: 'the server has no database of this number; write a smaller one behind the host in session.redis.url',
  VERSION: 'it is older than Redis 7; Redis 7 or Valkey 8 is needed',
  CROSSSLOT: OF_A_CLUSTER,
  MOVED: OF_A_CLUSTER,
  CLUSTERDOWN: 'the cluster has lost nodes',
  NOSLOTS:
    'no node of the cluster says who has what: none can be reached, or the user may not run CLUSTER; allow it: ACL SETUSER <user> +cluster',
  ECONNREFUSED: 'nobody listens there',
  ENOENT: 'there is no such socket',
  ENOTFOUND: 'no such host is known',
  ECONNRESET: 'the connection was broken off',
  ETIMEDOUT: 'no connection came about in time',
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID:
    "the server's certificate is for another name; write the one that it has in session.redis.tls.server_name",
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: WANTS_CERTIFICATE,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: WANTS_CERTIFICATE,
};

/** What no waiting helps against: at start the gate says so and ends. */
export const HOPELESS: readonly string[] = [
  ...['WRONGPASS', 'NOAUTH', 'NOPERM', 'WRONGTYPE', 'NODATABASE', 'MOVED', 'CROSSSLOT', 'VERSION', 'MODE', 'NOMASTER'],
  ...Object.keys(REASONS).filter((code) => [UNTRUSTED, NO_TLS, WANTS_CERTIFICATE].includes(REASONS[code]!)),
  'ERR_TLS_CERT_ALTNAME_INVALID',
];

/** What Redis, or its client, has no code for. */
const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/^All the root nodes are unavailable/, 'NOSLOTS'],
  [/^Socket closed unexpectedly/, 'ECONNRESET'],
  [/^ERR DB index is out of range/, 'NODATABASE'],
  [/^ERR SELECT is not allowed in cluster mode/, 'MOVED'],
  [/^ERR unknown command.*hello/i, 'VERSION'],
  [/^ERR (The user executing the script can't|ACL failure in script)/, 'NOPERM'],
];

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
  const [, named] = TEXTS.find(([text]) => text.test(error.message)) ?? [];
  return named ?? /^[A-Z]{2,}(?= |$)/.exec(error.message)?.[0];
}

/** What an error means, in words for operators. */
export function reasonOf(error: unknown): string {
  if (error instanceof GatewayError) return error.message.replace(PREFIX, '');
  const code = redisErrorCode(error);
  if (code === 'NOPERM') return `${missingRight((error as Error).message)}; ${RIGHTS}`;
  if (code === undefined) return error instanceof Error ? error.name : 'unknown failure';
  return REASONS[code] ?? code;
}

function missingRight(text: string): string {
  const [, command] = /run the '([a-z|]{1,40})' command/.exec(text) ?? [];
  if (command !== undefined) return `the user may not run ${command.toUpperCase()}`;
  if (/channels?\b/.test(text)) return 'the user may not use the channels with our prefix';
  if (/keys?\b/.test(text)) return 'the user may not use the keys with our prefix';
  return 'the user may not run a command that the gate needs';
}
