// Two gates as users run them, each a process of its own, on one store: a provider, an application, and browsers whose cookies
// count at both.

import { BrowserClient } from '../support/browser-client.ts';
import { EmbeddedProvider, type EmbeddedProviderOptions } from '../support/embedded-provider.ts';
import { type GateAddresses, GateProcess, reserveAddresses } from '../support/gate-process.ts';
import { LegacyApp } from '../support/legacy-app.ts';

export interface GatePairOptions {
  /** Each gate's `session.redis`. */
  readonly redis: readonly [object, object];
  readonly session?: object;
  readonly routes?: (upstream: string) => readonly object[];
  readonly provider?: Partial<EmbeddedProviderOptions>;
}

/** One of the two. */
export interface Gate {
  readonly addresses: GateAddresses;
  readonly config: object;
  process: GateProcess;
}

export class GatePair {
  readonly a: Gate;
  readonly b: Gate;
  readonly provider: EmbeddedProvider;
  readonly app: LegacyApp;
  readonly #browsers: BrowserClient[] = [];

  private constructor(gates: readonly [Gate, Gate], provider: EmbeddedProvider, app: LegacyApp) {
    [this.a, this.b] = gates;
    this.provider = provider;
    this.app = app;
  }

  /** Notices go to the first gate. */
  static async start(options: GatePairOptions): Promise<GatePair> {
    const addresses = [await reserveAddresses(), await reserveAddresses()] as const;
    const urls = addresses.map(({ publicUrl }) => publicUrl);
    const app = await new LegacyApp().listen();
    const provider = await EmbeddedProvider.start({
      clients: [
        {
          id: 'gate',
          redirectUris: urls.map((url) => `${url}/_gate/callback`),
          postLogoutRedirectUris: urls.map((url) => `${url}/_gate/logged-out`),
          backchannelLogoutUri: `${addresses[0].adminUrl}/backchannel-logout`,
        },
      ],
      ...options.provider,
    });
    const start = async (i: 0 | 1): Promise<Gate> => {
      const config = {
        public_url: urls,
        server: { listen: addresses[i].listen, timeouts: { drain: '1s' } },
        admin: { listen: addresses[i].adminListen, token: 'an admin token that only tests know' },
        provider: { issuer: provider.issuer, client_id: 'gate', client_secret: 'secret of gate' },
        session: {
          secret: 'a session secret that only tests know',
          store: 'redis',
          redis: options.redis[i],
          ...options.session,
        },
        routes: options.routes?.(app.origin) ?? [
          { name: 'app', upstream: app.origin, access: [{ path: '/1k', auth: 'public' }] },
        ],
      };
      return { addresses: addresses[i], config, process: await GateProcess.start(config) };
    };
    const pair = new GatePair([await start(0), await start(1)], provider, app);
    for (const { process } of [pair.a, pair.b]) await process.event('provider.ready');
    return pair;
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
    await browser.submit(form, { username: user });
    return browser;
  }

  /** The gate again, after its process has ended. */
  async restart(gate: Gate): Promise<void> {
    gate.process = await GateProcess.start(gate.config);
    await gate.process.event('provider.ready');
  }

  async close(): Promise<void> {
    for (const browser of this.#browsers) browser.close();
    await this.app.close();
    for (const { process } of [this.a, this.b]) {
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
