// An upstream on a bare TCP socket: it records every byte that arrives and answers with exactly the bytes a test gives it.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';

/** One connection that the gate opened to the upstream. */
export class UpstreamConnection {
  readonly socket: Socket;
  received = '';
  ended = false;
  closed = false;
  /** The peer reset the connection, where it did. */
  error: Error | undefined;
  #waiting: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => this.#note(() => (this.received += chunk.toString('latin1'))));
    socket.on('end', () => this.#note(() => (this.ended = true)));
    socket.on('error', (error) => this.#note(() => (this.error = error)));
    socket.on('close', () => this.#note(() => (this.closed = true)));
  }

  /** The head of the first request. */
  get head(): string {
    return this.received.slice(0, this.received.indexOf('\r\n\r\n') + 4);
  }

  /** What came behind the first head. */
  get body(): string {
    return this.received.slice(this.head.length);
  }

  async until(condition: (connection: this) => boolean): Promise<this> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this;
  }

  untilHead(): Promise<this> {
    return this.until(({ received }) => received.includes('\r\n\r\n'));
  }

  write(text: string): void {
    this.socket.write(text, 'latin1');
  }

  #note(change: () => unknown): void {
    change();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

export class RecordingUpstream {
  readonly server: Server;
  readonly connections: UpstreamConnection[] = [];
  #waiting: (() => void)[] = [];

  constructor(answer?: (connection: UpstreamConnection) => void) {
    this.server = createServer({ allowHalfOpen: true }, (socket) => {
      const connection = new UpstreamConnection(socket);
      this.connections.push(connection);
      for (const resolve of this.#waiting.splice(0)) resolve();
      answer?.(connection);
    });
  }

  async listen(): Promise<URL> {
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    return new URL(`http://127.0.0.1:${(this.server.address() as AddressInfo).port}`);
  }

  /** The connection with this number, once it is there. */
  async connection(index = 0): Promise<UpstreamConnection> {
    while (this.connections.length <= index) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.connections[index]!;
  }

  async close(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

/** Answers each request head with `text`, at once. */
export function answering(text: string): (connection: UpstreamConnection) => void {
  return (connection) => {
    let answered = 0;
    connection.socket.on('data', () => {
      const heads = connection.received.split('\r\n\r\n').length - 1;
      for (; answered < heads; answered++) connection.write(text);
    });
  };
}
