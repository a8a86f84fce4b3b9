// Several gates as users run them, each a process of its own, on one store: a provider, an application, and browsers whose
// cookies count at all of them.

import { BrowserClient } from '../support/browser-client.ts';
import { EmbeddedProvider, type EmbeddedProviderOptions } from '../support/embedded-provider.ts';
import { type GateAddresses, GateProcess, reserveAddresses } from '../support/gate-process.ts';
import { LegacyApp, type LegacyAppOptions } from '../support/legacy-app.ts';

export interface GateFleetOptions {
  /** Each gate's `session.redis`; so many gates there are. */
  readonly redis: readonly object[];
  readonly session?: object;
  readonly routes?: (upstream: string) => readonly object[];
  readonly provider?: Partial<EmbeddedProviderOptions>;
  readonly app?: LegacyAppOptions;
  /** Laid over the environment of every gate. */
  readonly env?: Record<string, string>;
}

/** One of them. */
export interface Gate {
  readonly addresses: GateAddresses;
  readonly config: object;
  process: GateProcess;
}

export class GateFleet {
  readonly gates: readonly Gate[];
  readonly provider: EmbeddedProvider;
  readonly app: LegacyApp;
  readonly #env: Record<string, string>;
  readonly #browsers: BrowserClient[] = [];

  protected constructor({ gates, provider, app, env }: FleetParts) {
    this.gates = gates;
    this.provider = provider;
    this.app = app;
    this.#env = env;
  }

  static async start(options: GateFleetOptions): Promise<GateFleet> {
    return new GateFleet(await startParts(options));
  }

  browser(): BrowserClient {
    const browser = new BrowserClient();
    this.#browsers.push(browser);
    return browser;
  }

  /** A browser that has signed in at this gate. */
  async signedIn(gate: Gate, user = 'alice'): Promise<BrowserClient> {
    const browser = this.browser();
    const form = await browser.navigate(url(gate, '/echo'));
    const page = await browser.submit(form, { username: user });
    if (page.status !== 200) throw new Error(`${user} is not signed in: ${page.status} ${page.text}`);
    return browser;
  }

  /** What the gate answers to an honest notice for everything that the user has. */
  async notify(gate: Gate, user: string): Promise<number> {
    const body = new URLSearchParams({ logout_token: this.provider.logoutToken({ sub: `sub-${user}` }) });
    const answer = await fetch(`${gate.addresses.adminUrl}/backchannel-logout`, { method: 'POST', body });
    await answer.arrayBuffer();
    return answer.status;
  }

  /** The gate again, after its process has ended. */
  async restart(gate: Gate): Promise<void> {
    gate.process = await GateProcess.start(gate.config, this.#env);
    await gate.process.event('provider.ready');
  }

  async close(): Promise<void> {
    for (const browser of this.#browsers) browser.close();
    await this.app.close();
    for (const { process } of this.gates) {
      process.signal('SIGCONT');
      await process.stop('SIGKILL');
    }
    await this.provider.close();
  }
}

/** The address of a path at a gate. */
export function url(gate: Gate, path: string): string {
  return `${gate.addresses.publicUrl}${path}`;
}

export interface FleetParts {
  readonly gates: readonly Gate[];
  readonly provider: EmbeddedProvider;
  readonly app: LegacyApp;
  readonly env: Record<string, string>;
}

/** The provider sends its own notices to the first gate. */
export async function startParts(options: GateFleetOptions): Promise<FleetParts> {
  const addresses = await Promise.all(options.redis.map(() => reserveAddresses()));
  const urls = addresses.map(({ publicUrl }) => publicUrl);
  const app = await new LegacyApp(options.app).listen();
  const provider = await EmbeddedProvider.start({
    clients: [
      {
        id: 'gate',
        redirectUris: urls.map((url) => `${url}/_gate/callback`),
        postLogoutRedirectUris: urls.map((url) => `${url}/_gate/logged-out`),
        backchannelLogoutUri: `${addresses[0]!.adminUrl}/backchannel-logout`,
      },
    ],
    ...options.provider,
  });
  const env = options.env ?? {};
  const gates: Gate[] = [];
  for (const [i, redis] of options.redis.entries()) {
    const config = {
      public_url: urls,
      server: { listen: addresses[i]!.listen, timeouts: { drain: '1s' } },
      admin: { listen: addresses[i]!.adminListen, token: 'an admin token that only tests know' },
      provider: { issuer: provider.issuer, client_id: 'gate', client_secret: 'secret of gate' },
      session: {
        secret: 'a session secret that only tests know',
        store: 'redis',
        redis,
        ...options.session,
      },
      routes: options.routes?.(app.origin) ?? [
        { name: 'app', upstream: app.origin, access: [{ path: '/1k', auth: 'public' }] },
      ],
    };
    gates.push({ addresses: addresses[i]!, config, process: await GateProcess.start(config, env) });
  }
  for (const { process } of gates) await process.event('provider.ready');
  return { gates, provider, app, env };
}
