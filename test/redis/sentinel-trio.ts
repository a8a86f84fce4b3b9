// A master, its replica and three sentinels, all real.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import { RedisServer } from './redis-server.ts';

export class SentinelTrio {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly ports: readonly number[];
  readonly #sentinels: readonly ChildProcess[];
  readonly #folder: string;

  private constructor(servers: [RedisServer, RedisServer], sentinels: ChildProcess[], ports: number[], folder: string) {
    [this.master, this.replica] = servers;
    this.#sentinels = sentinels;
    this.ports = ports;
    this.#folder = folder;
  }

  /** A replica in step with its master, and sentinels that know all of it. */
  static async start(): Promise<SentinelTrio> {
    const master = await RedisServer.start();
    const replica = await RedisServer.start(['--replicaof', '127.0.0.1', String(master.port)]);
    const folder = await mkdtemp(join(tmpdir(), 'portcullis-sentinel-'));
    const ports = [await freePort(), await freePort(), await freePort()];
    const sentinels: ChildProcess[] = [];
    for (const port of ports) {
      const file = join(folder, `${port}.conf`);
      const settings = [
        `port ${port}`,
        'bind 127.0.0.1',
        `sentinel monitor wiki 127.0.0.1 ${master.port} 2`,
        'sentinel down-after-milliseconds wiki 500',
        'sentinel failover-timeout wiki 3000',
      ];
      await writeFile(file, `${settings.join('\n')}\n`);
      sentinels.push(spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' }));
    }
    const trio = new SentinelTrio([master, replica], sentinels, ports, folder);
    while (!(await trio.#isComplete())) await new Promise((resolve) => setTimeout(resolve, 50));
    return trio;
  }

  async close(): Promise<void> {
    for (const sentinel of this.#sentinels) sentinel.kill('SIGKILL');
    await this.master.close();
    await this.replica.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #isComplete(): Promise<boolean> {
    if (!/master_link_status:up/.test(await this.replica.command('INFO', 'replication'))) return false;
    for (const port of this.ports) {
      const known = await RedisServer.ask(port, ['SENTINEL', 'MASTER', 'wiki']).catch(() => '');
      if (!/num-slaves\r\n\$1\r\n1/.test(known) || !/num-other-sentinels\r\n\$1\r\n2/.test(known)) return false;
    }
    return true;
  }
}
