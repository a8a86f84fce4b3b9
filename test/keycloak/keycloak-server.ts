// A real Keycloak for as long as a suite runs: development mode, in-memory database, loopback only, a free port.

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../support/free-port.ts';
import { KeycloakAdmin } from './keycloak-admin.ts';
import { CURRENT_KEYCLOAK, type KeycloakVersion, keycloakHome } from './keycloak-distribution.ts';

/** Set by `npm run test:keycloak`, `<version> <origin>`: the files of one version share a server, each with a realm of its own. */
export const SHARED_KEYCLOAK = 'PORTCULLIS_TEST_KEYCLOAK';

export interface KeycloakOptions {
  /** The current one where this is absent. */
  readonly version?: KeycloakVersion;
  /** Where browsers reach it, by `options`; default: where administrators do. */
  readonly hostname?: string;
  /** More options of the server, as on its command line. */
  readonly options?: readonly string[];
}

/** Its administrator, in the realm `master`. */
export const ADMIN = { username: 'admin', password: 'admin' };

// Two cores under load take about 40 s, the very first start on a machine half as much again.
const START_LIMIT_MS = 240_000;

/** What else a version is started with. */
function optionsOf(version: KeycloakVersion, origin: string): string[] {
  // `redirect_uri=` at the logout endpoint, which applications made for Keycloak 17 and older send.
  if (version === '18.0.2') return ['--spi-login-protocol-openid-connect-legacy-logout-redirect-uri=true'];
  // Before 25 the option takes no URL; in development mode they go by the address that they are called by.
  if (version === '22.0.5') return [];
  return [`--hostname=${origin}`];
}

export class KeycloakServer {
  readonly version: KeycloakVersion;
  readonly origin: string;
  readonly admin: KeycloakAdmin;
  readonly #child: ChildProcess | undefined;

  private constructor(version: KeycloakVersion, origin: string, child?: ChildProcess) {
    this.version = version;
    this.origin = origin;
    this.admin = new KeycloakAdmin(origin, ADMIN);
    this.#child = child;
  }

  /** The server of this run of the suite, or one of its own for a file that is run alone. */
  static async use(version: KeycloakVersion = CURRENT_KEYCLOAK): Promise<KeycloakServer> {
    const [sharedVersion, origin] = process.env[SHARED_KEYCLOAK]?.split(' ') ?? [];
    if (sharedVersion !== version || origin === undefined) return KeycloakServer.start({ version });
    return new KeycloakServer(version, origin);
  }

  static async start({
    version = CURRENT_KEYCLOAK,
    hostname,
    options = [],
  }: KeycloakOptions = {}): Promise<KeycloakServer> {
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const listen = ['--http-host=127.0.0.1', `--http-port=${port}`];
    const args = ['start-dev', '--db=dev-mem', ...listen, ...optionsOf(version, hostname ?? origin), ...options];
    let output = '';
    // A process group of its own: kc.sh starts Java more than once.
    const child = spawn(join(keycloakHome(version), 'bin', 'kc.sh'), args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        KC_BOOTSTRAP_ADMIN_USERNAME: ADMIN.username,
        KC_BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password,
        // The same before 26.
        KEYCLOAK_ADMIN: ADMIN.username,
        KEYCLOAK_ADMIN_PASSWORD: ADMIN.password,
        // It runs for minutes: the optimising compiler costs more of them than it gives back.
        JAVA_OPTS_APPEND: '-XX:TieredStopAtLevel=1',
      },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-10_000);
      });
    }
    const server = new KeycloakServer(version, origin, child);
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
