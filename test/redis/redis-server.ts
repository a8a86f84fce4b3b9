// A real Redis server for a test, with data of its own in a folder of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';

/** One server; it can be stopped and started again on the same port. */
export class RedisServer {
  readonly port: number;
  readonly folder: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(port: number, folder: string, args: readonly string[]) {
    this.port = port;
    this.folder = folder;
    this.#args = args;
  }

  /** A server that answers; `args` are settings, as on redis-server's command line. */
  static async start(args: readonly string[] = []): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'portcullis-redis-'));
    const server = new RedisServer(await freePort(), folder, args);
    await server.start();
    return server;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}/0`;
  }

  async start(): Promise<void> {
    const settings = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.folder, '--save', ''];
    this.#child = spawn('redis-server', [...settings, ...this.#args], { stdio: 'ignore' });
    while (!(await this.#answers())) {
      if (this.#child.exitCode !== null) throw new Error('redis-server ended at once');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Ends the process, at once unless told otherwise; what it had in memory only is gone. */
  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGCONT');
    child.kill(signal);
    await exited;
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Breaks every connection, as a failover or a firewall does; `password` of whoever may. */
  async dropClients(password?: string): Promise<void> {
    const kill = (type: string) => ['CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes'];
    const login = password === undefined ? [] : [['AUTH', password]];
    await this.#send([...login, kill('pubsub'), kill('normal')]);
  }

  /** The raw answer to one command, as text; for settings and for looking into the store. */
  command(...args: readonly string[]): Promise<string> {
    return this.#send([args]);
  }

  #send(commands: readonly (readonly string[])[]): Promise<string> {
    return RedisServer.ask(this.port, ...commands);
  }

  /** The raw answers of whatever server listens on this port of 127.0.0.1. */
  static ask(port: number, ...commands: readonly (readonly string[])[]): Promise<string> {
    const request = [...commands, ['QUIT']]
      .map((args) => `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join('')}`)
      .join('');
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      let answer = '';
      socket.on('error', reject);
      socket.on('data', (chunk: Buffer) => {
        answer += chunk.toString('latin1');
      });
      socket.on('close', () => resolve(answer));
      // Redis answers everything that it was sent before it closes.
      socket.end(request);
    });
  }

  async #answers(): Promise<boolean> {
    try {
      return (await this.command('PING')).startsWith('+PONG');
    } catch {
      return false;
    }
  }
}
