// An application with every bad habit, in a process of its own, for `bench/leak.ts`: the path says what it does.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { answerParent } from './children.ts';
import { acceptOf, closeFrame, closeIn, textFrame } from './websocket-frames.ts';

const PAGE = Buffer.alloc(1024, 'x');
const PIECE = Buffer.alloc(64 * 1024, 'x');
const BETWEEN_EVENTS_MS = 5;

const PATHS: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> = {
  '/page': (_, response) => void response.writeHead(200, { 'Content-Length': PAGE.length }).end(PAGE),
  '/never': () => {},
  '/endless': (_, response) => pour(response.writeHead(200, { 'Content-Type': 'application/octet-stream' })),
  '/takes-nothing': (request) => void request.pause(),
  '/breaks-body': (_, response) => {
    response.writeHead(200, { 'Content-Length': 10_000 }).write(PAGE, () => response.destroy());
  },
  '/breaks-chunked-body': (_, response) => {
    response.writeHead(200).write(PAGE, () => response.destroy());
  },
  '/breaks-before-head': (request) => void request.socket.destroy(),
  '/resets-before-head': (request) => void request.socket.resetAndDestroy(),
  '/nonsense': (request) => void request.socket.end('HTTP/1.1 two hundred\r\n\r\n'),
  '/events': (_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    const timer = setInterval(() => response.write('data: now\n\n'), BETWEEN_EVENTS_MS);
    response.on('close', () => clearInterval(timer));
  },
};

/** What is still under way, for whoever wonders what was left behind. */
const underWay = new Set<IncomingMessage>();

const server = createServer({ requestTimeout: 0 }, (request, response) => {
  underWay.add(request);
  response.on('close', () => underWay.delete(request));
  for (const stream of [request, response]) stream.on('error', () => {});
  const answer = PATHS[request.url!];
  if (answer === undefined) response.writeHead(404, { 'Content-Length': 0 }).end();
  else answer(request, response);
});

server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
  underWay.add(request);
  socket.on('close', () => underWay.delete(request));
  socket.on('error', () => socket.destroy());
  socket.on('end', () => socket.end());
  if (request.url === '/socket-never') return void socket.resume();
  if (request.url === '/socket-refused') return void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
  const accept = acceptOf(request.headers['sec-websocket-key']!);
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  const timer = setInterval(() => socket.write(textFrame('now')), BETWEEN_EVENTS_MS);
  socket.on('close', () => clearInterval(timer));
  socket.on('data', (chunk: Buffer) => {
    const close = closeIn(chunk);
    if (close !== undefined) socket.end(closeFrame(close.code, 'server'));
  });
});

answerParent({
  async start() {
    await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },
  underWay: () => Array.from(underWay, ({ method, url }) => `${method} ${url}`),
});

function pour(response: ServerResponse): void {
  while (!response.destroyed && response.write(PIECE));
  if (!response.destroyed) response.once('drain', () => pour(response));
}
