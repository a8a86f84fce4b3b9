// Log lines to a stream that may be slow, blocked or closed: serving never waits for it and never fails with it
// (design: decided.md, "Standard output closed or blocked").

/** What may wait in memory for a reader that does not read. */
const MAX_WAITING_BYTES = 1024 * 1024;

export interface LineWriterOptions {
  readonly destination: NodeJS.WritableStream;
  /** The next channel: told once that the destination is closed, and once that nobody reads it. */
  readonly trouble: NodeJS.WritableStream;
  /** The line that stands where lines are missing. */
  readonly droppedNote: (lines: number) => string;
}

export class LineWriter {
  readonly #destination: NodeJS.WritableStream;
  readonly #trouble: NodeJS.WritableStream;
  readonly #droppedNote: (lines: number) => string;
  readonly #state: StreamState;
  readonly #said = new Set<string>();
  #dropped = 0;

  constructor(options: LineWriterOptions) {
    this.#destination = options.destination;
    this.#trouble = options.trouble;
    this.#droppedNote = options.droppedNote;
    this.#state = stateOf(options.destination);
    stateOf(options.trouble);
  }

  /** Writes the line (which ends in a line end), or drops and counts it. Never throws, never waits. */
  write(line: string): void {
    if (this.#state.closed !== undefined) {
      this.#say(`the log's destination is closed (${this.#state.closed}); serving goes on without a log`);
    } else if (waitingBytes(this.#destination) > MAX_WAITING_BYTES) {
      this.#say('nobody reads the log; serving goes on, and lines are dropped until somebody does');
    } else {
      if (this.#dropped > 0) this.#put(this.#droppedNote(this.#dropped));
      this.#dropped = 0;
      this.#put(line);
      return;
    }
    this.#dropped++;
  }

  /** Resolves when everything written has been handed over, at latest after a second. */
  flush(): Promise<void> {
    if (this.#state.closed !== undefined || waitingBytes(this.#destination) === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, 1_000);
      this.#destination.write('', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #put(line: string): void {
    try {
      this.#destination.write(line);
    } catch (error) {
      this.#state.closed = error instanceof Error ? error.name : 'unknown';
    }
  }

  #say(message: string): void {
    if (this.#said.has(message) || this.#trouble === this.#destination) return;
    this.#said.add(message);
    try {
      if (stateOf(this.#trouble).closed === undefined) this.#trouble.write(`portcullis: ${message}\n`);
    } catch {
      // There is no channel left.
    }
  }
}

interface StreamState {
  /** Why nothing can be written any more. */
  closed: string | undefined;
}

// The state is kept on the stream, which outlives its writers (standard output all of them): one listener per stream
// however many writers it has had. Without one, a broken pipe would end the process.
const STATE = Symbol('log stream state');

function stateOf(stream: NodeJS.WritableStream & { [STATE]?: StreamState }): StreamState {
  if (stream[STATE] !== undefined) return stream[STATE];
  const state: StreamState = { closed: undefined };
  stream[STATE] = state;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    state.closed ??= error.code ?? error.name;
  });
  stream.on('close', () => {
    state.closed ??= 'closed';
  });
  return state;
}

function waitingBytes(stream: NodeJS.WritableStream): number {
  return (stream as Partial<{ writableLength: number }>).writableLength ?? 0;
}
