// Everything that a test of the real thing needs at once: a realm of its own in Keycloak, the gate as a process in front of
// a legacy app, the relay that times Keycloak's notices, and a second application.

import { randomBytes } from 'node:crypto';
import { BrowserClient, type Page } from '../support/browser-client.ts';
import { GateProcess, reserveAddresses } from '../support/gate-process.ts';
import { LegacyApp } from '../support/legacy-app.ts';
import { acmeRealm, CLIENT_SECRET, PASSWORD } from './keycloak-realm.ts';
import type { KeycloakServer } from './keycloak-server.ts';
import { NoticeRelay } from './notice-relay.ts';
import { SecondApp } from './second-app.ts';

export interface StageOptions {
  /** Merged into the gate's `provider` section. */
  provider?: Record<string, unknown>;
  session?: Record<string, unknown>;
  accessTokenSeconds?: number;
  publicKeyPem?: string;
  /** Logout tokens name the session (the default), or only its user. */
  noticeNames?: 'session' | 'user';
}

export class Stage {
  readonly realm: string;
  readonly issuer: string;
  /** Where browsers reach the gate. */
  readonly url: string;
  readonly adminUrl: string;
  readonly keycloak: KeycloakServer;
  readonly gate: GateProcess;
  readonly app: LegacyApp;
  readonly relay: NoticeRelay;
  readonly secondApp: SecondApp;
  readonly #browsers: BrowserClient[] = [];

  private constructor(
    parts: Pick<Stage, 'realm' | 'issuer' | 'url' | 'adminUrl' | 'keycloak' | 'gate' | 'app' | 'relay' | 'secondApp'>,
  ) {
    this.realm = parts.realm;
    this.issuer = parts.issuer;
    this.url = parts.url;
    this.adminUrl = parts.adminUrl;
    this.keycloak = parts.keycloak;
    this.gate = parts.gate;
    this.app = parts.app;
    this.relay = parts.relay;
    this.secondApp = parts.secondApp;
  }

  static async set(keycloak: KeycloakServer, options: StageOptions = {}): Promise<Stage> {
    const realm = `acme-${randomBytes(4).toString('hex')}`;
    const issuer = `${keycloak.origin}/realms/${realm}`;
    const { publicUrl: url, adminUrl, listen, adminListen } = await reserveAddresses();
    const app = await new LegacyApp().listen();
    const relay = await new NoticeRelay(`${url}/_gate/backchannel-logout`).listen();
    const secondApp = await new SecondApp().listen();
    await keycloak.admin.createRealm(
      acmeRealm({ ...options, name: realm, gateUrl: url, noticeUrl: relay.url, secondApp }),
    );
    const gate = await GateProcess.start({
      public_url: url,
      server: { listen },
      admin: { listen: adminListen, token: ADMIN_TOKEN },
      provider: { issuer, client_id: 'gate', client_secret: CLIENT_SECRET, ...options.provider },
      session: { secret: randomBytes(32).toString('hex'), ...options.session },
      routes: [
        {
          name: 'wiki',
          upstream: app.origin,
          headers: { preset: 'oauth2-proxy', set: { 'X-Roles': '{realm_access.roles}', 'X-Staff': '{groups}' } },
          access: [{ path: '/admins-only', roles: ['wiki-admin'] }],
        },
      ],
    });
    return new Stage({ realm, issuer, url, adminUrl, keycloak, gate, app, relay, secondApp });
  }

  /** A browser of its own: no cookies yet. */
  browser(): BrowserClient {
    const browser = new BrowserClient();
    this.#browsers.push(browser);
    return browser;
  }

  /** Goes to `path`, fills in Keycloak's form, and arrives. */
  async signIn(browser: BrowserClient, username: string, path = '/echo'): Promise<Page> {
    const page = await browser.navigate(this.url + path);
    return browser.submit(page, { username, password: PASSWORD }, 'login-actions');
  }

  /** The `sid` of the session of `username` that began last. */
  async newestSid(username: string): Promise<string> {
    const sessions = await this.keycloak.admin.sessions(this.realm, username);
    const newest = sessions.sort((a, b) => b.start - a.start)[0];
    if (newest === undefined) throw new Error(`${username} has no session`);
    return newest.id;
  }

  async close(): Promise<void> {
    for (const browser of this.#browsers) browser.close();
    await this.gate.stop();
    await Promise.all([this.app.close(), this.relay.close(), this.secondApp.close()]);
    await this.keycloak.admin.deleteRealm(this.realm);
  }
}

/** The bearer of the gate's admin listener. */
export const ADMIN_TOKEN = 'the-token-of-the-admin-listener-of-this-test';
