// Between a gate and its store: a connection that can be cut, held up and let through again.

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export class FaultProxy {
  readonly #server: Server;
  readonly #pairs = new Set<[Socket, Socket]>();
  #isOpen = true;
  #isHeld = false;
  #trap: string | undefined;
  #lastWords: string | undefined;
  readonly #broken = new WeakSet<[Socket, Socket]>();
  #bytesPerMs: number | undefined;
  #link: Promise<unknown> = Promise.resolve();

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
          if (this.#bytesPerMs !== undefined && from === client) {
            void this.#slowly(from, to, chunk);
            return;
          }
          if (from === client && this.#lastWords !== undefined && chunk.includes(this.#lastWords)) this.#break(pair);
          if (from === server && this.#broken.has(pair)) return;
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

  /** One link for all connections to the server: a chunk at a time, and each connection has one under way at most. */
  async #slowly(from: Socket, to: Socket, chunk: Buffer): Promise<void> {
    from.pause();
    const turn = this.#link.then(() => sleep(chunk.length / this.#bytesPerMs!));
    this.#link = turn;
    await turn;
    to.write(chunk);
    if (!this.#isHeld) from.resume();
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

  /** Breaks the connection that sends the server this text: the server has it and its answer goes nowhere. Once. */
  breakAfter(text: string): void {
    this.#lastWords = text;
  }

  #break(pair: [Socket, Socket]): void {
    this.#lastWords = undefined;
    this.#broken.add(pair);
    // What was sent with it still comes there.
    setTimeout(() => pair[0].destroy(), 50);
  }

  release(): void {
    this.#trap = undefined;
    this.#isHeld = false;
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  /** From now on all connections together send no more to the server than a link of so many megabits per second lets through. */
  slowTo(megabitsPerSecond: number): void {
    this.#bytesPerMs = megabitsPerSecond * 125;
  }

  restore(): void {
    this.#isOpen = true;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}
