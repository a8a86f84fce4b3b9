// A Redis Cluster of six local nodes, three masters and three replicas.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { RedisServer } from './redis-server.ts';

const run = promisify(execFile);

export class RedisCluster {
  readonly nodes: readonly RedisServer[];

  private constructor(nodes: readonly RedisServer[]) {
    this.nodes = nodes;
  }

  static async start(): Promise<RedisCluster> {
    const settings = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1500'];
    const nodes = await Promise.all(Array.from({ length: 6 }, () => startNode(settings)));
    const cluster = new RedisCluster(nodes);
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes']);
    for (const node of nodes) {
      while (!/cluster_state:ok/.test(await node.command('CLUSTER', 'INFO'))) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    return cluster;
  }

  /** One command, sent to whichever node has its key. */
  async command(...args: readonly string[]): Promise<string> {
    const { stdout } = await run('redis-cli', ['-c', '-p', String(this.nodes[0]!.port), ...args]);
    return stdout;
  }

  async flush(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.command('FLUSHALL').catch(() => '')));
  }

  /** The node that has this key, as its master. */
  async masterOf(key: string): Promise<RedisServer> {
    for (const node of this.nodes) {
      const isMaster = /role:master/.test(await node.command('INFO', 'replication'));
      if (isMaster && !(await node.command('EXISTS', key)).startsWith('-MOVED')) return node;
    }
    throw new Error(`no node has ${key}`);
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()));
  }
}

/** A node takes a second port, 10000 above its own, and somebody else may have that. */
async function startNode(settings: readonly string[]): Promise<RedisServer> {
  for (;;) {
    try {
      return await RedisServer.start(settings);
    } catch {}
  }
}
