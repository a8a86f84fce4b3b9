// Many live connections of one session, in a process of its own, on raw sockets: WebSockets and event streams that only
// listen. For each it keeps when the last application byte came, which tick that was, and how and when it was closed.

import { connect, type Socket } from 'node:net';
import { answerParent } from './children.ts';
import { sharedNowMs } from './statistics.ts';
import { lastTickIn } from './ticks.ts';
import { closeFrame, closeIn } from './websocket-frames.ts';

export interface OpenOptions {
  /** Where they connect to, `http://…`. */
  readonly origin: string;
  readonly cookie: string;
  readonly websockets: number;
  readonly streams: number;
}

/** How the connections ended, by the shared clock. */
export interface ClientEnds {
  readonly websockets: number;
  readonly open: number;
  /** When the last application byte of all connections came. */
  readonly lastByteAt: number;
  /** When the youngest tick was made that came through. */
  readonly lastTickMadeAt: number;
  readonly lastCloseAt: number;
  /** WebSockets that were closed by a frame, by its code. */
  readonly closeCodes: Readonly<Record<number, number>>;
  /** WebSockets without a close frame, streams that were reset. */
  readonly broken: number;
  /** Event streams that came to an end that looks like a whole answer. */
  readonly seeminglyWhole: number;
}

const AT_ONCE = 100;
const LAST_CHUNK = '0\r\n\r\n';

let clients: LiveClient[] = [];

class LiveClient {
  lastByteAt = 0;
  lastBytes: Buffer | undefined;
  closedAt = 0;
  closeCode: number | undefined;
  wasReset = false;
  isOpen = false;
  readonly kind: 'websocket' | 'stream';
  readonly #socket: Socket;

  constructor(kind: 'websocket' | 'stream', { origin, cookie }: OpenOptions, onOpen: (error?: Error) => void) {
    this.kind = kind;
    const { hostname, port, host } = new URL(origin);
    const head =
      kind === 'websocket'
        ? 'GET /live/ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n'
        : 'GET /live/events HTTP/1.1\r\nAccept: text/event-stream\r\n';
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true, allowHalfOpen: true });
    this.#socket.write(`${head}Host: ${host}\r\nCookie: ${cookie}\r\n\r\n`);
    this.#socket.on('data', (chunk: Buffer) => {
      if (this.isOpen) return this.#take(chunk);
      const status = chunk.toString('latin1', 9, 12);
      this.isOpen = status === '101' || status === '200';
      onOpen(this.isOpen ? undefined : new Error(`the gate answers ${status}`));
    });
    this.#socket.on('error', (error) => {
      this.wasReset = true;
      if (!this.isOpen) onOpen(error);
    });
    this.#socket.on('end', () => this.#socket.end());
    this.#socket.on('close', () => {
      this.closedAt = sharedNowMs();
      settle();
    });
  }

  abort(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    const close = this.kind === 'websocket' ? closeIn(chunk) : undefined;
    if (close !== undefined) {
      this.closeCode = close.code;
      this.#socket.end(closeFrame(close.code, 'client'));
      if (close.at === 0) return;
    }
    this.lastByteAt = sharedNowMs();
    this.lastBytes = chunk;
  }
}

let settled: (() => void) | undefined;

function settle(): void {
  if (settled !== undefined && clients.every(({ closedAt }) => closedAt > 0)) settled();
}

answerParent({
  /** Resolves when all are open. */
  async open(options: OpenOptions) {
    clients = [];
    const kinds = [
      ...Array.from({ length: options.websockets }, () => 'websocket' as const),
      ...Array.from({ length: options.streams }, () => 'stream' as const),
    ];
    for (let from = 0; from < kinds.length; from += AT_ONCE) {
      await Promise.all(
        kinds.slice(from, from + AT_ONCE).map(
          (kind) =>
            new Promise<void>((resolve, reject) => {
              clients.push(new LiveClient(kind, options, (error) => (error ? reject(error) : resolve())));
            }),
        ),
      );
    }
  },
  /** Resolves when all are closed, or after `atMostMs`. */
  async closed({ atMostMs }: { atMostMs: number }) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, atMostMs);
      settled = () => {
        clearTimeout(timer);
        resolve();
      };
      settle();
    });
    settled = undefined;
    return ends();
  },
  /** Gives up all connections at once. */
  abort() {
    for (const client of clients) client.abort();
  },
});

function ends(): ClientEnds {
  const closeCodes: Record<number, number> = {};
  const last = (of: (client: LiveClient) => number) => clients.reduce((latest, each) => Math.max(latest, of(each)), 0);
  for (const { closeCode } of clients)
    if (closeCode !== undefined) closeCodes[closeCode] = (closeCodes[closeCode] ?? 0) + 1;
  const count = (is: (client: LiveClient) => boolean) => clients.filter(is).length;
  return {
    websockets: count(({ kind }) => kind === 'websocket'),
    open: count(({ closedAt }) => closedAt === 0),
    lastByteAt: last(({ lastByteAt }) => lastByteAt),
    lastTickMadeAt: last(({ lastBytes }) => (lastBytes === undefined ? 0 : (lastTickIn(lastBytes) ?? 0))),
    lastCloseAt: last(({ closedAt }) => closedAt),
    closeCodes,
    broken: count(({ kind, closeCode, wasReset }) => wasReset || (kind === 'websocket' && closeCode === undefined)),
    seeminglyWhole: count(({ kind, lastBytes }) => kind === 'stream' && endsWhole(lastBytes)),
  };
}

function endsWhole(bytes: Buffer | undefined): boolean {
  return bytes?.toString('latin1', Math.max(0, bytes.length - LAST_CHUNK.length)) === LAST_CHUNK;
}
