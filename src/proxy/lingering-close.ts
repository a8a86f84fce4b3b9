// The close of a connection whose client is still sending (RFC 9112 section 9.6): an answer given before the body's end is
// lost if the socket is closed with bytes unread, because the kernel resets it then. So: answer, FIN, read on, close.

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** How long a client that was answered may go on sending before it is cut. */
const LINGER_MS = 2_000;

/**
 * Makes Node close `request`'s connection gently once the response says `Connection: close` and is written: its body is
 * read and thrown away until it ends, or the time is over.
 */
export function lingerAfterResponse(request: IncomingMessage): void {
  const { socket } = request;
  if (socket.destroyed) return;
  // What Node's server calls after the last response of a connection.
  socket.destroySoon = function destroySoon(this: Socket): void {
    this.destroySoon = () => {};
    if (request.complete) {
      endThenDestroy(this);
      return;
    }
    const timer = setTimeout(() => this.destroy(), LINGER_MS).unref();
    const destroy = (): void => {
      clearTimeout(timer);
      this.destroy();
    };
    request.once('end', destroy).once('close', destroy).resume();
    this.once('close', () => clearTimeout(timer));
    this.end();
  };
}

function endThenDestroy(socket: Socket): void {
  if (socket.writable) socket.end();
  if (socket.writableFinished) socket.destroy();
  else socket.once('finish', () => socket.destroy());
}
