// The Redis server of a bench, on the core of everything that is not under test. It keeps all in memory.

import { createClient } from '@redis/client';
import { freePort } from '../../test/support/free-port.ts';
import { launch, temporaryFolder } from './children.ts';
import type { Place } from './placement.ts';

export type RedisClient = Awaited<ReturnType<typeof connect>>;

export class BenchRedis {
  readonly port: number;
  readonly pid: number;
  /** A connection of the bench's own. */
  readonly client: RedisClient;

  private constructor(port: number, pid: number, client: RedisClient) {
    this.port = port;
    this.pid = pid;
    this.client = client;
  }

  static async start(place: Place = 'others'): Promise<BenchRedis> {
    const port = await freePort();
    const folder = await temporaryFolder();
    const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
    const child = launch(['redis-server', ...settings], { place, stdio: ['ignore', 'ignore', 'inherit'] });
    return new BenchRedis(port, child.pid!, await connect(port));
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}/0`;
  }

  connect(): Promise<RedisClient> {
    return connect(this.port);
  }

  /** What the data takes, with all that Redis needs to find it. */
  async usedBytes(): Promise<number> {
    const info = await this.client.info('memory');
    return Number(/^used_memory:(\d+)/m.exec(info)?.[1]);
  }
}

async function connect(port: number) {
  const client = createClient({ RESP: 3, socket: { host: '127.0.0.1', port, reconnectStrategy: 20 } });
  client.on('error', () => {});
  await client.connect();
  return client;
}
