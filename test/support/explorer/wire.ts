// The network of an explored world: sockets that deliver at once and in memory, requests as node:http would hand them over,
// and an upstream that answers when the schedule says so.

import { IncomingMessage, ServerResponse } from 'node:http';
import { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { CarriedHandler } from '../../../src/proxy/carrier-client.ts';
import { Upstream } from '../../../src/proxy/upstream.ts';
import type { Turns } from './turns.ts';

/** Who an admitted request was admitted as, as the upstream is told. */
export interface AdmittedAs {
  readonly handle: string;
  readonly id: string;
}

/** The identity header of explored worlds: `handle id`. */
export const SESSION_HEADER = 'x-session';

// The sample of RFC 6455 section 1.3.
const HANDSHAKE = ['Upgrade', 'websocket', 'Connection', 'Upgrade', 'Sec-WebSocket-Version', '13'].concat([
  'Sec-WebSocket-Key',
  'dGhlIHNhbXBsZSBub25jZQ==',
]);
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const TEXT_FROM_UPSTREAM = Buffer.from([0x81, 1, 0x61]);
const TEXT_FROM_CLIENT = Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61]);
const CLOSE_FROM_UPSTREAM = Buffer.from([0x88, 0]);
const CLOSE_FROM_CLIENT = Buffer.from([0x88, 0x80, 0, 0, 0, 0]);
const CLOSE = 0x88;

/** The gate's end of a TCP connection; what the gate writes is at the other end in the same tick. */
class Wire extends Duplex {
  readonly remoteAddress = '192.0.2.1';
  readonly #received: (chunk: Buffer) => void;

  constructor(received: (chunk: Buffer) => void) {
    super({ allowHalfOpen: true });
    this.#received = received;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#received(chunk);
    done();
  }

  setTimeout(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  destroySoon(): void {
    this.destroy();
  }
}

/** Hears of everything that leaves the gate for one admitted connection. */
export interface Observer {
  forwarded(as: AdmittedAs, what: string): void;
}

export interface NetworkOptions {
  readonly turns: Turns;
  readonly observer: Observer;
  readonly doors: {
    readonly request: (request: IncomingMessage, response: ServerResponse) => void;
    readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  };
}

/** One client's connection: one request, or one WebSocket. */
export class ClientConnection {
  /** Everything that the gate sent, as text. */
  received = '';
  /** Known once something of it has been admitted. */
  admittedAs: AdmittedAs | undefined;
  readonly network: Network;
  readonly socket: Wire;

  constructor(network: Network) {
    this.network = network;
    this.socket = new Wire((chunk) => this.#onBytes(chunk));
    this.socket.on('error', () => {});
  }

  /** The status that the gate has sent; 0 before it has. */
  get status(): number {
    return Number(/^HTTP\/1\.1 (\d+)/.exec(this.received)?.[1] ?? 0);
  }

  get isClosed(): boolean {
    return this.socket.closed;
  }

  #onBytes(chunk: Buffer): void {
    const text = chunk.toString('latin1');
    this.received += text;
    if (chunk[0] === CLOSE) this.socket.push(CLOSE_FROM_CLIENT);
    else if (this.admittedAs !== undefined && this.status !== 401)
      this.network.options.observer.forwarded(this.admittedAs, `${chunk.length} bytes to the client`);
  }
}

/** All connections of one world. */
export class Network {
  readonly options: NetworkOptions;
  readonly clients: ClientConnection[] = [];
  readonly upstream: Upstream;
  readonly #tunnels: Wire[] = [];

  constructor(options: NetworkOptions) {
    this.options = options;
    this.upstream = new ExploredUpstream(this);
  }

  /** Sends a request on a connection of its own. */
  request(kind: 'http' | 'websocket', cookie: string): ClientConnection {
    const client = new ClientConnection(this);
    const { socket } = client;
    const request = new IncomingMessage(socket as never);
    request.method = 'GET';
    request.url = `/${this.clients.push(client) - 1}`;
    request.httpVersion = '1.1';
    request.httpVersionMajor = request.httpVersionMinor = 1;
    request.rawHeaders = ['Host', 'wiki.example.com', 'Cookie', `portcullis=${cookie}`];
    request.complete = true;
    if (kind === 'http') this.options.doors.request(request, this.#responseTo(request, socket));
    else {
      request.rawHeaders.push(...HANDSHAKE);
      this.options.doors.upgrade(request, socket, Buffer.alloc(0));
    }
    return client;
  }

  #responseTo(request: IncomingMessage, socket: Wire): ServerResponse {
    const response = new ServerResponse(request);
    response.assignSocket(socket as never);
    response.once('finish', () => process.nextTick(() => socket.destroy()));
    return response;
  }

