// An HTTP server on a loopback port whose answers a test can hold back, change, drop and count. It can go away and come
// back on the same port.

import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface Received {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[]>;
  /** A stream is sent as it comes: for endless and slow bodies. */
  readonly body: string | Buffer | AsyncIterable<string | Buffer>;
}

export type Mutate = (answer: Answer, request: Received) => Answer | Promise<Answer>;

/** One request that waits. */
export interface Hold {
  /** Resolves when the request is here; with `at: 'answer'` (the default) its answer is ready, and only not sent. */
  readonly arrived: Promise<Received>;
  release(): void;
  /** Breaks the connection instead of answering. */
  drop(): void;
}

interface Waiting {
  readonly path: string;
  readonly at: 'request' | 'answer';
  readonly arrive: (request: Received) => void;
  readonly verdict: Promise<'release' | 'drop'>;
}

export class HookedServer {
  readonly #answer: (request: Received) => Promise<Answer>;
  readonly #received: Received[] = [];
  readonly #mutations = new Map<string, Mutate>();
  readonly #waiting: Waiting[] = [];
  #server: Server | undefined;
  #port = 0;
  readonly #tls: ServerOptions | undefined;

  /** @param tls for https, as `localhost` */
  constructor(answer: (request: Received) => Promise<Answer>, tls?: ServerOptions) {
    this.#answer = answer;
    this.#tls = tls;
  }

  get origin(): string {
    return this.#tls === undefined ? `http://127.0.0.1:${this.#port}` : `https://localhost:${this.#port}`;
  }

  /** Listens; on the port it had, if it had one. */
  async start(): Promise<void> {
    const serve = (req: IncomingMessage, res: ServerResponse) => {
      this.#serve(req, res).catch(() => res.destroy());
    };
    const server = this.#tls === undefined ? createServer(serve) : createSecureServer(this.#tls, serve);
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Closes the port and every connection: connecting is refused until start() is called again. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  /** Every request to this path so far, held and refused ones included. */
  received(path: string): readonly Received[] {
    return this.#received.filter((each) => each.path === path);
  }

  /** How many requests came to this path. */
  count(path: string): number {
    return this.received(path).length;
  }

  /** Changes every answer of this path until the returned function is called; a second mutation replaces the first. */
  mutate(path: string, mutate: Mutate): () => void {
    this.#mutations.set(path, mutate);
    return () => {
      if (this.#mutations.get(path) === mutate) this.#mutations.delete(path);
    };
  }

  /** Holds the next request to this path: before it has any effect (`request`) or with its answer ready (`answer`). */
  hold(path: string, at: 'request' | 'answer' = 'answer'): Hold {
    const arrived = Promise.withResolvers<Received>();
    const verdict = Promise.withResolvers<'release' | 'drop'>();
    this.#waiting.push({ path, at, arrive: arrived.resolve, verdict: verdict.promise });
    return { arrived: arrived.promise, release: () => verdict.resolve('release'), drop: () => verdict.resolve('drop') };
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk);
    const url = new URL(req.url ?? '/', this.origin);
    const request: Received = {
      method: req.method ?? 'GET',
      path: url.pathname,
      url,
      headers: req.headers,
      body: Buffer.concat(chunks).toString(),
    };
    this.#received.push(request);
    const found = this.#waiting.findIndex((each) => each.path === request.path);
    const hold = found < 0 ? undefined : this.#waiting.splice(found, 1)[0];
    if (hold?.at === 'request' && (await wait(hold, request)) === 'drop') return void res.destroy();
    let answer = await this.#answer(request);
    const mutate = this.#mutations.get(request.path);
    if (mutate) answer = await mutate(answer, request);
    if (hold?.at === 'answer' && (await wait(hold, request)) === 'drop') return void res.destroy();
    await send(res, answer);
  }
}

function wait(hold: Waiting, request: Received): Promise<'release' | 'drop'> {
  hold.arrive(request);
  return hold.verdict;
}

async function send(res: ServerResponse, { status, headers, body }: Answer): Promise<void> {
  const gone = new Set(['content-length', 'transfer-encoding', 'connection', 'keep-alive', 'date']);
  for (const [name, value] of Object.entries(headers)) if (!gone.has(name.toLowerCase())) res.setHeader(name, value);
  res.writeHead(status);
  if (typeof body === 'string' || Buffer.isBuffer(body)) return void res.end(body);
  res.flushHeaders();
  // Whoever asked may go away in the middle; that is what such bodies are for.
  await pipeline(Readable.from(body), res).catch(() => {});
}

/** The same answer with another JSON body. */
export function withJson(answer: Answer, body: unknown): Answer {
  return { ...answer, headers: { ...answer.headers, 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** An answer's JSON. */
export function jsonOf(answer: Answer): Record<string, unknown> {
  return JSON.parse(String(answer.body)) as Record<string, unknown>;
}
