// A WebSocket that only listens, as a page of the same origin opens it (RFC 6455), on node's own HTTP client: a package
// for it would have to be in every installation of the gate.

import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { answerTo, type Browser } from './browser.ts';
import { type Ending, type LiveConnection, Receipts } from './live-connection.ts';
import { ServerFrames } from './server-frames.ts';

const PONG = 10;
const CLOSE = 8;

/** Resolves when the connection is open. @throws Error where the handshake is refused. */
export async function openWebSocket(browser: Browser, url: string): Promise<LiveConnection> {
  const answer = await shakeHands(browser, url);
  if ('socket' in answer) return listen(answer.socket, answer.head);
  throw new Error(`${url} (WebSocket) was answered ${answer.status}`);
}

/** What a handshake is answered: 101 where it succeeds, and then the connection is over at once. */
export async function handshakeStatus(browser: Browser, url: string): Promise<number> {
  const answer = await shakeHands(browser, url);
  if (!('socket' in answer)) return answer.status;
  answer.socket.on('error', () => {}).destroy();
  return 101;
}

async function shakeHands(
  browser: Browser,
  url: string,
): Promise<{ socket: Socket; head: Buffer } | { status: number }> {
  const asked = browser.request(url, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
      origin: new URL(url).origin,
    },
  });
  const opened = new Promise<{ socket: Socket; head: Buffer }>((resolve) => {
    asked.on('upgrade', (_response: IncomingMessage, socket: Socket, head: Buffer) => resolve({ socket, head }));
  });
  const first = await Promise.race([opened, answerTo(asked.end())]);
  if ('head' in first) return first;
  asked.destroy();
  return { status: first.statusCode! };
}

function listen(socket: Socket, head: Buffer): LiveConnection {
  const receipts = new Receipts();
  const frames = new ServerFrames();
  let closed: { code: number; reason: string } | undefined;
  let fault: string | undefined;
  const take = (chunk: Buffer) => {
    const { bytes, frames: count, pings, close } = frames.take(chunk);
    if (bytes + count > 0) receipts.add(bytes, count);
    for (const ping of pings) socket.write(clientFrame(PONG, ping));
    if (close === undefined || closed !== undefined) return;
    closed = close;
    // Section 5.5.1: a close is answered by a close.
    socket.end(clientFrame(CLOSE, codeBytes(close.code)));
  };
  const ended = new Promise<Ending>((resolve) => {
    socket.on('close', () => {
      receipts.end();
      resolve({ atMs: performance.now(), ...endingOf(closed, fault) });
    });
  });
  socket.on('error', ({ message, code }: NodeJS.ErrnoException) => {
    fault = code ?? message;
  });
  socket.on('end', () => socket.end());
  socket.on('data', take);
  if (head.length > 0) take(head);
  return {
    kind: 'WebSocket',
    received: () => receipts.soFar(),
    begun: receipts.begun,
    ended,
    close: () => socket.destroy(),
  };
}

/** 1008 `session ended` where a frame boundary was near, otherwise a reset: never an ending that looks wanted. */
function endingOf(
  closed: { code: number; reason: string } | undefined,
  fault: string | undefined,
): { isCut: boolean; how: string } {
  if (closed !== undefined) {
    const isCut = closed.code === 1008 && closed.reason === 'session ended';
    return { isCut, how: `${closed.code} ${closed.reason}`.trim() };
  }
  return { isCut: true, how: fault === undefined ? 'ended without a close frame' : `broken off (${fault})` };
}

function codeBytes(code: number): Buffer {
  // 1005 says that there was none, and is never sent.
  return code === 1005 ? Buffer.alloc(0) : Buffer.from([code >> 8, code & 255]);
}

/** A control frame as a client sends it: whole, and masked (section 5.3). */
function clientFrame(opcode: number, payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const masked = payload.map((byte, at) => byte ^ mask[at & 3]!);
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length]), mask, masked]);
}
