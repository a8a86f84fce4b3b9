// The real gate before a provider that signs whatever a test wants: for tokens that no honest provider sends. Signing in
// takes no form; the test says who comes back from the provider.

import { randomBytes } from 'node:crypto';
import { BrowserClient } from './browser-client.ts';
import { CLIENT_ID, CLIENT_SECRET, FakeProvider } from './fake-provider.ts';
import { type GateAddresses, GateProcess, reserveAddresses } from './gate-process.ts';
import { LegacyApp } from './legacy-app.ts';

export interface SignedInAs {
  readonly sub: string;
  readonly sid: string;
}

export class ForgedGate {
  readonly fake: FakeProvider;
  readonly app: LegacyApp;
  readonly gate: GateProcess;
  readonly addresses: GateAddresses;
  readonly #browsers: BrowserClient[] = [];

  private constructor(parts: Pick<ForgedGate, 'fake' | 'app' | 'gate' | 'addresses'>) {
    this.fake = parts.fake;
    this.app = parts.app;
    this.gate = parts.gate;
    this.addresses = parts.addresses;
  }

  static async start(): Promise<ForgedGate> {
    const fake = await FakeProvider.start();
    const app = await new LegacyApp().listen();
    const addresses = await reserveAddresses();
    const gate = await GateProcess.start({
      public_url: addresses.publicUrl,
      server: { listen: addresses.listen },
      admin: { listen: addresses.adminListen },
      provider: { issuer: fake.issuer, client_id: CLIENT_ID, client_secret: CLIENT_SECRET },
      session: { secret: randomBytes(32).toString('hex') },
      routes: [{ name: 'app', upstream: app.origin }],
    });
    await gate.event('provider.ready');
    return new ForgedGate({ fake, app, gate, addresses });
  }

  browser(): BrowserClient {
    const browser = new BrowserClient();
    this.#browsers.push(browser);
    return browser;
  }

  /** A new browser whose user comes back from the provider as `who`. */
  async signedIn(who: SignedInAs): Promise<BrowserClient> {
    const browser = this.browser();
    const { fake, addresses } = this;
    const start = await browser.request(`${addresses.publicUrl}/_gate/login?return_to=/echo`, { mode: 'navigate' });
    const asked = new URL(start.headers.location!).searchParams;
    const nonce = asked.get('nonce') ?? undefined;
    fake.userinfo = { sub: who.sub };
    fake.issue = (grant) => ({ ...fake.tokens(grant), id_token: fake.idToken({ ...who, nonce }) });
    const back = new URLSearchParams({ code: 'code-1', state: asked.get('state')!, iss: fake.issuer });
    const page = await browser.navigate(`${addresses.publicUrl}/_gate/callback?${back}`);
    if (page.url !== `${addresses.publicUrl}/echo`)
      throw new Error(`no sign-in: ${page.status} at ${page.url}: ${JSON.stringify(this.gate.log.at(-1))}`);
    return browser;
  }

  /** Whether the browser's session still works. */
  async isSignedIn(browser: BrowserClient): Promise<boolean> {
    return (await browser.request(`${this.addresses.publicUrl}/echo`)).status === 200;
  }

  async close(): Promise<void> {
    for (const browser of this.#browsers) browser.close();
    try {
      await this.gate.stop();
    } finally {
      await Promise.all([this.app.close(), this.fake.server.stop()]);
    }
  }
}
