// One protected application and the connections to it: pooled ones for HTTP, plain sockets for WebSocket handshakes.

import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { buildConnector, type Dispatcher } from 'undici';
import type { CarriedHandler, CarrierClient } from './carrier-client.ts';
import { ClientPool } from './client-pool.ts';
import { TransferWatch } from './transfer-watch.ts';

export interface UpstreamTls {
  /** PEM; in place of the system's authorities. */
  readonly ca?: string | Buffer | (string | Buffer)[];
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly serverName?: string;
}

export interface UpstreamTimeouts {
  readonly connectMs: number;
  /** From the last byte of the request to the response's head. */
  readonly responseHeadMs: number;
  /** Without a byte in an HTTP body, in either direction; event streams have none. */
  readonly idleMs: number;
}

export interface UpstreamOptions {
  readonly origin: URL;
  readonly tls?: UpstreamTls;
  readonly timeouts: UpstreamTimeouts;
}

/** Response heads beyond this are refused (502), never cut short. */
const MAX_RESPONSE_HEAD_BYTES = 64 * 1024;
/** Below the 5 s after which many application servers close idle connections. */
const KEEP_ALIVE_MS = 4_000;
/** An upstream whose machine is gone says nothing on an idle WebSocket; the kernel asks after this. */
const PROBE_MS = 60_000;

export class Upstream {
  readonly origin: URL;
  readonly timeouts: UpstreamTimeouts;
  /** For `Host`: name and, where it is not the scheme's own, port. */
  readonly host: string;
  readonly transfers: TransferWatch;
  /** Given with every request, so that a Host header never chooses the name that TLS asks for. */
  readonly servername: string;
  readonly #pool: ClientPool;
  readonly #tls: Pick<ConnectionOptions, 'ca' | 'cert' | 'key'>;
  readonly #tlsName: string | undefined;

  constructor(options: UpstreamOptions) {
    const { origin, timeouts } = options;
    this.origin = origin;
    this.timeouts = timeouts;
    this.host = origin.host;
    this.transfers = new TransferWatch(timeouts.idleMs);
    this.servername = options.tls?.serverName ?? origin.hostname;
    // An IP address is no server name (RFC 6066 section 3); the certificate is checked against the address then.
    this.#tlsName = options.tls?.serverName ?? (isIP(unbracketed(origin.hostname)) ? undefined : origin.hostname);
    this.#tls = tlsMaterial(options.tls);
    this.#pool = new ClientPool(new URL(origin.origin), {
      pipelining: 1,
      allowH2: false,
      maxHeaderSize: MAX_RESPONSE_HEAD_BYTES,
      headersTimeout: timeouts.responseHeadMs,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connect: this.#connector(),
    });
  }

  /** Hands a request to a free connection, or to a new one. Failures reach the handler. */
  dispatch(options: Dispatcher.DispatchOptions, handler: CarriedHandler, connection: 'any' | 'new' = 'any'): void {
    this.#pool.dispatch(options, handler, connection);
  }

  /** Gives back the connection that `dispatch` named, once its exchange is over. */
  release(client: CarrierClient): void {
    this.#pool.release(client);
  }

  /** A connection of its own, outside the pool, with half-open ends; the caller hears 'connect' or 'secureConnect'. */
  connect(): Socket {
    const host = unbracketed(this.origin.hostname);
    const secure = this.origin.protocol === 'https:';
    const port = Number(this.origin.port || (secure ? 443 : 80));
    if (!secure)
      return connectTcp({
        host,
        port,
        allowHalfOpen: true,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: PROBE_MS,
      });
    const options: ConnectionOptions & { allowHalfOpen: boolean } = { ...this.#tls, host, port, allowHalfOpen: true };
    if (this.#tlsName !== undefined) options.servername = this.#tlsName;
    return connectTls({ ...options, ALPNProtocols: ['http/1.1'] })
      .setNoDelay(true)
      .setKeepAlive(true, PROBE_MS);
  }

  /** Waits for the exchanges under way, then closes all pooled connections. */
  async close(): Promise<void> {
    await this.#pool.close();
  }

  #connector(): buildConnector.connector {
    const connector = buildConnector({ ...this.#tls, allowH2: false, timeout: this.timeouts.connectMs });
    const servername = this.#tlsName;
    return (target, done) => {
      const { servername: _asked, ...rest } = target;
      connector(servername === undefined ? rest : { ...rest, servername }, done);
    };
  }
}

function unbracketed(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

function tlsMaterial({ ca, cert, key }: UpstreamTls = {}): Pick<ConnectionOptions, 'ca' | 'cert' | 'key'> {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
