// A realm whose notices are recorded: its client "gate" is signed in to as a gate would, and a server stands where a gate
// would be told.

import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BrowserClient } from '../support/browser-client.ts';
import type { RecordedNotice } from '../support/recorded-notices.ts';
import { acmeRealm, CLIENT_SECRET, type ClientChanges, PASSWORD, whereLoggedOutIs } from './keycloak-realm.ts';
import type { KeycloakServer } from './keycloak-server.ts';
import { SecondApp } from './second-app.ts';

export interface SceneOptions {
  readonly receives: 'logout tokens' | 'admin actions' | 'front-channel requests';
  readonly noticeNames?: 'session' | 'user';
  /** More attributes of the client. */
  readonly attributes?: Record<string, string>;
}

type Received = Pick<RecordedNotice, 'endpoint' | 'receivedAt' | 'method' | 'target' | 'headers' | 'body'>;

const PREFIX = '/_gate/';

export class NoticeScene {
  readonly keycloak: KeycloakServer;
  readonly realm = `acme-${randomBytes(4).toString('hex')}`;
  readonly #secondApp = new SecondApp();
  readonly #receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.end('ok');
      const { method = '', url: target = '', rawHeaders } = request;
      const endpoint = new URL(target, 'http://gate').pathname.replace(PREFIX, '');
      if (endpoint === 'callback' || endpoint === 'logged-out') return;
      const headers = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name, rawHeaders[at + 1]!] as const] : []));
      const body = Buffer.concat(chunks).toString('latin1');
      this.#next?.resolve({ endpoint, receivedAt: Date.now(), method, target, headers, body });
    });
  });
  #browser = new BrowserClient();
  #next: PromiseWithResolvers<Received> | undefined;

  private constructor(keycloak: KeycloakServer) {
    this.keycloak = keycloak;
  }

  static async set(keycloak: KeycloakServer, options: SceneOptions): Promise<NoticeScene> {
    const scene = new NoticeScene(keycloak);
    await new Promise<void>((resolve) => scene.#receiver.listen(0, '127.0.0.1', resolve));
    const secondApp = await scene.#secondApp.listen();
    await keycloak.admin.createRealm(
      acmeRealm({
        name: scene.realm,
        gateUrl: scene.#origin,
        noticeUrl: `${scene.#origin}${PREFIX}backchannel-logout`,
        noticeNames: options.noticeNames ?? 'session',
        secondApp,
        loggedOutIs: whereLoggedOutIs(keycloak.version),
        client: scene.#client(options),
      }),
    );
    return scene;
  }

  get issuer(): string {
    return `${this.keycloak.origin}/realms/${this.realm}`;
  }

  async keys(): Promise<{ keys: Record<string, unknown>[] }> {
    const response = await fetch(`${this.issuer}/protocol/openid-connect/certs`);
    return (await response.json()) as { keys: Record<string, unknown>[] };
  }

  /** A new browser signs in at the gate, and the gate exchanges the code and says how it calls the session. */
  async signIn(): Promise<{ sid: string; sub: string }> {
    this.#browser.close();
    this.#browser = new BrowserClient();
    const verifier = randomBytes(32).toString('base64url');
    const redirect = { client_id: 'gate', redirect_uri: `${this.#origin}${PREFIX}callback` };
    const question = new URLSearchParams({
      ...redirect,
      response_type: 'code',
      scope: 'openid',
      code_challenge_method: 'S256',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    });
    const form = await this.#browser.navigate(`${this.issuer}/protocol/openid-connect/auth?${question}`);
    const page = await this.#browser.submit(form, { username: 'alice', password: PASSWORD }, 'login-actions');
    const response = await fetch(`${this.issuer}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        ...redirect,
        grant_type: 'authorization_code',
        client_secret: CLIENT_SECRET,
        code: new URL(page.url).searchParams.get('code') ?? '',
        code_verifier: verifier,
        client_session_state: 'the-name-that-the-gate-gave-its-session',
      }),
    });
    const { id_token: idToken } = (await response.json()) as { id_token: string };
    const { sid, sub } = JSON.parse(Buffer.from(idToken.split('.')[1]!, 'base64url').toString());
    return { sid, sub };
  }

  /** At the second application, in the browser that is signed in; a front-channel page is looked at as a browser does. */
  async signOutAtSecondApp(): Promise<void> {
    const { issuer } = this;
    const { idToken } = await this.#secondApp.signIn(this.#browser, issuer);
    const page = await this.#secondApp.signOut(this.#browser, { issuer, idToken });
    const frame = /<iframe src="([^"]+)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&');
    if (frame !== undefined) await this.#browser.request(frame, { mode: 'iframe', site: 'cross-site' });
  }

  /** The next request that would be the gate's, whenever it comes. */
  nextNotice(): Promise<Received> {
    this.#next = Promise.withResolvers();
    return this.#next.promise;
  }

  async close(): Promise<void> {
    this.#browser.close();
    this.#receiver.closeAllConnections();
    this.#receiver.close();
    await this.#secondApp.close();
    await this.keycloak.admin.deleteRealm(this.realm);
  }

  get #origin(): string {
    return `http://127.0.0.1:${(this.#receiver.address() as AddressInfo).port}`;
  }

  #client({ receives, attributes = {} }: SceneOptions): ClientChanges {
    if (receives === 'logout tokens') return { attributes };
    const none = { 'backchannel.logout.url': '' };
    const base = this.#origin + PREFIX;
    if (receives === 'admin actions') return { adminUrl: base.slice(0, -1), attributes: { ...none, ...attributes } };
    const frontChannel = {
      'frontchannel.logout.url': `${base}frontchannel-logout`,
      'frontchannel.logout.session.required': 'true',
    };
    return { frontchannelLogout: true, attributes: { ...none, ...frontChannel, ...attributes } };
  }
}
