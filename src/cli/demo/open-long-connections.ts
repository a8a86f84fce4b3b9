// The four connections that a visitor of the story holds open: each says when it ended and how that looked from outside.

import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Visitor } from './visitor.ts';

export interface LongConnection {
  readonly kind: 'WebSocket' | 'event stream' | 'download' | 'upload';
  /** How much came or went: ticks of the first two, bytes of the others. */
  readonly amount: () => number;
  readonly ended: Promise<Ending>;
  close(): void;
}

export interface Ending {
  /** On the clock of `performance.now()`. */
  readonly atMs: number;
  /** Cut by the gate in the way that it promises for this kind. */
  readonly isCut: boolean;
  readonly how: string;
}

/** Opens all four at `origin`; resolves when something has come or gone on each. */
export async function openLongConnections(
  visitor: Visitor,
  origin: string,
  ws: typeof import('ws'),
): Promise<LongConnection[]> {
  const all = await Promise.all([
    openSocket(visitor, origin, ws),
    openTransfer(visitor, 'event stream', `${origin}/events`),
    openTransfer(visitor, 'download', `${origin}/download`),
  ]);
  return [...all, openUpload(visitor, `${origin}/upload`)];
}

async function openSocket(
  visitor: Visitor,
  origin: string,
  { WebSocket }: typeof import('ws'),
): Promise<LongConnection> {
  const address = `${origin}/websocket`.replace('http', 'ws');
  const socket = new WebSocket(address, { origin, headers: visitor.headersFor(origin) });
  let ticks = 0;
  const ended = new Promise<Ending>((resolve) => {
    socket.on('close', (code, reason) => {
      resolve({
        atMs: performance.now(),
        isCut: code === 1008 && String(reason) === 'session ended',
        how: `${code} ${reason}`,
      });
    });
  });
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', () => {
      ticks += 1;
      resolve();
    });
  });
  return { kind: 'WebSocket', amount: () => ticks, ended, close: () => socket.terminate() };
}

async function openTransfer(visitor: Visitor, kind: 'event stream' | 'download', url: string): Promise<LongConnection> {
  const asked = request(url, { headers: visitor.headersFor(url), agent: false });
  const response = await answerTo(asked.end());
  if (response.statusCode !== 200) throw new Error(`${url} was answered ${response.statusCode}`);
  let amount = 0;
  const ended = new Promise<Ending>((resolve) => {
    // `complete` is false where neither the last chunk nor the promised length came.
    const end = () =>
      resolve({
        atMs: performance.now(),
        isCut: !response.complete,
        how: response.complete ? 'looks complete' : 'incomplete',
      });
    response.on('error', end).on('close', end);
  });
  await new Promise<void>((resolve) => {
    response.on('data', (chunk: Buffer) => {
      amount += kind === 'download' ? chunk.length : String(chunk).split('data:').length - 1;
      resolve();
    });
  });
  return { kind, amount: () => amount, ended, close: () => asked.destroy() };
}

function openUpload(visitor: Visitor, url: string): LongConnection {
  const paceMs = 50;
  const asked = request(url, { method: 'POST', headers: visitor.headersFor(url), agent: false });
  let sent = 0;
  const timer = setInterval(() => {
    sent += 8192;
    asked.write(Buffer.alloc(8192));
  }, paceMs);
  const ended = answerTo(asked).then(
    ({ statusCode }) => ({ atMs: performance.now(), isCut: statusCode === 401, how: `answered ${statusCode}` }),
    (error: NodeJS.ErrnoException) => ({ atMs: performance.now(), isCut: true, how: String(error.code) }),
  );
  void ended.then(() => {
    clearInterval(timer);
    asked.destroy();
  });
  return { kind: 'upload', amount: () => sent, ended, close: () => asked.destroy() };
}

function answerTo(asked: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    asked.on('response', resolve).on('error', reject);
  });
}
