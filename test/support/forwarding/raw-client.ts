// A client on a bare TCP socket: it sends exactly the bytes a test gives it and tells how the connection ended.

import { connect, type Socket } from 'node:net';

export class RawClient {
  readonly socket: Socket;
  received = '';
  ended = false;
  closed = false;
  error: (Error & { code?: string }) | undefined;
  #waiting: (() => void)[] = [];

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.socket.on('data', (chunk) => this.#note(() => (this.received += chunk.toString('latin1'))));
    this.socket.on('end', () => this.#note(() => (this.ended = true)));
    this.socket.on('error', (error) => this.#note(() => (this.error = error)));
    this.socket.on('close', () => this.#note(() => (this.closed = true)));
  }

  send(text: string | Buffer): this {
    if (typeof text === 'string') this.socket.write(text, 'latin1');
    else this.socket.write(text);
    return this;
  }

  async until(condition: (client: this) => boolean): Promise<this> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this;
  }

  untilText(text: string): Promise<this> {
    return this.until(({ received }) => received.includes(text));
  }

  /** The peer is done: FIN or reset. Closes this side too. */
  async untilOver(): Promise<this> {
    await this.until(({ ended, closed }) => ended || closed);
    this.socket.destroy();
    return this;
  }

  /** How the peer ended the connection; call it after `untilOver`. */
  get wasReset(): boolean {
    return this.error?.code === 'ECONNRESET';
  }

  get head(): string {
    return this.received.slice(0, this.received.indexOf('\r\n\r\n') + 4);
  }

  get body(): string {
    return this.received.slice(this.head.length);
  }

  destroy(): void {
    this.socket.destroy();
  }

  #note(change: () => unknown): void {
    change();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
