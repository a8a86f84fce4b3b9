// The gate as a bench runs it: the real command on a configuration file of its own, alone on the server's core.

import type { ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { BrowserClient } from '../../test/support/browser-client.ts';
import type { EmbeddedClient } from '../../test/support/embedded-provider.ts';
import { freePort } from '../../test/support/free-port.ts';
import { launch, stop, temporaryFolder } from './children.ts';
import { Inspector } from './inspector.ts';

const LAUNCHER = fileURLToPath(new URL('../../src/launch.js', import.meta.url));
const CLIENT_ID = 'bench';
const CLIENT_SECRET = 'the secret of the bench client at its provider';

/** Of every gate of a bench. */
export const ADMIN_TOKEN = 'the admin token of a bench that ends soon';

/** Where the gate will be, known before it starts, because its provider must know it first. */
export interface GateAddress {
  readonly publicUrl: string;
  readonly port: number;
  readonly adminPort: number;
  /** Its registration at the provider. */
  readonly client: EmbeddedClient;
}

export async function reserveGate(): Promise<GateAddress> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const publicUrl = `http://127.0.0.1:${port}`;
  return {
    publicUrl,
    port,
    adminPort,
    client: {
      id: CLIENT_ID,
      secret: CLIENT_SECRET,
      redirectUris: [`${publicUrl}/_gate/callback`],
      postLogoutRedirectUris: [`${publicUrl}/_gate/logged-out`],
    },
  };
}

export interface GateOptions {
  readonly address: GateAddress;
  readonly issuer: string;
  readonly routes: readonly object[];
  /** More of the configuration's `session` section. */
  readonly session?: object;
  /** For Node.js: `--inspect=127.0.0.1:0`, `--cpu-prof`. */
  readonly nodeOptions?: readonly string[];
}

export class BenchGate {
  readonly address: GateAddress;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #inspector: Promise<Inspector> | undefined;

  private constructor(child: ChildProcess, options: GateOptions) {
    this.#child = child;
    this.pid = child.pid!;
    this.address = options.address;
    const isInspected = options.nodeOptions?.some((option) => option.startsWith('--inspect')) ?? false;
    if (isInspected) this.#inspector = Inspector.of(child);
    else child.stderr!.pipe(process.stderr);
  }

  static async start(options: GateOptions): Promise<BenchGate> {
    const { address } = options;
    const file = join(await temporaryFolder(), 'portcullis.yaml');
    await writeFile(file, JSON.stringify(configuration(options), null, 2));
    const child = launch([process.execPath, ...(options.nodeOptions ?? []), LAUNCHER, 'start', '-c', file], {
      place: 'server',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_ENV: 'production' },
    });
    const gate = new BenchGate(child, options);
    await started(child);
    await ready(address.adminPort);
    return gate;
  }

  get inspector(): Promise<Inspector> {
    if (this.#inspector === undefined) throw new Error('the gate was started without --inspect');
    return this.#inspector;
  }

  /** A Prometheus metric without labels. */
  async metric(name: string): Promise<number | undefined> {
    const text = await (await fetch(`http://127.0.0.1:${this.address.adminPort}/metrics`)).text();
    const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1];
    return value === undefined ? undefined : Number(value);
  }

  /** Signs in through the provider's own form, as a browser does, and returns the Cookie header of the session. */
  async signIn(user: string): Promise<string> {
    const browser = new BrowserClient();
    try {
      const { publicUrl } = this.address;
      await browser.submit(await browser.navigate(`${publicUrl}/_gate/login?return_to=/`), { username: user });
      const { status, text } = await browser.request(`${publicUrl}/_gate/session`);
      if (JSON.parse(text).signed_in !== true) throw new Error(`not signed in: ${status} ${text}`);
      return browser.cookies.header(new URL(this.address.publicUrl))!;
    } finally {
      browser.close();
    }
  }

  /** Ends it; by SIGTERM it drains first, and writes what `--cpu-prof` gathered. */
  stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    return stop(this.#child, signal);
  }
}

function configuration({ address, issuer, routes, session }: GateOptions): object {
  return {
    public_url: address.publicUrl,
    server: { listen: `127.0.0.1:${address.port}` },
    admin: { listen: `127.0.0.1:${address.adminPort}`, token: ADMIN_TOKEN },
    provider: { issuer, client_id: CLIENT_ID, client_secret: CLIENT_SECRET },
    session: { secret: 'a session secret of a bench, 32 bytes and more', ...session },
    routes,
  };
}

/** Resolves at the line that says so. The log is read to its end: a full pipe would be a measurement of its own. */
function started(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const lines: string[] = [];
    child.stderr!.on('data', (chunk: Buffer) => void lines.push(chunk.toString()));
    createInterface({ input: child.stdout! }).on('line', (line) => {
      if (lines.length < 20) lines.push(line);
      if (line.includes('"gate.started"')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`the gate did not start (${code}): ${lines.join('\n')}`)));
  });
}

async function ready(adminPort: number): Promise<void> {
  const until = performance.now() + 10_000;
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`);
    const text = await answer.text();
    if (answer.ok) return;
    if (performance.now() > until) throw new Error(`the gate is not ready: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
