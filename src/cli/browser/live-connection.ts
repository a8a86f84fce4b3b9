// A connection that a browser holds open: what came over it and when, and how it ended, seen from outside.

export interface LiveConnection {
  readonly kind: 'WebSocket' | 'event stream' | 'download';
  received(): Received;
  /** Settles when something of the application has come, or the connection is gone. */
  readonly begun: Promise<void>;
  readonly ended: Promise<Ending>;
  close(): void;
}

/** What of the application has come so far; frames of the protocol itself do not count. */
export interface Received {
  readonly bytes: number;
  /** Frames of a WebSocket, events of an event stream, pieces of a download. */
  readonly messages: number;
  /** When the last of it came, on the clock of `performance.now()`; undefined: nothing came. */
  readonly lastAtMs: number | undefined;
}

export interface Ending {
  /** On the clock of `performance.now()`. */
  readonly atMs: number;
  /** Cut by the gate in one of the ways that it promises for this kind; nothing looks complete. */
  readonly isCut: boolean;
  readonly how: string;
}

/** Counts what comes; `begun` settles with the first of it. */
export class Receipts {
  readonly begun: Promise<void>;
  readonly #begin: () => void;
  #bytes = 0;
  #messages = 0;
  #lastAtMs: number | undefined;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.begun = promise;
    this.#begin = resolve;
  }

  add(bytes: number, messages: number): void {
    this.#bytes += bytes;
    this.#messages += messages;
    this.#lastAtMs = performance.now();
    this.#begin();
  }

  /** Nothing more will come. */
  end(): void {
    this.#begin();
  }

  soFar(): Received {
    return { bytes: this.#bytes, messages: this.#messages, lastAtMs: this.#lastAtMs };
  }
}
