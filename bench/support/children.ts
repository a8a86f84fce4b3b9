// Processes of a bench. None outlives it: each is killed when the bench ends, fails or is interrupted.

import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandAt, type Placement } from './placement.ts';

const running = new Set<ChildProcess>();
const folders = new Set<string>();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.on(signal, () => process.exit(code));
}

/** A folder that is removed when the bench ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-bench-'));
  folders.add(folder);
  return folder;
}

export interface Launch extends Placement {
  readonly stdio: ('ignore' | 'pipe' | 'inherit' | 'ipc')[];
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts a program. The process id is that of the program itself. */
export function launch(command: readonly string[], { stdio, env, ...placement }: Launch): ChildProcess {
  const [file, args] = commandAt(placement, command);
  const child = spawn(file, args, { stdio, env: env ?? process.env });
  running.add(child);
  child.on('exit', () => running.delete(child));
  return child;
}

/** Kills it and waits until it is gone. */
export async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await gone;
}

/** What one script of `bench` answers when it is asked, by the name of the question. */
export type Answers = Readonly<Record<string, (question: never) => unknown>>;

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** A TypeScript file of the bench as a process of its own that answers questions (the other end: `answerParent`). */
export class Worker {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  #asked = 0;
  #isEnding = false;

  private constructor(child: ChildProcess, name: string) {
    this.#child = child;
    child.on('message', ({ id, result, error }: Reply) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result as never);
      else waiting?.reject(new Error(`${name}: ${error}`));
    });
    child.on('exit', (code, signal) => {
      const error = new Error(`${name} ended (${code ?? signal})`);
      if (!this.#isEnding) for (const { reject } of this.#waiting.values()) reject(error);
    });
  }

  static start(script: URL, placement: Placement, execArgv: readonly string[] = []): Worker {
    const file = fileURLToPath(script);
    const child = launch([process.execPath, ...execArgv, file], {
      ...placement,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    return new Worker(child, file);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  ask<Result>(name: string, question: unknown = {}): Promise<Result> {
    const id = this.#asked++;
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, name, question });
    });
  }

  async stop(): Promise<void> {
    this.#isEnding = true;
    await stop(this.#child);
  }
}

/** In a worker: answers what the parent asks, and ends with it. */
export function answerParent(answers: Answers): void {
  process.on('disconnect', () => process.exit());
  process.on('message', async ({ id, name, question }: { id: number; name: string; question: never }) => {
    const reply: Reply = await Promise.resolve()
      .then(() => answers[name]!(question))
      .then(
        (result) => ({ id, result }),
        (error: unknown) => ({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
      );
    process.send!(reply);
  });
}
