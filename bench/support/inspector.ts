// A look into a running Node.js from outside, by the inspector's protocol (`node --inspect=127.0.0.1:0`): the process
// itself needs no door for it.

import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Memory {
  readonly heapUsed: number;
  readonly external: number;
  readonly arrayBuffers: number;
  readonly rss: number;
}

/** Objects that only a second collection frees (finalizers, weak references) need a turn of the loop in between. */
const COLLECTIONS = 3;

export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  #asked = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const { id, result, error } = JSON.parse(String(data));
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) waiting?.reject(new Error(error.message));
      else waiting?.resolve(result as never);
    });
  }

  /** The inspector of a child whose standard error is a pipe and that was started with `--inspect=127.0.0.1:0`. */
  static async of(child: ChildProcess): Promise<Inspector> {
    const address = await new Promise<string>((resolve, reject) => {
      let text = '';
      child.stderr!.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        const found = /Debugger listening on (ws:\S+)/.exec(text)?.[1];
        if (found !== undefined) resolve(found);
      });
      child.once('exit', () => reject(new Error(`the process ended before it could be inspected: ${text}`)));
    });
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', () => reject(new Error('the inspector refused')), { once: true });
    });
    return new Inspector(socket);
  }

  /** What the process uses once all garbage is collected. */
  async settledMemory(): Promise<Memory> {
    for (let i = 0; i < COLLECTIONS; i++) {
      await this.send('HeapProfiler.collectGarbage');
      await sleep(100);
    }
    return this.evaluate<Memory>('process.memoryUsage()');
  }

  /** The value of an expression in the process. */
  async evaluate<Value>(expression: string): Promise<Value> {
    const { result } = await this.send<{ result: { value: string } }>('Runtime.evaluate', {
      expression: `JSON.stringify(${expression})`,
      returnByValue: true,
    });
    return JSON.parse(result.value) as Value;
  }

  close(): void {
    this.#socket.close();
  }

  /** One command of the protocol. */
  send<Result>(method: string, params: object = {}): Promise<Result> {
    const id = ++this.#asked;
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }
}
