// A real application, and the gate before it as the documentation says, signed in at an OpenID provider.

import { BrowserClient, type Page } from '../support/browser-client.ts';
import { EmbeddedProvider } from '../support/embedded-provider.ts';
import { type GateAddresses, GateProcess, reserveAddresses } from '../support/gate-process.ts';
import { documentedConfig } from './documented-config.ts';

/** The client of the gate in every configuration of the page. */
const CLIENT_SECRET = 'a-secret-of-the-gate-and-its-provider';

/** Where users sign in, as a scene needs it. */
export interface ScenesProvider {
  readonly issuer: string;
  readonly clientSecret: string;
  /** What users fill in, and in which form of the page. */
  signIn(browser: BrowserClient, page: Page, user: string): Promise<Page>;
  /** Ends the user's sessions there, as an administrator does: clients are told. */
  endSessions(user: string): Promise<void>;
  close(): Promise<void>;
}

export interface SceneOptions {
  /** Of the page. */
  readonly heading: string;
  /** The application's origin. */
  readonly upstream: string;
  /** The client's id in that configuration. */
  readonly clientId: string;
  /** What its configuration reads from the environment besides the two secrets. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: an embedded one, with alice, bob and carol. */
  readonly provider?: (addresses: GateAddresses) => Promise<ScenesProvider>;
}

export class AppScene {
  readonly url: string;
  readonly provider: ScenesProvider;
  readonly gate: GateProcess;
  readonly #browsers: BrowserClient[] = [];

  private constructor(url: string, provider: ScenesProvider, gate: GateProcess) {
    this.url = url;
    this.provider = provider;
    this.gate = gate;
  }

  static async set(options: SceneOptions): Promise<AppScene> {
    const addresses = await reserveAddresses();
    const provider = await (options.provider?.(addresses) ?? embeddedProvider(options.clientId, addresses));
    const { upstream, heading, env } = options;
    const config = documentedConfig(heading, { ...addresses, issuer: provider.issuer, upstream });
    const gate = await GateProcess.start(config, {
      CLIENT_SECRET: provider.clientSecret,
      SESSION_SECRET: 'a session secret that only tests know',
      ...env,
    });
    await gate.event('provider.ready');
    return new AppScene(addresses.publicUrl, provider, gate);
  }

  browser(): BrowserClient {
    const browser = new BrowserClient();
    this.#browsers.push(browser);
    return browser;
  }

  /** Opens `path`, fills in the provider's form, and arrives. */
  async signIn(browser: BrowserClient, user: string, path: string): Promise<Page> {
    return this.provider.signIn(browser, await browser.navigate(this.url + path), user);
  }

  /** A click on a link of the application's page. */
  click(browser: BrowserClient, path: string): Promise<Page> {
    return browser.navigate(this.url + path, { site: 'same-origin' });
  }

  /** Ends the user's sessions at the provider, which tells the gate: when this returns it has answered. */
  async endAtProvider(user: string): Promise<void> {
    await this.provider.endSessions(user);
    await this.ended('backchannel_logout');
  }

  /** Waits until the log says that a session has ended for this reason. */
  async ended(reason: string): Promise<void> {
    await this.gate.event('session.ended', (line) => line['reason'] === reason);
  }

  async close(): Promise<void> {
    for (const browser of this.#browsers) browser.close();
    try {
      await this.gate.stop();
    } finally {
      await this.provider.close();
    }
  }
}

async function embeddedProvider(clientId: string, { publicUrl, adminUrl }: GateAddresses): Promise<ScenesProvider> {
  const provider = await EmbeddedProvider.start({
    clients: [
      {
        id: clientId,
        secret: CLIENT_SECRET,
        redirectUris: [`${publicUrl}/_gate/callback`],
        postLogoutRedirectUris: [`${publicUrl}/_gate/logged-out`],
        backchannelLogoutUri: `${adminUrl}/backchannel-logout`,
      },
    ],
    endsByRefreshToken: true,
  });
  return {
    issuer: provider.issuer,
    clientSecret: CLIENT_SECRET,
    signIn: (browser, page, username) => browser.submit(page, { username }),
    endSessions: (user) => provider.endSessions(user),
    close: () => provider.close(),
  };
}
