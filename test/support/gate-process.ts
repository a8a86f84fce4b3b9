// The gate as its users run it: the real command in a process of its own, on a configuration file in a folder of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';

const LAUNCHER = fileURLToPath(new URL('../../src/launch.js', import.meta.url));

// The drain is 30 s by default; what a test leaves open is closed before it.
const STOP_LIMIT_MS = 20_000;

/** A line of the log, parsed. */
export type LogLine = Record<string, unknown> & { event?: string };

export interface GateAddresses {
  /** Where browsers reach it, `http://127.0.0.1:…`. */
  readonly publicUrl: string;
  readonly adminUrl: string;
  readonly listen: string;
  readonly adminListen: string;
}

/** Addresses for a gate that is about to start: its registration at the provider needs them first. */
export async function reserveAddresses(host = '127.0.0.1'): Promise<GateAddresses> {
  const [port, adminPort] = [await freePort(), await freePort()];
  return {
    publicUrl: `http://${host}:${port}`,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    listen: `127.0.0.1:${port}`,
    adminListen: `127.0.0.1:${adminPort}`,
  };
}

export interface GateExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class GateProcess {
  readonly log: LogLine[] = [];
  /** Standard error, and what of standard output is no JSON. */
  output = '';
  readonly exited: Promise<GateExit>;
  readonly #child: ChildProcess;
  readonly #folder: string;
  #waiting: (() => void)[] = [];
  #hasExited = false;

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    createInterface({ input: child.stdout! }).on('line', (line) => this.#take(line));
    child.stderr!.on('data', (chunk: Buffer) => {
      this.output += chunk.toString();
    });
    this.exited = new Promise((resolve) =>
      child.on('close', (code, signal) => {
        this.#hasExited = true;
        this.#wake();
        resolve({ code, signal });
      }),
    );
  }

  /** `portcullis <args> -c <file with config>`; returns at once. JSON is YAML, so the file is as a user would have it. */
  static async run(
    args: readonly string[],
    config: object | string,
    env: Record<string, string> = {},
  ): Promise<GateProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'portcullis-test-'));
    const file = join(folder, 'portcullis.yaml');
    await writeFile(file, typeof config === 'string' ? config : JSON.stringify(config, null, 2));
    const child = spawn(process.execPath, [LAUNCHER, ...args, '-c', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    return new GateProcess(child, folder);
  }

  /** `portcullis start`, ready to be asked. @throws with all it printed where it stops instead. */
  static async start(config: object | string, env: Record<string, string> = {}): Promise<GateProcess> {
    const gate = await GateProcess.run(['start'], config, env);
    if ((await gate.event('gate.started')) === undefined) {
      const { code, signal } = await gate.exited;
      throw new Error(`the gate did not start (${code ?? signal}): ${gate.output}${JSON.stringify(gate.log)}`);
    }
    return gate;
  }

  /** Writes a file of the gate's folder anew, the configuration unless another is named. */
  async rewrite(content: object | string, name = 'portcullis.yaml'): Promise<void> {
    await writeFile(join(this.#folder, name), typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /**
   * The first log line with this `event`, and `matches`, among those that were written or will be; undefined when the
   * process ended without it.
   */
  async event(name: string, matches: (line: LogLine) => boolean = () => true): Promise<LogLine | undefined> {
    for (;;) {
      const found = this.log.find((line) => line.event === name && matches(line));
      if (found !== undefined || this.#hasExited) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Everything it ever wrote, for tests that look for what must not be there. */
  written(): string {
    return this.output + this.log.map((line) => JSON.stringify(line)).join('\n');
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it by `signal`. @throws where it does not end by that. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<GateExit> {
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_LIMIT_MS);
    const exit = await this.exited;
    clearTimeout(timer);
    await rm(this.#folder, { recursive: true, force: true });
    if (exit.signal === 'SIGKILL' && signal !== 'SIGKILL') throw new Error(`the gate did not stop: ${this.written()}`);
    return exit;
  }

  #take(line: string): void {
    try {
      this.log.push(JSON.parse(line) as LogLine);
    } catch {
      this.output += `${line}\n`;
    }
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
