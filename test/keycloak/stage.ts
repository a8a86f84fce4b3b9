// Everything that a test of the real thing needs at once: a realm of its own in Keycloak, the gate as a process in front of
// a legacy app, the relay that times Keycloak's notices, and a second application.

import { randomBytes } from 'node:crypto';
import { BrowserClient, type Page } from '../support/browser-client.ts';
import { type GateAddresses, GateProcess, reserveAddresses } from '../support/gate-process.ts';
import { LegacyApp } from '../support/legacy-app.ts';
import { HttpRelay, type RelayedExchange } from './http-relay.ts';
import { acmeRealm, CLIENT_SECRET, type ClientChanges, PASSWORD, whereLoggedOutIs } from './keycloak-realm.ts';
import type { KeycloakServer } from './keycloak-server.ts';
import { SecondApp } from './second-app.ts';

export interface StageOptions {
  /** Merged into the gate's `provider` section; where it depends on the realm, a function of its issuer. */
  provider?: Record<string, unknown> | ((issuer: string) => Promise<Record<string, unknown>>);
  session?: Record<string, unknown>;
  logout?: Record<string, unknown>;
  /** Merged into the one route; where it depends on the application, a function of its origin. */
  route?: Record<string, unknown> | ((app: string) => Record<string, unknown>);
  /** Users besides those that every realm has. */
  users?: readonly string[];
  accessTokenSeconds?: number;
  publicKeyPem?: string;
  /** Logout tokens name the session (the default), or only its user. */
  noticeNames?: 'session' | 'user';
  /** Laid over the gate's client in Keycloak; a function of where Keycloak reaches the gate's own paths, `…/_gate`. */
  client?: (noticeBase: string) => ClientChanges;
  /** More clients in Keycloak. */
  clients?: readonly object[];
  /** Laid over the realm. */
  realm?: Record<string, unknown>;
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
  readonly relay: HttpRelay;
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
    const addresses = await reserveAddresses();
    // Dozens of connections are live at once beside Keycloak: fewer ticks leave it room.
    const app = await new LegacyApp({ tickMs: 100 }).listen();
    const relay = await new HttpRelay(`${addresses.publicUrl}/_gate/backchannel-logout`).listen();
    const secondApp = await new SecondApp().listen();
    try {
      await keycloak.admin.createRealm(
        acmeRealm({
          name: realm,
          gateUrl: addresses.publicUrl,
          noticeUrl: relay.url,
          secondApp,
          loggedOutIs: whereLoggedOutIs(keycloak.version),
          ...(options.users && { users: options.users }),
          ...(options.accessTokenSeconds && { accessTokenSeconds: options.accessTokenSeconds }),
          ...(options.publicKeyPem && { publicKeyPem: options.publicKeyPem }),
          ...(options.noticeNames && { noticeNames: options.noticeNames }),
          ...(options.client && { client: options.client(new URL('.', relay.url).href.slice(0, -1)) }),
          ...(options.clients && { clients: options.clients }),
          ...(options.realm && { settings: options.realm }),
        }),
      );
      const provider = typeof options.provider === 'function' ? await options.provider(issuer) : options.provider;
      const gate = await GateProcess.start(
        gateConfig({ ...options, provider: { issuer, ...provider } }, addresses, app),
      );
      await gate.event('provider.ready');
      const { publicUrl: url, adminUrl } = addresses;
      return new Stage({ realm, issuer, url, adminUrl, keycloak, gate, app, relay, secondApp });
    } catch (error) {
      await Promise.all([app.close(), relay.close(), secondApp.close()]);
      throw error;
    }
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

  /** The `sid` of the one session that `username` has in Keycloak. */
  async onlySid(username: string): Promise<string> {
    const sessions = await this.keycloak.admin.sessions(this.realm, username);
    if (sessions.length !== 1) throw new Error(`${username} has ${sessions.length} sessions`);
    return sessions[0]!.id;
  }

  /** The `sid` of the other one of the two sessions that `username` has in Keycloak. */
  async otherSid(username: string, sid: string): Promise<string> {
    const others = (await this.keycloak.admin.sessions(this.realm, username)).filter(({ id }) => id !== sid);
    if (others.length !== 1) throw new Error(`${username} has ${others.length} other sessions`);
    return others[0]!.id;
  }

  /** The logout token that Keycloak sent with claims that `matches`, once the gate has answered it; waits for it. */
  notice(matches: (claims: { sid?: string; sub?: string }) => boolean): Promise<RelayedExchange> {
    return this.relay.answered(({ body }) => {
      const token = new URLSearchParams(body).get('logout_token');
      if (token === null) return false;
      return matches(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()));
    });
  }

  /** Asks the gate's admin listener, as an operator does. */
  async operate(method: string, path: string): Promise<{ status: number; text: string }> {
    const headers = { Authorization: `Bearer ${ADMIN_TOKEN}` };
    const response = await fetch(this.adminUrl + path, { method, headers });
    return { status: response.status, text: await response.text() };
  }

  /** Ends everything, whatever of it fails. @throws where the gate does not stop as it should. */
  async close(): Promise<void> {
    for (const browser of this.#browsers) browser.close();
    try {
      await this.gate.stop();
    } finally {
      await Promise.all([this.app.close(), this.relay.close(), this.secondApp.close()]);
      await this.keycloak.admin.deleteRealm(this.realm);
    }
  }
}

function gateConfig(
  { provider, session, logout, route }: StageOptions,
  addresses: GateAddresses,
  app: LegacyApp,
): object {
  return {
    public_url: addresses.publicUrl,
    server: { listen: addresses.listen },
    admin: { listen: addresses.adminListen, token: ADMIN_TOKEN },
    provider: { client_id: 'gate', client_secret: CLIENT_SECRET, ...provider },
    session: { secret: randomBytes(32).toString('hex'), ...session },
    ...(logout && { logout }),
    routes: [
      {
        name: 'wiki',
        upstream: app.origin,
        headers: { preset: 'oauth2-proxy', set: { 'X-Roles': '{realm_access.roles}', 'X-Staff': '{groups}' } },
        access: [{ path: '/admins-only', roles: ['wiki-admin'] }],
        ...(typeof route === 'function' ? route(app.origin) : route),
      },
    ],
  };
}

/** The bearer of the gate's admin listener. */
const ADMIN_TOKEN = 'the-token-of-the-admin-listener-of-this-test';
