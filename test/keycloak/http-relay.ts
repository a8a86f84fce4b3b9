// Stands between two servers of a test: hands every request on as it is, records the instants, and can hold answers back.
// Between Keycloak and the gate it times logout notices; between the gate and Keycloak it stretches a token request.

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { instant } from '../support/instant.ts';

export interface RelayedExchange {
  readonly body: string;
  readonly receivedAt: number;
  /** When the last byte of the answer was here; 0 until then. */
  answeredAt: number;
  status: number;
  answer: string;
}

export interface HeldAnswers {
  /** Settles when the first answer is here and not yet handed on. */
  readonly first: Promise<RelayedExchange>;
  /** Hands on what was held and everything after it. */
  release(): void;
}

export class HttpRelay {
  readonly exchanges: RelayedExchange[] = [];
  readonly #server = createServer((incoming, outgoing) => void this.#relay(incoming, outgoing));
  readonly #target: URL;
  #held: { first: PromiseWithResolvers<RelayedExchange>; gate: PromiseWithResolvers<void> } | undefined;
  #waiting: (() => void)[] = [];

  /** Everything it receives goes to the one URL `target`. */
  constructor(target: string) {
    this.#target = new URL(target);
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${this.#target.pathname}`;
  }

  /** The first exchange that `matches`, once its answer is here; waits for it. */
  async answered(matches: (exchange: RelayedExchange) => boolean): Promise<RelayedExchange> {
    for (;;) {
      const found = this.exchanges.find((exchange) => exchange.answeredAt > 0 && matches(exchange));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** From now on answers wait here. */
  hold(): HeldAnswers {
    const held = { first: Promise.withResolvers<RelayedExchange>(), gate: Promise.withResolvers<void>() };
    this.#held = held;
    const release = () => {
      this.#held = undefined;
      held.gate.resolve();
    };
    return { first: held.first.promise, release };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #relay(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await textOf(incoming);
    const exchange: RelayedExchange = { body, receivedAt: instant(), answeredAt: 0, status: 0, answer: '' };
    this.exchanges.push(exchange);
    const headers = { ...incoming.headers, host: this.#target.host, 'content-length': String(Buffer.byteLength(body)) };
    const forwarded = request(this.#target, { method: incoming.method!, headers });
    forwarded.on('error', () => outgoing.destroy());
    forwarded.on('response', async (answer) => {
      exchange.answer = await textOf(answer);
      exchange.answeredAt = instant();
      exchange.status = answer.statusCode!;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const resolve of waiting) resolve();
      this.#held?.first.resolve(exchange);
      await this.#held?.gate.promise;
      outgoing.writeHead(exchange.status, { 'Content-Type': answer.headers['content-type'] ?? 'text/plain' });
      outgoing.end(exchange.answer);
    });
    forwarded.end(body);
  }
}

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
