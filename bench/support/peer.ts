// A server of `bench/peers` as a process on the server's core.

import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { launch, stop } from './children.ts';
import { Inspector } from './inspector.ts';

/** `bare-forward` checks nothing; `koa-gate` signs in. */
export type PeerName = 'koa-gate' | 'bare-forward';

export class Peer {
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

  static async start(name: PeerName, upstreamOrigin: string, nodeOptions: readonly string[] = []): Promise<Peer> {
    const file = fileURLToPath(new URL(`../peers/${name}.ts`, import.meta.url));
    const child = launch([process.execPath, ...nodeOptions, file, '0', upstreamOrigin], {
      place: 'server',
      stdio: ['ignore', 'pipe', nodeOptions.length > 0 ? 'pipe' : 'inherit'],
      env: { ...process.env, NODE_ENV: 'production' },
    });
    const inspector = nodeOptions.some((option) => option.startsWith('--inspect')) ? Inspector.of(child) : undefined;
    const port = await new Promise<string>((resolve, reject) => {
      child.stdout!.on('data', (chunk: Buffer) => resolve(/\d+/.exec(chunk.toString())![0]));
      child.once('exit', () => reject(new Error(`${name} did not start`)));
    });
    return new Peer(child, `http://127.0.0.1:${port}`, inspector);
  }

  /** The Cookie header of a session of `user`, of the Koa gate. */
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
