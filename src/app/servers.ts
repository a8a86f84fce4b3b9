// The two listeners. Every limit of node:http is set here, with its reason.

import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { KeyPair, Listen, ServerConfig } from '../config/model.ts';
import { CALLBACK_HEADER_BYTES } from '../http/request-head.ts';
import { takesUpgrade } from '../http/upgrade.ts';

/** How soon a slow head is noticed after its deadline. */
const CHECK_INTERVAL_MS = 1_000;

export interface PublicHandlers {
  readonly request: RequestListener;
  readonly checkContinue: RequestListener;
  readonly checkExpectation: RequestListener;
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** The public listener; call `listen` to open it. */
export function createPublicServer(config: ServerConfig, handlers: PublicHandlers): Server {
  const server = create(config.tls, {
    // Above our own limits, or the parser answers before us and explains nothing.
    // A client whose machine died sends nothing: without probes its event stream would stay open for ever.
    keepAlive: true,
    maxHeaderSize: CALLBACK_HEADER_BYTES + config.limits.headerBytes + config.limits.urlBytes,
    headersTimeout: config.timeouts.headersMs,
    keepAliveTimeout: config.timeouts.keepAliveMs,
    // A long upload is legitimate; the route's idle timeout ends one that stands still.
    requestTimeout: 0,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    insecureHTTPParser: false,
    shouldUpgradeCallback: takesUpgrade,
  });
  // Node would drop headers beyond the count and still frame the body with them (CVE-2026-58044): we count instead.
  server.maxHeadersCount = 0;
  server.on('request', handlers.request);
  server.on('checkContinue', handlers.checkContinue);
  server.on('checkExpectation', handlers.checkExpectation);
  server.on('upgrade', handlers.upgrade);
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => refuseRaw(socket, '405 Method Not Allowed'));
  server.on('clientError', onClientError);
  return server;
}

/** The private listener; call `listen` to open it. */
export function createAdminServer(tls: KeyPair | undefined, request: RequestListener): Server {
  const server = create(tls, { headersTimeout: 15_000, requestTimeout: 30_000 });
  server.on('request', request);
  server.on('clientError', onClientError);
  return server;
}

/** Resolves with the port that was taken; rejects with the system's error. */
export function listen(server: Server, address: Listen): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: address.port, ...(address.host === undefined ? {} : { host: address.host }) }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function create(tls: KeyPair | undefined, options: ServerOptions): Server {
  if (tls === undefined) return createServer(options);
  const server = createTlsServer({
    ...options,
    cert: tls.certPem,
    key: tls.keyPem.reveal(),
    ALPNProtocols: ['http/1.1'],
  });
  // A broken handshake is the client's affair; without a listener its error would end the process.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

function onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  refuseRaw(socket, status);
}

/** An answer to what is no request: nothing of it is repeated, and the connection is over. */
function refuseRaw(socket: Duplex, status: string): void {
  socket.on('error', () => socket.destroy());
  const { bytesWritten } = socket as Socket;
  // In the middle of another answer these bytes would become part of it.
  if (!socket.writable || (bytesWritten > 0 && (socket as Socket & { _httpMessage?: unknown })._httpMessage)) {
    socket.destroy();
    return;
  }
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}
