// The plain Koa gate of `bench/peers` as a process on the server's core, with somebody signed in.

import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { launch, stop } from './children.ts';
import { Inspector } from './inspector.ts';

const KOA_GATE = fileURLToPath(new URL('../peers/koa-gate.ts', import.meta.url));

export class KoaPeer {
  readonly origin: string;
  readonly pid: number;
  readonly inspector: Promise<Inspector> | undefined;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, origin: string, inspector: Promise<Inspector> | undefined) {
    this.origin = origin;
    this.pid = child.pid!;
    this.inspector = inspector;
    this.#child = child;
  }

  static async start(upstreamOrigin: string, nodeOptions: readonly string[] = []): Promise<KoaPeer> {
    const child = launch([process.execPath, ...nodeOptions, KOA_GATE, '0', upstreamOrigin], {
      place: 'server',
      stdio: ['ignore', 'pipe', nodeOptions.length > 0 ? 'pipe' : 'inherit'],
      env: { ...process.env, NODE_ENV: 'production' },
    });
    const inspector = nodeOptions.some((option) => option.startsWith('--inspect')) ? Inspector.of(child) : undefined;
    const port = await new Promise<string>((resolve, reject) => {
      child.stdout!.on('data', (chunk: Buffer) => resolve(/\d+/.exec(chunk.toString())![0]));
      child.once('exit', () => reject(new Error('the Koa gate did not start')));
    });
    return new KoaPeer(child, `http://127.0.0.1:${port}`, inspector);
  }

  /** The Cookie header of a session of `user`. */
  async signIn(user: string): Promise<string> {
    const answer = await fetch(`${this.origin}/login?user=${user}`);
    await answer.arrayBuffer();
    return answer.headers
      .getSetCookie()
      .map((line) => line.split(';', 1)[0]!)
      .join('; ');
  }

  stop(): Promise<void> {
    return stop(this.#child);
  }
}
