// Between a gate and its store: a connection that can be cut, held up and let through again.

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class FaultProxy {
  readonly #server: Server;
  readonly #pairs = new Set<[Socket, Socket]>();
  #isOpen = true;
  #isHeld = false;
  #trap: string | undefined;

  private constructor(target: number) {
    this.#server = createServer((client) => {
      if (!this.#isOpen) {
        client.destroy();
        return;
      }
      const server = connect(target, '127.0.0.1');
      const pair: [Socket, Socket] = [client, server];
      this.#pairs.add(pair);
      for (const [from, to] of [pair, pair.toReversed() as [Socket, Socket]]) {
        from.on('data', (chunk: Buffer) => {
          to.write(chunk);
          if (from === server && this.#trap !== undefined && chunk.includes(this.#trap)) this.hold();
        });
        if (this.#isHeld) from.pause();
      }
      for (const socket of pair) {
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#pairs.delete(pair);
          for (const other of pair) other.destroy();
        });
      }
    });
  }

  static async start(target: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Every connection breaks, and none is accepted until `restore`. */
  cut(): void {
    this.#isOpen = false;
    this.drop();
  }

  /** Every connection breaks, as idle ones do behind a firewall; new ones are made. */
  drop(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  /** Nothing passes in either direction until `release`; both ends believe that the other is slow. */
  hold(): void {
    this.#isHeld = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  /** Holds as soon as the server has sent this text, which still passes. */
  holdAfter(text: string): void {
    this.#trap = text;
  }

  release(): void {
    this.#trap = undefined;
    this.#isHeld = false;
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  restore(): void {
    this.#isOpen = true;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}
