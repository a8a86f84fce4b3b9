// Two sockets that speak WebSocket to each other through us after the handshake (RFC 6455). It keeps nothing of the request
// that opened it: an idle tunnel is two sockets and a few words.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { LiveConnection, Owner } from './connection-registry.ts';
import { closeFrame, type Farewell, IDLE, maskedCloseFrame, SESSION_ENDED } from './farewell.ts';
import { FrameScanner } from './frame-scanner.ts';
import { resetSocket } from './reset-socket.ts';

export interface TunnelOptions {
  readonly owner: Owner | undefined;
  readonly tag: unknown;
  /** Without a byte in either direction; 0: no limit. */
  readonly idleMs: number;
  /** The client sent data (no ping, pong or close); at most once a second. */
  onActivity(): void;
}

/** How long the close handshake of a cut tunnel may take. */
const GOODBYE_MS = 1_000;
/** How long one side may go on after the other has ended its half: WebSocket has no use for it but a last frame. */
const HALF_OPEN_MS = 5_000;
const ACTIVITY_MS = 1_000;
const KEEP_ALIVE_MS = 60_000;

const END = Symbol('tunnel end');
type TunnelSocket = Duplex & { [END]?: TunnelEnd };

/** One side: its socket, and the scanner of what comes from it. */
class TunnelEnd {
  readonly tunnel: Tunnel;
  readonly socket: TunnelSocket;
  readonly scanner = new FrameScanner();
  closed = false;
  peer!: TunnelEnd;

  constructor(tunnel: Tunnel, socket: Duplex) {
    this.tunnel = tunnel;
    this.socket = socket;
    this.socket[END] = this;
    // Whoever had the socket for the handshake must not hear of it, or be kept alive by it, any longer.
    socket.removeAllListeners('error').removeAllListeners('timeout').removeAllListeners('drain');
    socket.on('data', onData).on('end', onEnd).on('error', ignore).on('close', onClose).on('drain', onDrain);
  }
}

export class Tunnel implements LiveConnection {
  readonly kind = 'websocket';
  readonly tag: unknown;
  readonly #owner: Owner | undefined;
  readonly #onActivity: () => void;
  readonly #client: TunnelEnd;
  readonly #upstream: TunnelEnd;
  #activeAt = Number.NEGATIVE_INFINITY;
  #cut = false;
  #timer: NodeJS.Timeout | undefined = undefined;

  /** Takes both sockets over and joins the owner; nothing is read before `start`. */
  constructor(client: Duplex, upstream: Duplex, options: TunnelOptions) {
    this.tag = options.tag;
    this.#owner = options.owner;
    this.#onActivity = () => options.onActivity();
    this.#client = new TunnelEnd(this, client);
    this.#upstream = new TunnelEnd(this, upstream);
    this.#client.peer = this.#upstream;
    this.#upstream.peer = this.#client;
    const socket = client as Socket;
    // A client whose machine is gone says nothing; the kernel finds out.
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setTimeout(options.idleMs);
    if (options.idleMs > 0) socket.on('timeout', onTimeout);
    this.#owner?.add(this);
  }

  /** Begins with the bytes that arrived during the handshake, behind each side's head. */
  start(fromClient: readonly Buffer[], fromUpstream: Buffer): void {
    if (fromUpstream.length > 0) this.received(this.#upstream, fromUpstream);
    for (const chunk of fromClient) this.received(this.#client, chunk);
    for (const { socket, peer } of [this.#client, this.#upstream]) if (!peer.socket.writableNeedDrain) socket.resume();
  }

  hasBacklog(): boolean {
    return this.#client.socket.writableLength > 0 || this.#upstream.socket.writableLength > 0;
  }

  cut(farewell: Farewell = SESSION_ENDED): void {
    if (this.#cut) return;
    this.#cut = true;
    clearTimeout(this.#timer);
    const clientWaits = sayGoodbye(this.#client, closeFrame, farewell);
    const upstreamWaits = sayGoodbye(this.#upstream, maskedCloseFrame, farewell);
    if (clientWaits || upstreamWaits) this.#timer = setTimeout(endGoodbye, GOODBYE_MS, this);
  }

  received(from: TunnelEnd, chunk: Buffer): void {
    if (!this.#cut && this.#owner?.stopped) this.cut(this.#owner.farewell);
    from.scanner.scan(chunk);
    if (this.#cut) {
      // Nothing is passed on any more; the other side's own close frame is all that is waited for.
      if (from.scanner.sawClose) this.#destroySoon(from);
      return;
    }
    if (from === this.#client && from.scanner.takeActivity()) this.#active();
    if (!from.peer.socket.write(chunk)) from.socket.pause();
  }

  drained(end: TunnelEnd): void {
    end.peer.socket.resume();
  }

  ended(end: TunnelEnd): void {
    if (this.#cut) {
      this.#destroySoon(end);
      return;
    }
    end.peer.socket.end();
    this.#timer ??= setTimeout(destroyBoth, HALF_OPEN_MS, this).unref();
  }

  closed(end: TunnelEnd): void {
    end.closed = true;
    if (end.peer.closed) {
      clearTimeout(this.#timer);
      this.#owner?.delete(this);
    } else if (!this.#cut && !end.socket.readableEnded) resetSocket(end.peer.socket);
  }

  /** The time for a good end is over. Where a close frame has gone out, FIN behind it is one all the same. */
  destroyBoth(): void {
    for (const { socket } of [this.#client, this.#upstream]) {
      if (this.#cut && socket.writableLength === 0) socket.destroy();
      else resetSocket(socket);
    }
  }

  endGoodbye(): void {
    if (this.#owner === undefined) this.destroyBoth();
    else this.#owner.soon(() => this.destroyBoth());
  }

  #destroySoon({ socket }: TunnelEnd): void {
    if (this.#owner === undefined) socket.destroy();
    else this.#owner.soon(() => socket.destroy());
  }

  #active(): void {
    const now = performance.now();
    if (now - this.#activeAt < ACTIVITY_MS) return;
    this.#activeAt = now;
    this.#onActivity();
  }
}

/**
 * Sends a close frame to `end` if what it was sent so far ends with a whole frame and nothing is queued; else resets it.
 * True where its answer is to be waited for.
 */
function sayGoodbye(end: TunnelEnd, frame: (farewell: Farewell) => Buffer, farewell: Farewell): boolean {
  const { socket } = end;
  const sent = end.peer.scanner;
  if (socket.destroyed) return false;
  if (sent.sawClose && sent.atBoundary && socket.writableLength === 0) {
    socket.destroy();
    return false;
  }
  if (!sent.atBoundary || socket.writableLength > 0 || !socket.writable) {
    resetSocket(socket);
    return false;
  }
  socket.write(frame(farewell));
  // It has ended its half already: no answer will come.
  if (socket.readableEnded) socket.end();
  else socket.resume();
  return true;
}

function destroyBoth(tunnel: Tunnel): void {
  tunnel.destroyBoth();
}

function endGoodbye(tunnel: Tunnel): void {
  tunnel.endGoodbye();
}

function onData(this: TunnelSocket, chunk: Buffer): void {
  const end = this[END]!;
  end.tunnel.received(end, chunk);
}

function onEnd(this: TunnelSocket): void {
  this[END]!.tunnel.ended(this[END]!);
}

function onDrain(this: TunnelSocket): void {
  this[END]!.tunnel.drained(this[END]!);
}

function onClose(this: TunnelSocket): void {
  this[END]!.tunnel.closed(this[END]!);
}

function onTimeout(this: TunnelSocket): void {
  this[END]!.tunnel.cut(IDLE);
}

function ignore(): void {}
