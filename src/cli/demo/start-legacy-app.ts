// A legacy application: it knows nothing of OpenID Connect and believes the headers that the gate sets. It has what old
// applications have and gates find hard: a WebSocket, an event stream, a download and an upload that take minutes.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { listenOnLoopback, type RunningServer } from './listen-on-loopback.ts';
import { contentType, readPageFile, renderPage } from './render-page.ts';

const TICK_MS = 250;
/** 10 minutes at this pace: nobody's demo sees its end. */
const DOWNLOAD_BYTES = 60 * 1024 * 1024;
const DOWNLOAD_LINE = 'The castle has one gate, and the gate has one keeper. '.repeat(64);
const ASSETS = ['legacy.css', 'wiki.css', 'notes.css', 'live.js'];

/** What the application sees of one long connection. */
export interface AppEvent {
  readonly app: string;
  readonly user: string;
  readonly kind: 'WebSocket' | 'event stream' | 'download' | 'upload';
  readonly state: 'began' | 'broke off' | 'finished';
  readonly detail: string;
}

export interface LegacyAppOptions {
  /** Its page is `pages/<name>.html`. */
  readonly name: 'wiki' | 'notes';
  /** Values for the page: the addresses of the others. */
  readonly links: Readonly<Record<string, string>>;
  readonly ws: typeof import('ws');
  /** Called as it happens. */
  readonly tell: (event: AppEvent) => void;
}

/** The application on a free port of loopback, where only its gate should reach it. */
export async function startLegacyApp(options: LegacyAppOptions): Promise<RunningServer> {
  const sockets = new options.ws.WebSocketServer({ noServer: true });
  const server = createServer((request, response) => answer(request, response, options));
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.handleUpgrade(request, socket, head, (webSocket) => tickOnSocket(request, webSocket, options));
  });
  const running = await listenOnLoopback(server, 0);
  return {
    origin: running.origin,
    stop() {
      for (const socket of sockets.clients) socket.terminate();
      return running.stop();
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, options: LegacyAppOptions): void {
  const path = request.url!.split('?')[0]!;
  const asset = ASSETS.find((file) => path === `/${file}`);
  if (asset !== undefined) response.setHeader('Content-Type', contentType(asset)).end(readPageFile(asset));
  else if (path === '/') sendPage(response, `${options.name}.html`, { ...options.links, ...userOf(request) });
  else if (path === '/keepers') sendPage(response, 'keepers.html', userOf(request));
  else if (path === '/events') tickOnStream(request, response, options);
  else if (path === '/download') sendSlowly(request, response, options);
  else if (path === '/upload' && request.method === 'POST') receive(request, response, options);
  else response.writeHead(404, { 'Content-Type': 'text/plain' }).end('404 - no such page in this castle\n');
}

function sendPage(response: ServerResponse, file: string, values: Readonly<Record<string, string>>): void {
  response.writeHead(200, { 'Content-Type': contentType(file), 'Cache-Control': 'no-store' });
  response.end(renderPage(file, values));
}

/** The whole trust of a legacy application: what the headers say is so. */
function userOf({ headers }: IncomingMessage): { user: string; name: string } {
  const user = String(headers['x-forwarded-preferred-username'] ?? 'nobody');
  return { user, name: String(headers['x-remote-name'] ?? user) };
}

function tickOnSocket(request: IncomingMessage, socket: WebSocket, options: LegacyAppOptions): void {
  const told = tellOf(request, 'WebSocket', options);
  let tick = 0;
  const timer = setInterval(() => socket.send(String(++tick)), TICK_MS);
  socket.on('error', () => {});
  socket.on('close', (code, reason) => {
    clearInterval(timer);
    const isByUser = code === 1000 || code === 1001 || code === 1005;
    told(isByUser ? 'finished' : 'broke off', `with ${code} ${reason}`.trim());
  });
}

function tickOnStream(request: IncomingMessage, response: ServerResponse, options: LegacyAppOptions): void {
  const told = tellOf(request, 'event stream', options);
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.write('retry: 500\n\n');
  let tick = 0;
  const timer = setInterval(() => response.write(`data: ${++tick}\n\n`), TICK_MS);
  response.on('close', () => {
    clearInterval(timer);
    told('broke off', `after ${tick} events`);
  });
}

function sendSlowly(request: IncomingMessage, response: ServerResponse, options: LegacyAppOptions): void {
  const told = tellOf(request, 'download', options);
  const pace = 100;
  const piece = Buffer.from(DOWNLOAD_LINE.repeat(5)).subarray(0, (DOWNLOAD_BYTES * pace) / 600_000);
  response.writeHead(200, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Disposition': `attachment; filename="${options.name}-archive.txt"`,
    'Content-Length': DOWNLOAD_BYTES,
  });
  let sent = 0;
  const timer = setInterval(() => {
    const next = piece.subarray(0, DOWNLOAD_BYTES - sent);
    sent += next.length;
    if (next.length === 0) response.end();
    // Whoever reads slower than this is not flooded.
    else if (!response.writableNeedDrain) response.write(next);
    else sent -= next.length;
  }, pace);
  response.on('close', () => {
    clearInterval(timer);
    told(response.writableFinished ? 'finished' : 'broke off', `after ${kibibytes(sent)}`);
  });
}

function receive(request: IncomingMessage, response: ServerResponse, options: LegacyAppOptions): void {
  const told = tellOf(request, 'upload', options);
  let received = 0;
  request.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  request.on('end', () => response.end(`received ${kibibytes(received)}\n`));
  request.on('error', () => {});
  request.on('close', () => told(request.complete ? 'finished' : 'broke off', `after ${kibibytes(received)}`));
}

function tellOf(request: IncomingMessage, kind: AppEvent['kind'], { name, tell }: LegacyAppOptions) {
  const { user } = userOf(request);
  tell({ app: name, user, kind, state: 'began', detail: '' });
  return (state: AppEvent['state'], detail: string) => tell({ app: name, user, kind, state, detail });
}

function kibibytes(bytes: number): string {
  return `${Math.round(bytes / 1024)} KiB`;
}
