// A real application as a process of its own, in a folder of its own that goes with it.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface AppCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Any answer below 500 says that it is there. */
  readonly readyUrl: string;
}

// Java under load takes the longest.
const START_LIMIT_MS = 90_000;

export class AppProcess {
  readonly #name: string;
  readonly #child: ChildProcess;
  #output = '';

  private constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#child = child;
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-20_000);
      });
    }
    process.once('exit', () => this.#kill());
  }

  /** Ready to be asked. @throws with what it printed where it stops instead. */
  static async start({ command, args, env, cwd, readyUrl }: AppCommand): Promise<AppProcess> {
    // A process group of its own: applications start others.
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      ...(cwd !== undefined && { cwd }),
    });
    const app = new AppProcess(command, child);
    const deadline = Date.now() + START_LIMIT_MS;
    while (!(await answers(readyUrl))) {
      if (child.exitCode !== null || Date.now() > deadline) {
        app.#kill();
        throw new Error(`${command} did not come up (${child.exitCode}):\n${app.#output}`);
      }
      await delay(50);
    }
    return app;
  }

  /** The end of what it has printed so far. */
  get output(): string {
    return this.#output;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      throw new Error(`${this.#name} has ended by itself:\n${this.#output}`);
    }
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    // Nothing of it is kept.
    this.#kill();
    await gone;
  }

  #kill(): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { redirect: 'manual' });
    await response.arrayBuffer();
    return response.status < 500;
  } catch {
    return false;
  }
}

/** A folder for an application's files, and how it goes. */
export async function appFolder(name: string): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), `portcullis-${name}-`));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}
