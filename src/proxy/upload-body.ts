// A request body on its way to the upstream. It stands between Node's request and undici so that nothing is handed on after
// the owner's stop, and so that a body that broke off never looks complete (RFC 9112 section 8).

import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/** What the body asks before each byte, and tells after it. */
export interface UploadGuard {
  isStopped(): boolean;
  onUploadMoved(): void;
}

export class UploadBody extends Readable {
  readonly #request: IncomingMessage;
  readonly #guard: UploadGuard;
  #attached = false;

  constructor(request: IncomingMessage, guard: UploadGuard) {
    // One chunk is buffered at most; the rest waits in the client's socket.
    super({ highWaterMark: 1 });
    this.#request = request;
    this.#guard = guard;
  }

  /** True where the upstream is the one that does not take more. */
  get isHeldUp(): boolean {
    return this.readableLength > 0;
  }

  override read(size?: number): Buffer | null {
    return this.#guard.isStopped() ? null : super.read(size);
  }

  override _read(): void {
    if (!this.#attached) this.#attach();
    this.#request.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#request.off('data', this.#onData);
    this.#request.off('end', this.#onEnd);
    this.#request.off('close', this.#onClose);
    done(error);
  }

  #attach(): void {
    this.#attached = true;
    this.#request.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#guard.isStopped()) return;
    this.#guard.onUploadMoved();
    if (!this.push(chunk)) this.#request.pause();
  };

  readonly #onEnd = (): void => {
    if (this.#request.complete && !this.#guard.isStopped()) this.push(null);
  };

  readonly #onClose = (): void => {
    if (!this.#request.complete) this.destroy(new Error('the client broke off its request body'));
  };
}

/** How the request's body is framed, by its raw headers: a body that they do not announce is never forwarded. */
export function hasAnnouncedBody(rawHeaders: readonly string[]): boolean {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const { length } = rawHeaders[i]!;
    if (length === 17 && rawHeaders[i]!.toLowerCase() === 'transfer-encoding') return true;
    if (length === 14 && rawHeaders[i]!.toLowerCase() === 'content-length') {
      if (!/^0+$/.test(rawHeaders[i + 1]!)) return true;
    }
  }
  return false;
}
