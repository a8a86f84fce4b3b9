// A gate in a process of its own with as many sessions as a test wants: they are admitted through the rooms as a finished
// sign-in is, because 100 000 sign-ins over the wire take minutes. Everything else of it is the gate's own.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What the gate is told of its provider. */
export interface CrowdOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly upstream: string;
}

/** How long the gate's own work held its event loop up: processor time between two ticks of a timer of 5 ms. */
export interface LoopWork {
  readonly p99Ms: number;
  readonly maxMs: number;
}

export class CrowdedGate {
  readonly publicUrl: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, publicUrl: string) {
    this.#child = child;
    this.publicUrl = publicUrl;
  }

  /** Ready: it has the provider's keys. */
  static async start(options: CrowdOptions): Promise<CrowdedGate> {
    const child = fork(fileURLToPath(new URL('./crowded-gate-process.ts', import.meta.url)));
    return new CrowdedGate(child, await ask<string>(child, 'start', options));
  }

  /**
   * Admits sessions of user 0, 1, … with `sub-N` and `sid-N`, after those that are there.
   * @returns the Cookie headers of the last hundred
   */
  admit(count: number): Promise<string[]> {
    return ask(this.#child, 'admit', count);
  }

  /** How many sessions are alive. */
  size(): Promise<number> {
    return ask(this.#child, 'size');
  }

  /** Begins to watch the event loop. */
  watchLoop(): Promise<void> {
    return ask(this.#child, 'watchLoop');
  }

  /** How the event loop fared since. */
  loopWork(): Promise<LoopWork> {
    return ask(this.#child, 'loopWork');
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await gone;
  }
}

/** One question at a time. */
function ask<Result>(child: ChildProcess, name: string, question?: unknown): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`the crowded gate ended (${code}) instead of: ${name}`));
    child.once('exit', onExit);
    child.once('message', ({ result, error }: { result: Result; error?: string }) => {
      child.off('exit', onExit);
      if (error === undefined) resolve(result);
      else reject(new Error(error));
    });
    child.send({ name, question: question ?? null });
  });
}
