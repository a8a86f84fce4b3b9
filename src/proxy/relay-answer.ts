// An upstream's answer to a handshake that is no 101 (RFC 6455 section 4.2.2: 401, 302, 426 …), passed to the client as the
// HTTP response that it is; the connection ends with it.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { resetSocket } from './reset-socket.ts';
import type { ResponseHead } from './response-headers.ts';

export interface RelayOptions {
  readonly head: ResponseHead;
  isStopped(): boolean;
}

export function relayAnswer(
  answer: IncomingMessage,
  response: ServerResponse,
  { head, isStopped }: RelayOptions,
): void {
  const { socket } = answer;
  const breakOff = (): void => {
    socket.destroy();
    if (response.socket) resetSocket(response.socket);
  };
  let broken = false;
  // A reset after a body that ends with its connection: Node reports it, and then a complete response.
  socket.prependListener('error', () => {
    broken = true;
  });
  try {
    response.writeHead(answer.statusCode!, head.headers);
  } catch {
    breakOff();
    return;
  }
  response.flushHeaders();
  answer.on('data', (chunk: Buffer) => {
    if (isStopped()) breakOff();
    else if (!response.write(chunk)) answer.pause();
  });
  response.on('drain', () => answer.resume());
  response.on('close', () => socket.destroy());
  answer.on('error', breakOff).on('aborted', breakOff);
  answer.on('end', () => {
    if (isStopped() || broken || !answer.complete || socket.errored) breakOff();
    else response.end();
  });
}
