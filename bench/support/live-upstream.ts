// The application behind live connections, in a process of its own: `/live/ws` is a WebSocket, `/live/events` an event
// stream. Both tick as often as they are told, and it counts how each of them ended.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { answerParent } from './children.ts';
import { sharedNowMs } from './statistics.ts';
import { tickNow } from './ticks.ts';
import { acceptOf, closeFrame, closeIn, textFrame } from './websocket-frames.ts';

/** How the connections of one round ended, as the application saw it. */
export interface UpstreamEnds {
  /** WebSockets that were closed by a frame, by its code. */
  readonly closeCodes: Readonly<Record<number, number>>;
  readonly open: number;
  readonly lastCloseAt: number;
}

interface Live {
  tick(): void;
}

const BETWEEN_BURSTS_MS = 1;
const live = new Set<Live>();
let closeCodes: Record<number, number> = {};
let lastCloseAt = 0;
let ticking: NodeJS.Timeout | undefined;

const server = createServer({ requestTimeout: 0, keepAliveTimeout: 0 }, stream);
server.on('upgrade', upgrade);

answerParent({
  async start() {
    await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },
  /** All connections together tick so often, in turn. */
  tick({ perSecond }: { perSecond: number }) {
    clearInterval(ticking);
    closeCodes = {};
    lastCloseAt = 0;
    if (perSecond === 0) return;
    let turn = live.values();
    let owed = 0;
    ticking = setInterval(() => {
      owed += (perSecond * BETWEEN_BURSTS_MS) / 1000;
      for (; owed >= 1 && live.size > 0; owed--) {
        let next = turn.next();
        if (next.done) {
          turn = live.values();
          next = turn.next();
        }
        next.value?.tick();
      }
    }, BETWEEN_BURSTS_MS);
  },
  ends: (): UpstreamEnds => ({ closeCodes, open: live.size, lastCloseAt }),
});

function keep(connection: Live, socket: Socket): void {
  live.add(connection);
  socket.on('error', () => {});
  socket.on('close', () => {
    if (live.delete(connection)) lastCloseAt = sharedNowMs();
  });
}

function stream(request: IncomingMessage, response: ServerResponse): void {
  if (request.url !== '/live/events') return void response.writeHead(404, { 'Content-Length': 0 }).end();
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  response.flushHeaders();
  response.on('error', () => {});
  keep({ tick: () => void response.write(`data: ${tickNow()}\n\n`) }, request.socket);
}

function upgrade(request: IncomingMessage, socket: Socket): void {
  const accept = acceptOf(request.headers['sec-websocket-key']!);
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  keep({ tick: () => void socket.write(textFrame(tickNow())) }, socket);
  socket.on('data', (chunk: Buffer) => {
    const close = closeIn(chunk);
    if (close === undefined) return;
    closeCodes[close.code] = (closeCodes[close.code] ?? 0) + 1;
    socket.end(closeFrame(close.code, 'server'));
  });
  socket.on('end', () => socket.end());
}
