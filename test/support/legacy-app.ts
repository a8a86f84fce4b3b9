// The protected application of the tests: knows nothing of OpenID Connect, says what it received, and records how each
// of its connections ended. Everything live "ticks": it sends the instant at which it made each tick, so that a test can
// tell what was forwarded after a moment from what was merely still on its way.

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { instant } from './instant.ts';
import { LegacySessions } from './legacy-sessions.ts';

export interface SeenRequest {
  readonly method: string;
  /** As it came, byte for byte. */
  readonly target: string;
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingMessage['headers'];
  readonly at: number;
}

/** A live exchange as the application sees it. */
export interface SeenExchange extends SeenRequest {
  receivedBytes: number;
  /** The request's body: still coming, arrived whole, or broken off. */
  requestEnd: 'open' | 'complete' | 'aborted';
  /** The answer: still going, sent whole, or its connection lost. */
  answerEnd: 'open' | 'complete' | 'lost';
  endedAt: number;
}

export interface SeenSocket extends SeenRequest {
  readonly received: string[];
  closeCode: number | undefined;
  closeReason: string;
  closedAt: number;
  close(code: number, reason: string): void;
}

type Handler = (request: IncomingMessage, response: ServerResponse, seen: SeenExchange) => void;

export interface LegacyAppOptions {
  /** Between two ticks; default 20. */
  tickMs?: number;
  /** Further pages, by path. */
  pages?: Record<string, Handler>;
}

export class LegacyApp {
  readonly exchanges: SeenExchange[] = [];
  readonly sockets: SeenSocket[] = [];
  /** The sessions that it has of its own; see LegacySessions for their pages. */
  readonly sessions = new LegacySessions();
  readonly #server = createServer({ requestTimeout: 0, headersTimeout: 0 });
  readonly #webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  readonly #connections = new Set<Socket>();
  readonly #tickMs: number;
  readonly #pages: Record<string, Handler>;

  constructor(options: LegacyAppOptions = {}) {
    this.#tickMs = options.tickMs ?? 20;
    this.#pages = {
      '/echo': echo,
      '/1k': (_, response) => void response.writeHead(200, { 'Content-Type': 'text/plain' }).end('x'.repeat(1024)),
      '/slow': (_, response, seen) => this.#answerSlowly(response, seen),
      '/events': (_, response) => this.#tick(response, { 'Content-Type': 'text/event-stream' }),
      '/download': (_, response) => this.#tick(response, { 'Content-Type': 'application/octet-stream' }),
      '/download-with-length': (_, response) => this.#tick(response, { 'Content-Length': '1000000000' }),
      '/upload': () => {},
      ...this.sessions.pages,
      ...options.pages,
    };
    this.#server.on('connection', (socket) => {
      this.#connections.add(socket);
      socket.on('close', () => this.#connections.delete(socket));
    });
    this.#server.on('request', (request, response) => this.#answer(request, response));
    this.#webSockets.on('headers', (headers, request) => headers.push(...askedHeaders(request)));
    this.#server.on('upgrade', (request, socket, head) =>
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => this.#accept(request, webSocket)),
    );
  }

  async listen(host = '127.0.0.1', port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(port, host, resolve));
    return this;
  }

  get origin(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `http://${address}:${port}`;
  }

  /** What the application received for `path`, newest last. */
  seen(path: string): SeenExchange[] {
    return this.exchanges.filter(({ target }) => target === path || target.startsWith(`${path}?`));
  }

  async close(): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const seen: SeenExchange = {
      ...facts(request),
      receivedBytes: 0,
      requestEnd: 'open',
      answerEnd: 'open',
      endedAt: 0,
    };
    this.exchanges.push(seen);
    request.on('error', () => {});
    response.on('error', () => {});
    request.on('close', () => {
      seen.requestEnd = request.complete ? 'complete' : 'aborted';
    });
    response.on('close', () => {
      seen.answerEnd = response.writableFinished ? 'complete' : 'lost';
      seen.endedAt = instant();
    });
    const path = request.url!.split('?')[0]!;
    request.on('data', (chunk: Buffer) => {
      seen.receivedBytes += chunk.length;
    });
    if (path === '/upload') {
      request.on('end', () => response.end(JSON.stringify({ receivedBytes: seen.receivedBytes })));
    }
    (this.#pages[path] ?? echo)(request, response, seen);
  }

  // Ticks until the connection is gone: nothing here ever ends by itself.
  #tick(response: ServerResponse, headers: Record<string, string>): void {
    response.writeHead(200, headers);
    const isEvents = headers['Content-Type'] === 'text/event-stream';
    const send = () => {
      const tick = JSON.stringify({ tickAt: instant() });
      response.write(isEvents ? `data: ${tick}\n\n` : `${tick}\n`);
    };
    send();
    const timer = setInterval(send, this.#tickMs);
    response.on('close', () => clearInterval(timer));
  }

  // No head before the client gives up, or `?ms=` have passed.
  #answerSlowly(response: ServerResponse, seen: SeenRequest): void {
    const ms = Number(new URL(seen.target, 'http://app').searchParams.get('ms') ?? 60_000);
    const timer = setTimeout(() => response.end('slow'), ms);
    response.on('close', () => clearTimeout(timer));
  }

  #accept(request: IncomingMessage, webSocket: import('ws').WebSocket): void {
    const seen: SeenSocket = {
      ...facts(request),
      received: [],
      closeCode: undefined,
      closeReason: '',
      closedAt: 0,
      close: (code, reason) => webSocket.close(code, reason),
    };
    this.sockets.push(seen);
    const tick = () => webSocket.send(JSON.stringify({ tickAt: instant() }));
    tick();
    const timer = setInterval(tick, this.#tickMs);
    webSocket.on('error', () => {});
    webSocket.on('message', (data) => {
      seen.received.push(data.toString());
      webSocket.send(JSON.stringify({ echo: data.toString() }));
    });
    webSocket.on('close', (code, reason) => {
      clearInterval(timer);
      seen.closeCode = code;
      seen.closeReason = reason.toString();
      seen.closedAt = instant();
    });
  }
}

/** `?header=Name: value`, as often as it comes: what else the answer of `/echo` or to a handshake says. */
function askedHeaders(request: IncomingMessage): string[] {
  return new URL(request.url!, 'http://app').searchParams.getAll('header');
}

function facts(request: IncomingMessage): SeenRequest {
  return {
    method: request.method!,
    target: request.url!,
    rawHeaders: request.rawHeaders,
    headers: request.headers,
    at: instant(),
  };
}

// What arrived, as JSON: method, target and headers as they came, and the body by length and SHA-256.
function echo(request: IncomingMessage, response: ServerResponse, seen: SeenExchange): void {
  const hash = createHash('sha256');
  request.on('data', (chunk: Buffer) => hash.update(chunk));
  request.on('end', () => {
    const { method, target, rawHeaders, receivedBytes } = seen;
    response.setHeader('Content-Type', 'application/json');
    for (const header of askedHeaders(request)) {
      const colon = header.indexOf(':');
      response.appendHeader(header.slice(0, colon), header.slice(colon + 1).trim());
    }
    response.end(
      JSON.stringify({ method, target, rawHeaders, body: { bytes: receivedBytes, sha256: hash.digest('hex') } }),
    );
  });
}
