// Forwards an admitted WebSocket handshake (RFC 6455 section 4) and turns it into a tunnel. Nothing of the client but the
// head of its request reaches the upstream before the upstream has said 101.

import { type ClientRequest, type IncomingMessage, type ServerResponse, request as sendRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { LiveConnection } from './connection-registry.ts';
import { type Farewell, SESSION_ENDED } from './farewell.ts';
import { type ForwardFailure, forwardFailure } from './forward-failure.ts';
import type { ForwardOptions } from './forward-options.ts';
import { relayAnswer } from './relay-answer.ts';
import type { ResponseHead } from './response-headers.ts';
import { Tunnel } from './tunnel.ts';
import type { Upstream } from './upstream.ts';
import { acceptsWebSocket, webSocketKey } from './websocket-accept.ts';

/** What arrived with the handshake. */
export interface ClientHandshake {
  readonly socket: Duplex;
  /** Bytes that the client sent behind its head. */
  readonly head: Buffer;
  /** Bound to the socket; answers where no tunnel comes about, and closes. */
  readonly response: ServerResponse;
}

export interface ForwardWebSocketOptions extends ForwardOptions {
  /** Without a byte in either direction; 0: no limit. */
  readonly websocketIdleMs: number;
  /** What `onActivity` does, as a function that keeps nothing of the handshake: tunnels live for days. */
  tunnelActivity(): () => void;
}

/** Early frames are kept up to this; then the client has to wait. */
const MAX_EARLY_BYTES = 64 * 1024;
const MAX_INTERIM = 32;
const UNANSWERED: ForwardFailure = { code: 'upstream_timeout', why: 'no answer to the handshake' };
/** A client that does not take its 401 is cut after this. */
const FAREWELL_MS = 1_000;

/**
 * Takes over the handshake; call it in the tick of the decision. Never throws; every outcome reaches the options:
 * `onFinished(101)` when the tunnel is open, and from then on only `onActivity`.
 */
export function forwardWebSocket(
  request: IncomingMessage,
  client: ClientHandshake,
  options: ForwardWebSocketOptions,
): void {
  new HandshakeUnderWay(request, client, options).begin();
}

class HandshakeUnderWay implements LiveConnection {
  readonly kind = 'websocket';
  readonly tag: unknown;
  readonly #request: IncomingMessage;
  readonly #client: ClientHandshake;
  readonly #options: ForwardWebSocketOptions;
  readonly #early: Buffer[] = [];
  #earlyBytes = 0;
  #upstream: Upstream;
  #upstreamRequest: ClientRequest | undefined;
  #timer: NodeJS.Timeout | undefined;
  #interim = 0;
  #settled = false;
  #left = false;

  constructor(request: IncomingMessage, client: ClientHandshake, options: ForwardWebSocketOptions) {
    this.#request = request;
    this.#client = client;
    this.#options = options;
    this.#upstream = options.upstream;
    this.tag = options.tag;
  }

  hasBacklog(): boolean {
    return this.#client.socket.writableLength > 0;
  }

  begin(): void {
    const { socket, head } = this.#client;
    this.#options.owner?.add(this);
    socket.on('close', this.#onClientClose).on('error', ignore);
    const key = webSocketKey(this.#options.headers);
    if (socket.destroyed) this.#onClientClose();
    // It left while the decision waited: nobody heard its end, and it comes only once.
    else if (socket.readableEnded) socket.destroy();
    else if (this.#options.owner?.stopped) this.cut(this.#options.owner?.farewell);
    else if (key === undefined) this.#refuseKey();
    else {
      if (head.length > 0) this.#onEarly(head);
      socket.on('data', this.#onEarly).on('end', this.#onClientEnd);
      this.#send(key);
    }
  }

  cut(farewell: Farewell = SESSION_ENDED): void {
    if (this.#settled) {
      // An answer that is no 101 is on its way to the client.
      if (!this.#left) this.#client.socket.destroy();
      return;
    }
    this.#settle();
    this.#options.onEnded(this.#request, this.#client.response, farewell);
    setTimeout(() => this.#client.socket.destroy(), FAREWELL_MS).unref();
  }

  #send(key: string): void {
    const { target, headers } = this.#options;
    const upstream = this.#upstream;
    try {
      const sent = sendRequest({
        method: 'GET',
        path: target,
        headers: [...headers, 'Connection', 'Upgrade', 'Upgrade', 'websocket'],
        setHost: false,
        createConnection: () => upstream.connect(),
      });
      this.#upstreamRequest = sent;
      sent.maxHeadersCount = 0;
      let isConnected = false;
      const onFailure = (failure: ForwardFailure) => {
        // It has gone elsewhere.
        if (sent !== this.#upstreamRequest) return;
        if (isConnected) this.#fail(failure);
        else this.#failUnsent(key, failure);
      };
      this.#limit(upstream.timeouts.connectMs, () => onFailure({ code: 'upstream_timeout', why: 'no connection' }));
      sent.on('socket', (socket) => {
        const connected = () => {
          isConnected = true;
          // The client may have gone while the connection was being made: nothing may begin for it any more.
          if (this.#settled) socket.destroy();
          else this.#limit(upstream.timeouts.responseHeadMs, () => onFailure(UNANSWERED));
        };
        socket.once((socket as TLSSocket).encrypted ? 'secureConnect' : 'connect', connected);
      });
      sent.on('information', () => {
        if (++this.#interim > MAX_INTERIM) this.#fail({ code: 'upstream_invalid', why: 'too many interim responses' });
      });
      sent.on('error', (error) => onFailure(forwardFailure(error)));
      sent.on('response', (answer) => this.#onAnswer(answer));
      sent.on('upgrade', (answer, socket, head) => this.#onUpgrade(key, answer, { socket, head }));
      sent.end();
    } catch (error) {
      this.#fail(forwardFailure(error));
    }
  }

  #limit(ms: number, onOver: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(onOver, ms);
  }

  /** No connection could be made. */
  #failUnsent(key: string, failure: ForwardFailure): void {
    const isWanted = !this.#settled && !this.#options.owner?.stopped;
    const other = isWanted ? this.#options.detour?.elsewhere(this.#upstream) : undefined;
    if (other === undefined) return this.#fail({ ...failure, unsent: true });
    this.#upstreamRequest?.destroy();
    this.#upstream = other;
    this.#send(key);
  }

  #onUpgrade(key: string, answer: IncomingMessage, upstream: { socket: Duplex; head: Buffer }): void {
    upstream.socket.on('error', ignore);
    if (this.#settled || this.#options.owner?.stopped) {
      upstream.socket.destroy();
      this.cut(this.#options.owner?.farewell);
      return;
    }
    if (!acceptsWebSocket(answer.rawHeaders, key)) {
      upstream.socket.destroy();
      this.#fail({ code: 'upstream_invalid', why: 'a 101 that does not answer the handshake' });
      return;
    }
    const head = this.#options.response.build(answer.rawHeaders);
    if (head.kind === 'refused') {
      upstream.socket.destroy();
      this.#fail({ code: head.code, why: head.why });
      return;
    }
    this.#keepCookies(head);
    this.#open(switchingProtocols(head.headers), upstream);
  }

  #open(head: string, upstream: { socket: Duplex; head: Buffer }): void {
    const { socket, response } = this.#client;
    const { owner, websocketIdleMs } = this.#options;
    this.#settled = true;
    clearTimeout(this.#timer);
    socket.off('data', this.#onEarly).off('end', this.#onClientEnd).off('close', this.#onClientClose).pause();
    response.detachSocket(socket as never);
    socket.write(head, 'latin1');
    const tunnel = new Tunnel(socket, upstream.socket, {
      owner,
      tag: this.tag,
      idleMs: websocketIdleMs,
      onActivity: this.#options.tunnelActivity(),
    });
    this.#leave();
    tunnel.start(this.#early, upstream.head);
    this.#options.onFinished(101);
  }

  #onAnswer(answer: IncomingMessage): void {
    if (this.#settled) {
      answer.destroy();
      return;
    }
    const head = this.#options.response.build(answer.rawHeaders);
    if (head.kind === 'refused') {
      this.#fail({ code: head.code, why: head.why });
      return;
    }
    this.#settled = true;
    clearTimeout(this.#timer);
    this.#dropClientBytes();
    this.#keepCookies(head);
    relayAnswer(answer, this.#client.response, { head, isStopped: () => this.#options.owner?.stopped ?? false });
  }

  /** Without waiting for it: what comes next on this connection carries no cookies. */
  #keepCookies({ setCookies }: ResponseHead): void {
    if (setCookies !== undefined) void this.#options.watcher?.keepCookies(setCookies)?.catch(ignore);
  }

  #fail(failure: ForwardFailure): void {
    if (this.#settled) return;
    this.#settle();
    this.#options.onFailure(failure);
  }

  #refuseKey(): void {
    this.#settle();
    this.#client.response.writeHead(400, { Connection: 'close', 'Content-Length': 0 }).end();
  }

  #settle(): void {
    this.#settled = true;
    clearTimeout(this.#timer);
    this.#upstreamRequest?.destroy();
    this.#dropClientBytes();
  }

  /** They are read all the same, so that the client's end is heard. */
  #dropClientBytes(): void {
    this.#early.length = 0;
    this.#client.socket.off('data', this.#onEarly).resume();
  }

  readonly #onEarly = (chunk: Buffer): void => {
    this.#early.push(chunk);
    this.#earlyBytes += chunk.length;
    if (this.#earlyBytes > MAX_EARLY_BYTES) this.#client.socket.pause();
  };

  readonly #onClientEnd = (): void => {
    if (!this.#settled) this.#client.socket.destroy();
  };

  readonly #onClientClose = (): void => {
    const { response } = this.#client;
    if (!this.#settled) this.#settle();
    this.#upstreamRequest?.destroy();
    if (!this.#left) this.#options.onFinished(response.headersSent ? response.statusCode : 499);
    this.#leave();
  };

  #leave(): void {
    this.#left = true;
    this.#options.owner?.delete(this);
  }
}

function switchingProtocols(headers: readonly string[]): string {
  let head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${head}\r\n`;
}

function ignore(): void {}
