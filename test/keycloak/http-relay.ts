// Stands between two servers of a test: hands every request on as it is, records the instants, and can hold answers back.
// Between Keycloak and the gate it times logout notices; between the gate and Keycloak it stretches a token request.

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { instant } from '../support/instant.ts';

export interface RelayedExchange {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly rawHeaders: readonly string[];
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

interface Held {
  readonly matches: (exchange: RelayedExchange) => boolean;
  readonly first: PromiseWithResolvers<RelayedExchange>;
  readonly gate: PromiseWithResolvers<void>;
}

export class HttpRelay {
  readonly exchanges: RelayedExchange[] = [];
  readonly #server = createServer((incoming, outgoing) => void this.#relay(incoming, outgoing));
  readonly #target: URL;
  #port = 0;
  #held: Held | undefined;
  #waiting: (() => void)[] = [];

  /** Everything it receives goes to the server of `target`, at the same path. */
  constructor(target: string) {
    this.#target = new URL(target);
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  /** Its address with the path of `target`. */
  get url(): string {
    return this.urlOf(this.#target.pathname);
  }

  /** Its address with another path of the same server. */
  urlOf(path: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  /** The first exchange that `matches`, once its answer is here; waits for it. */
  async answered(matches: (exchange: RelayedExchange) => boolean): Promise<RelayedExchange> {
    for (;;) {
      const found = this.exchanges.find((exchange) => exchange.answeredAt > 0 && matches(exchange));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** From now on answers wait here, those of the requests that `matches`. */
  hold(matches: (exchange: RelayedExchange) => boolean = () => true): HeldAnswers {
    const held = { matches, first: Promise.withResolvers<RelayedExchange>(), gate: Promise.withResolvers<void>() };
    this.#held = held;
    const release = () => {
      this.#held = undefined;
      held.gate.resolve();
    };
    return { first: held.first.promise, release };
  }

  /** From now on connecting is refused, as with a server that is down. */
  async goDown(): Promise<void> {
    this.#port = (this.#server.address() as AddressInfo).port;
    await this.close();
  }

  /** On the port it had. */
  async comeBack(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #relay(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await textOf(incoming);
    const { method = '', url: path = '', rawHeaders } = incoming;
    const times = { receivedAt: instant(), answeredAt: 0 };
    const exchange: RelayedExchange = { method, path, rawHeaders, body, ...times, status: 0, answer: '' };
    this.exchanges.push(exchange);
    const headers = { ...incoming.headers, host: this.#target.host, 'content-length': String(Buffer.byteLength(body)) };
    const forwarded = request(new URL(path, this.#target), { method, headers });
    forwarded.on('error', () => outgoing.destroy());
    forwarded.on('response', async (answer) => {
      exchange.answer = await textOf(answer);
      exchange.answeredAt = instant();
      exchange.status = answer.statusCode!;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const resolve of waiting) resolve();
      if (this.#held?.matches(exchange)) {
        this.#held.first.resolve(exchange);
        await this.#held.gate.promise;
      }
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
