// A real Keycloak for as long as a suite runs: development mode, in-memory database, loopback only, a free port.

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../support/free-port.ts';
import { KeycloakAdmin } from './keycloak-admin.ts';
import { keycloakHome } from './keycloak-distribution.ts';

/** Set by `npm run test:keycloak`: the files of the suite share one server, each with a realm of its own. */
export const SHARED_KEYCLOAK = 'PORTCULLIS_TEST_KEYCLOAK';

/** Its administrator, in the realm `master`. */
export const ADMIN = { username: 'admin', password: 'admin' };

// Two cores under load take about 40 s, the very first start on a machine half as much again.
const START_LIMIT_MS = 240_000;

export class KeycloakServer {
  readonly origin: string;
  readonly admin: KeycloakAdmin;
  readonly #child: ChildProcess | undefined;

  private constructor(origin: string, child: ChildProcess | undefined) {
    this.origin = origin;
    this.admin = new KeycloakAdmin(origin, ADMIN);
    this.#child = child;
  }

  /** The server of this run of the suite, or one of its own for a file that is run alone. */
  static async use(): Promise<KeycloakServer> {
    const shared = process.env[SHARED_KEYCLOAK];
    return shared === undefined ? KeycloakServer.start() : new KeycloakServer(shared, undefined);
  }

  static async start(): Promise<KeycloakServer> {
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const args = ['start-dev', '--db=dev-mem', '--http-host=127.0.0.1', `--http-port=${port}`, `--hostname=${origin}`];
    let output = '';
    // A process group of its own: kc.sh starts Java more than once.
    const child = spawn(join(keycloakHome(), 'bin', 'kc.sh'), args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        KC_BOOTSTRAP_ADMIN_USERNAME: ADMIN.username,
        KC_BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password,
        // It runs for minutes: the optimising compiler costs more of them than it gives back.
        JAVA_OPTS_APPEND: '-XX:TieredStopAtLevel=1',
      },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-10_000);
      });
    }
    const server = new KeycloakServer(origin, child);
    process.once('exit', () => server.#kill('SIGKILL'));
    // A run that is broken off must not leave half a gigabyte of Java behind.
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
    const deadline = Date.now() + START_LIMIT_MS;
    while (!(await answers(`${origin}/realms/master/.well-known/openid-configuration`))) {
      if (child.exitCode !== null) throw new Error(`Keycloak stopped with ${child.exitCode}:\n${output}`);
      if (Date.now() > deadline) throw new Error(`Keycloak did not come up in ${START_LIMIT_MS} ms:\n${output}`);
      await delay(200);
    }
    return server;
  }

  async stop(): Promise<void> {
    if (this.#child === undefined || this.#child.exitCode !== null) return;
    const gone = new Promise((resolve) => this.#child!.once('exit', resolve));
    // Nothing of it is kept, so nothing has to be shut down in order.
    this.#kill('SIGKILL');
    await gone;
  }

  #kill(signal: NodeJS.Signals): void {
    try {
      if (this.#child?.pid !== undefined) process.kill(-this.#child.pid, signal);
    } catch {
      // It is gone already.
    }
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}
