// One running HTTP exchange as its client sees it: a download, an event stream, an upload. It records when the last byte
// came and how the body ended, which is what the tests of the cut look at.

import type { ClientRequest, IncomingMessage } from 'node:http';
import { instant } from './instant.ts';

/** `complete`: the framing said so. `cut`: the connection broke off, or ended before the body did. */
export type TransferEnd = 'complete' | 'cut';

export interface TransferHead {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
}

export class LiveTransfer {
  /** Settles with the response head; rejects where the connection broke before one came. */
  readonly head: Promise<TransferHead>;
  /** Settles when nothing can come any more; never rejects. */
  readonly ended: Promise<TransferEnd>;
  readonly chunks: Buffer[] = [];
  /** Instants: of the last byte received, and of the end. */
  lastByteAt = 0;
  endedAt = 0;
  receivedBytes = 0;
  /** The error code of the broken connection (`ECONNRESET`), where there was one. */
  errorCode: string | undefined;
  readonly #request: ClientRequest;
  #waiting: (() => void)[] = [];

  constructor(request: ClientRequest) {
    this.#request = request;
    const { promise: head, resolve: resolveHead, reject: rejectHead } = Promise.withResolvers<TransferHead>();
    const { promise: ended, resolve: resolveEnded } = Promise.withResolvers<TransferEnd>();
    this.head = head;
    this.ended = ended;
    head.catch(() => {});
    const end = (how: TransferEnd) => {
      this.endedAt ||= instant();
      resolveEnded(how);
      this.#wake();
    };
    request.on('error', (error: NodeJS.ErrnoException) => {
      this.errorCode ??= error.code;
      rejectHead(error);
      end('cut');
    });
    request.on('response', (response) => {
      resolveHead({ status: response.statusCode!, headers: response.headers, rawHeaders: response.rawHeaders });
      response.on('data', (chunk: Buffer) => {
        this.lastByteAt = instant();
        this.receivedBytes += chunk.length;
        this.chunks.push(chunk);
        this.#wake();
      });
      // A reset of a body that the connection's end delimits comes as an error and then as a normal end.
      response.on('error', (error: NodeJS.ErrnoException) => {
        this.errorCode ??= error.code;
        end('cut');
      });
      response.on('close', () => end(response.complete && this.errorCode === undefined ? 'complete' : 'cut'));
    });
  }

  text(): string {
    return Buffer.concat(this.chunks).toString('utf8');
  }

  /** The ticks of the legacy app that arrived: the instants at which the app made them. */
  ticks(): number[] {
    return [...this.text().matchAll(/"tickAt":([\d.]+)/g)].map(([, at]) => Number(at));
  }

  /** Settles when `count` bytes more than now have come, or the body ended. */
  async moreBytes(count = 1): Promise<void> {
    const target = this.receivedBytes + count;
    while (this.receivedBytes < target && this.endedAt === 0) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** The user closes the tab. */
  abort(): void {
    this.#request.destroy();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
