// The transport alone, behind a bare node:http server: every request is admitted, for the owner that `x-owner` names.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConnectionRegistry } from '../../../src/proxy/connection-registry.ts';
import type { ForwardFailure } from '../../../src/proxy/forward-failure.ts';
import { forwardHttp } from '../../../src/proxy/forward-http.ts';
import type { HeadWatcher } from '../../../src/proxy/forward-options.ts';
import { forwardWebSocket } from '../../../src/proxy/forward-websocket.ts';
import { RequestHeaderPolicy } from '../../../src/proxy/request-headers.ts';
import { ResponseHeaderPolicy } from '../../../src/proxy/response-headers.ts';
import { Upstream, type UpstreamTimeouts, type UpstreamTls } from '../../../src/proxy/upstream.ts';
import { RawClient } from './raw-client.ts';

export const OWN_COOKIES = {
  sessionName: '__Host-portcullis',
  lastUserName: '__Host-portcullis-user',
  loginPrefix: '__Secure-portcullis-login-',
};
const TIMEOUTS: UpstreamTimeouts = { connectMs: 5_000, responseHeadMs: 5_000, idleMs: 5_000 };

export interface BareGateOptions {
  readonly timeouts?: Partial<UpstreamTimeouts>;
  readonly tls?: UpstreamTls;
  readonly identity?: readonly string[];
  readonly cache?: 'private' | 'as the upstream says';
  readonly websocketIdleMs?: number;
  /** Keeps the upstream's cookies, and looks at every head. */
  readonly watcher?: HeadWatcher;
}

/** What the transport told the door, in order. */
export interface Told {
  readonly failures: ForwardFailure[];
  readonly finished: number[];
  ended: number;
  activity: number;
}

export class BareGate {
  readonly registry = new ConnectionRegistry();
  readonly told: Told = { failures: [], finished: [], ended: 0, activity: 0 };
  readonly server: Server;
  readonly upstream: Upstream;
  readonly #clients: RawClient[] = [];
  readonly #options: BareGateOptions;
  readonly #requestHeaders: RequestHeaderPolicy;
  readonly #responseHeaders: ResponseHeaderPolicy;

  private constructor(origin: URL, options: BareGateOptions) {
    this.#options = options;
    this.upstream = new Upstream({
      origin,
      timeouts: { ...TIMEOUTS, ...options.timeouts },
      ...(options.tls === undefined ? {} : { tls: options.tls }),
    });
    this.#requestHeaders = new RequestHeaderPolicy({
      identityNames: ['X-Forwarded-User', 'Remote-User', 'X-Auth-Groups'],
      ownCookies: OWN_COOKIES,
      upstreamHost: origin.host,
      preserveHost: false,
    });
    this.#responseHeaders = new ResponseHeaderPolicy({
      ownCookies: OWN_COOKIES,
      cache: options.cache ?? 'as the upstream says',
      cookies: options.watcher === undefined ? 'pass' : 'keep',
      rewrite: { upstreamOrigins: [origin.origin], publicOrigin: 'https://app.example' },
    });
    const server = createServer({ requestTimeout: 0, headersTimeout: 0, shouldUpgradeCallback: isWebSocket });
    server.maxHeadersCount = 0;
    server.on('request', (request, response) => forwardHttp(request, response, this.#forwarding(request, response)));
    server.on('checkContinue', (request, response) => {
      response.writeContinue();
      forwardHttp(request, response, this.#forwarding(request, response));
    });
    server.on('upgrade', (request, socket, head) => {
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      response.assignSocket(socket as never);
      response.once('finish', () => {
        response.detachSocket(socket as never);
        socket.end(() => socket.destroy());
      });
      forwardWebSocket(request, { socket, head, response }, this.#forwarding(request, response));
    });
    this.server = server;
  }

  static async listen(origin: URL, options: BareGateOptions = {}): Promise<BareGate> {
    const gate = new BareGate(origin, options);
    await once(gate.server.listen(0, '127.0.0.1'), 'listening');
    return gate;
  }

  client(): RawClient {
    const client = new RawClient((this.server.address() as AddressInfo).port);
    this.#clients.push(client);
    return client;
  }

  /** Ends all of an owner's connections, as the end of a session does. */
  end(key: string): Promise<unknown> {
    const owner = this.registry.stop(key);
    return owner === undefined ? Promise.resolve() : this.registry.close([owner]);
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    // What is left after the clients' and the upstream's ends were heard is cut.
    await Promise.race([this.registry.drained(), new Promise((resolve) => setTimeout(resolve, 200))]);
    await this.registry.shutDown();
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
    await this.upstream.close();
  }

  #forwarding(request: IncomingMessage, response: ServerResponse) {
    const key = request.headers['x-owner'];
    const { told } = this;
    return {
      upstream: this.upstream,
      target: request.url!,
      headers: this.#requestHeaders.build(request.rawHeaders, {
        forwarded: { for: '192.0.2.1', host: 'app.example', proto: 'https', port: '443' },
        identity: this.#options.identity ?? [],
      }),
      watcher: this.#options.watcher,
      owner: typeof key === 'string' ? this.registry.owner(key) : this.registry.anonymous,
      response: this.#responseHeaders,
      websocketIdleMs: this.#options.websocketIdleMs ?? 0,
      onActivity: () => {
        told.activity++;
      },
      tunnelActivity: () => () => {
        told.activity++;
      },
      onEnded: () => {
        told.ended++;
        response.writeHead(401, { Connection: 'close', 'Content-Length': 5 }).end('ended');
      },
      onFailure: (failure: ForwardFailure) => {
        told.failures.push(failure);
        const status = failure.code === 'upstream_timeout' ? 504 : 502;
        response.writeHead(status, { 'Content-Length': failure.code.length }).end(failure.code);
      },
      onFinished: (status: number) => {
        told.finished.push(status);
      },
    };
  }
}

function isWebSocket(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket';
}
