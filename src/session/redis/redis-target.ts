// Which server a connection goes to, and as whom.

import type { Secret } from '../../base/secret.ts';

/** A host and port, or a unix socket. */
export type RedisAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export interface RedisTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
}

/** How to get in at a server, whichever it is. */
export interface RedisAccess {
  readonly username?: string;
  readonly password?: Secret;
  readonly database: number;
  /** Absent: without TLS. */
  readonly tls?: RedisTls;
}