  /** Notes that the upstream has been asked, on behalf of whom. */
  reached(path: string, as: string): ClientConnection {
    const [handle = '', id = ''] = as.split(' ');
    const client = this.clients[Number(path.slice(1))]!;
    client.admittedAs = { handle, id };
    this.reads(client);
    this.options.observer.forwarded(client.admittedAs, 'a request to the upstream');
    return client;
  }

  /** What goes on for a client depends on whether its owner has stopped. */
  reads({ admittedAs }: ClientConnection): void {
    this.options.turns.reads('connections', admittedAs!.handle);
  }

  /** The upstream's end of a WebSocket. */
  openTunnel(): Wire {
    let client: ClientConnection | undefined;
    const wire: Wire = new Wire((chunk) => {
      if (client === undefined) {
        client = this.reached(...readHandshake(chunk));
        void this.#acceptTunnel(client, wire);
      } else if (chunk[0] === CLOSE) wire.push(CLOSE_FROM_UPSTREAM);
      else this.options.observer.forwarded(client.admittedAs!, `${chunk.length} bytes to the upstream`);
    });
    this.#tunnels.push(wire);
    return wire;
  }

  async #acceptTunnel(client: ClientConnection, wire: Wire): Promise<void> {
    const { turns } = this.options;
    const { socket } = client;
    await turns.wait('the upstream accepts the WebSocket');
    this.reads(client);
    if (wire.destroyed) return;
    wire.push(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`,
    );
    await turns.wait('both sides send a frame');
    this.reads(client);
    if (!wire.destroyed) wire.push(TEXT_FROM_UPSTREAM);
    if (!socket.destroyed) socket.push(TEXT_FROM_CLIENT);
  }

  /** Breaks off what is left. */
  close(): void {
    for (const { socket } of this.clients) socket.destroy();
    for (const wire of this.#tunnels) wire.destroy();
  }
}

const PASSED = ['content-type', 'text/plain', 'transfer-encoding', 'chunked'].map((text) => Buffer.from(text));

/** An application that answers each request in two pieces. */
class ExploredUpstream extends Upstream {
  readonly #network: Network;

  constructor(network: Network) {
    super({
      origin: new URL('http://app.example.com'),
      timeouts: { connectMs: 10_000, responseHeadMs: 10_000, idleMs: 0 },
    });
    this.#network = network;
  }

  override dispatch({ path, headers }: Dispatcher.DispatchOptions, handler: CarriedHandler): void {
    const flat = headers as string[];
    const client = this.#network.reached(path, flat[flat.indexOf(SESSION_HEADER) + 1]!);
    void this.#answer(client, handler);
  }

  override release(): void {}

  override connect(): never {
    return this.#network.openTunnel() as never;
  }

  async #answer(client: ClientConnection, handler: CarriedHandler): Promise<void> {
    const { turns } = this.#network.options;
    let aborted = false;
    const abort = () => {
      aborted = true;
    };
    const controller = { abort, pause() {}, resume() {}, rawHeaders: PASSED } as never;
    handler.onRequestStart?.(controller, {});
    await turns.wait('the upstream answers');
    this.#network.reads(client);
    if (aborted) return;
    handler.onResponseStart?.(controller, 200, {}, 'OK');
    handler.onResponseData?.(controller, Buffer.from('one'));
    await turns.wait('the upstream finishes');
    this.#network.reads(client);
    if (aborted) return;
    handler.onResponseData?.(controller, Buffer.from('two'));
    handler.onResponseEnd?.(controller, {});
  }
}

function readHandshake(chunk: Buffer): [path: string, as: string] {
  const lines = chunk.toString('latin1').split('\r\n');
  const session = lines.find((line) => line.startsWith(SESSION_HEADER))!;
  return [lines[0]!.split(' ')[1]!, session.slice(SESSION_HEADER.length + 2)];
}
