// A gate within the test's process, between an embedded provider and a legacy app, all on free loopback ports. For tests
// that must look into timing or force a race; what a user sees is tested with GateProcess.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type RunningGate, startGate } from '../../src/app/start-gate.ts';
import { formatProblem, type LoadResult, loadConfig } from '../../src/config/load-config.ts';
import { BrowserClient, type Page } from './browser-client.ts';
import { EmbeddedProvider, type EmbeddedProviderOptions } from './embedded-provider.ts';
import { type GateAddresses, type LogLine, reserveAddresses } from './gate-process.ts';
import { LegacyApp } from './legacy-app.ts';

export interface TestGateOptions {
  /** Sections of the configuration, laid over the smallest one; lists as a whole, or made from the app's address and the gate's. */
  readonly config?: Record<string, unknown>;
  readonly provider?: Partial<EmbeddedProviderOptions>;
  readonly providerAtStart?: 'up' | 'down';
  /** Names of further public origins, all of 127.0.0.1 and on the gate's port: `notes.localhost`. */
  readonly hosts?: readonly string[];
}

export const ADMIN_TOKEN = 'an admin token that only tests know';

export class TestGate {
  readonly addresses: GateAddresses;
  readonly provider: EmbeddedProvider;
  readonly app: LegacyApp;
  readonly log: LogLine[] = [];
  /** Everything that was written to the log, as it was written. */
  output = '';
  #gate: RunningGate | undefined;
  #waiting: (() => void)[] = [];
  readonly #browsers: BrowserClient[] = [];

  private constructor(addresses: GateAddresses, provider: EmbeddedProvider, app: LegacyApp) {
    this.addresses = addresses;
    this.provider = provider;
    this.app = app;
  }

  static async start(options: TestGateOptions = {}): Promise<TestGate> {
    const addresses = await reserveAddresses();
    const { publicUrl, adminUrl } = addresses;
    const urls = [publicUrl, ...(options.hosts ?? []).map((host) => publicUrl.replace('127.0.0.1', host))];
    const app = await new LegacyApp().listen();
    const provider = await EmbeddedProvider.start({
      clients: [
        {
          id: 'gate',
          redirectUris: urls.map((url) => `${url}/_gate/callback`),
          postLogoutRedirectUris: urls.map((url) => `${url}/_gate/logged-out`),
          backchannelLogoutUri: `${adminUrl}/backchannel-logout`,
        },
      ],
      ...options.provider,
    });
    const test = new TestGate(addresses, provider, app);
    if (options.providerAtStart === 'down') await provider.stop();
    await test.#start({ public_url: urls, ...options.config });
    if (options.providerAtStart !== 'down') await test.event('provider.ready');
    return test;
  }

  async #start(overrides: Record<string, unknown>): Promise<void> {
    const loaded = await this.#load(overrides);
    if ('problems' in loaded) throw new Error(loaded.problems.map(formatProblem).join('\n'));
    this.#gate = await startGate(loaded.config, { destination: this.#logSink() });
  }

  /** Puts another configuration in force, laid over the smallest one as at the start; returns what the gate says to it. */
  async reload(overrides: Record<string, unknown>): Promise<LogLine> {
    const before = this.log.length;
    this.#gate!.reload(await this.#load(overrides));
    return this.log.slice(before).find(({ event }) => event?.startsWith('config.'))!;
  }

  async #load(overrides: Record<string, unknown>): Promise<LoadResult> {
    const { publicUrl, listen, adminListen } = this.addresses;
    const config: Record<string, unknown> = {
      public_url: publicUrl,
      server: { listen },
      admin: { listen: adminListen, token: ADMIN_TOKEN },
      provider: { issuer: this.provider.issuer, client_id: 'gate', client_secret: 'secret of gate' },
      session: { secret: 'a session secret that only tests know' },
      routes: [{ name: 'app', upstream: this.app.origin }],
    };
    for (const [key, value] of Object.entries(overrides)) {
      if (typeof value === 'function') config[key] = value(this.app.origin, publicUrl);
      else if (Array.isArray(value) || typeof value !== 'object') config[key] = value;
      else config[key] = { ...(config[key] as object), ...value };
    }
    const folder = await mkdtemp(join(tmpdir(), 'portcullis-test-'));
    const file = join(folder, 'portcullis.yaml');
    await writeFile(file, JSON.stringify(config));
    const loaded = loadConfig({ file, env: {} });
    await rm(folder, { recursive: true });
    return loaded;
  }

  /** The URL of a path on the gate. */
  url(path: string): string {
    return `${this.addresses.publicUrl}${path}`;
  }

  browser(): BrowserClient {
    const browser = new BrowserClient();
    this.#browsers.push(browser);
    return browser;
  }

  /** A browser that has signed in and has arrived at `path`. */
  async signedIn(user = 'alice', path = '/echo'): Promise<BrowserClient> {
    const browser = this.browser();
    await this.signIn(browser, user, path);
    return browser;
  }

  /** Opens `path`, fills in the provider's form, and returns the page where that ends. */
  async signIn(browser: BrowserClient, user = 'alice', path = '/echo'): Promise<Page> {
    const form = await browser.navigate(this.url(path));
    return browser.submit(form, { username: user });
  }

  /** The first log line with this event and these fields, when it comes. */
  async event(name: string, fields: Record<string, unknown> = {}): Promise<LogLine> {
    for (;;) {
      const found = this.log.find(
        (line) => line.event === name && Object.entries(fields).every(([key, value]) => line[key] === value),
      );
      if (found) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async admin(method: string, path: string): Promise<{ status: number; body: Record<string, unknown> }> {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    const response = await fetch(`${this.addresses.adminUrl}${path}`, { method, headers });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  /** A logout token as the provider would post it. */
  async notify(logoutToken: string): Promise<number> {
    const body = new URLSearchParams({ logout_token: logoutToken });
    const response = await fetch(`${this.addresses.adminUrl}/backchannel-logout`, { method: 'POST', body });
    await response.arrayBuffer();
    return response.status;
  }

  /** Stops the gate as SIGTERM does; browsers, app and provider live on. */
  async stopGate(): Promise<void> {
    await this.#gate?.stop('test');
    this.#gate = undefined;
  }

  async close(): Promise<void> {
    for (const browser of this.#browsers) browser.close();
    await this.app.close();
    await this.#gate?.stop('end of test');
    await this.provider.close();
  }

  #logSink(): Writable {
    let rest = '';
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.output += chunk.toString();
        const lines = (rest + chunk.toString()).split('\n');
        rest = lines.pop()!;
        for (const line of lines) this.log.push(JSON.parse(line) as LogLine);
        for (const wake of this.#waiting.splice(0)) wake();
        done();
      },
    });
  }
}
