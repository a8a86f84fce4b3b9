// One WebSocket as its client sees it: what came, when, and how it was closed.

import type { IncomingMessage } from 'node:http';
import type WebSocket from 'ws';
import { instant } from './instant.ts';

export interface SocketClose {
  /** 1006 where the connection broke without a closing handshake. */
  readonly code: number;
  readonly reason: string;
  readonly at: number;
}

export class LiveSocket {
  /** Settles when the handshake is done; rejects with `SocketRefused` where it was answered by another status. */
  readonly opened: Promise<void>;
  /** Settles when the connection is gone; never rejects. */
  readonly closed: Promise<SocketClose>;
  readonly messages: string[] = [];
  /** Instant of the last message. */
  lastMessageAt = 0;
  isClosed = false;
  readonly #socket: WebSocket;
  #waiting: (() => void)[] = [];

  constructor(socket: WebSocket) {
    this.#socket = socket;
    const { promise: opened, resolve, reject } = Promise.withResolvers<void>();
    const { promise: closed, resolve: resolveClosed } = Promise.withResolvers<SocketClose>();
    this.opened = opened;
    this.closed = closed;
    opened.catch(() => {});
    socket.on('open', resolve);
    socket.on('unexpected-response', (request, response) => {
      reject(new SocketRefused(response.statusCode!, response.headers));
      response.resume();
      request.destroy();
    });
    socket.on('error', reject);
    socket.on('message', (data) => {
      this.lastMessageAt = instant();
      this.messages.push(data.toString());
      this.#wake();
    });
    socket.on('close', (code, reason) => {
      this.isClosed = true;
      resolveClosed({ code, reason: reason.toString(), at: instant() });
      this.#wake();
    });
  }

  /** Hears the head of the 101. */
  onUpgrade(hear: (response: IncomingMessage) => void): void {
    this.#socket.on('upgrade', hear);
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  /** The ticks of the legacy app that arrived: the instants at which the app made them. */
  ticks(): number[] {
    return this.messages.flatMap((message) => /^\{"tickAt":([\d.]+)/.exec(message)?.[1] ?? []).map(Number);
  }

  /** The first message, of those that have come or will, that contains `text`; undefined when it closed before. */
  async message(text: string): Promise<string | undefined> {
    for (;;) {
      const found = this.messages.find((message) => message.includes(text));
      if (found !== undefined || this.isClosed) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Stops reading from the network: what the peer sends queues up on its side. */
  pause(): void {
    this.#socket.pause();
  }

  close(): void {
    this.#socket.close();
  }

  abort(): void {
    this.#socket.terminate();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** A handshake that was answered, but not by 101. */
export class SocketRefused extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;

  constructor(status: number, headers: Readonly<Record<string, string | string[] | undefined>>) {
    super(`the WebSocket handshake was answered by ${status}`);
    this.status = status;
    this.headers = headers;
  }
}
