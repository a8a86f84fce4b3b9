// A reset (RST) instead of an orderly end (FIN), where the end of the connection would mean the end of the body
// (RFC 9112 section 9.6): the peer must see that what it has is not all.

import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/** Destroys `socket` with a reset of its TCP connection. What is queued in this process is discarded, not sent. */
export function resetSocket(socket: Duplex): void {
  if (socket.destroyed) return;
  const tcp = socket instanceof TLSSocket ? underTls(socket) : socket;
  try {
    // Behind an `end` of the same turn the system refuses a reset, and the socket would never close.
    if (tcp instanceof Socket && !tcp.writableEnded) tcp.resetAndDestroy();
  } catch {
    // No TCP handle (any more): destroying it is all that can be done.
  }
  socket.destroy();
}

/** The TCP socket beneath TLS. Node offers no public way to it; without it TLS ends unclosed, which says "cut" too. */
function underTls(socket: TLSSocket): unknown {
  return (socket as unknown as { _parent?: unknown })._parent;
}
