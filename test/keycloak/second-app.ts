// A second application of the same realm, with its own client: signing out there is "logout elsewhere" for the gate.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BrowserClient, Page } from '../support/browser-client.ts';
import { CLIENT_SECRET } from './keycloak-realm.ts';

export class SecondApp {
  /** Logout tokens that Keycloak sent it. */
  notices = 0;
  readonly #server = createServer((request, response) => {
    if (request.url === '/backchannel-logout') this.notices += 1;
    request.resume();
    response.end(`second app: ${request.url}`);
  });

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Signs in with the SSO session that `browser` already has, and returns the ID token. */
  async signIn(browser: BrowserClient, issuer: string): Promise<string> {
    const redirectUri = `${this.origin}/callback`;
    const parameters = { client_id: 'second-app', response_type: 'code', scope: 'openid', redirect_uri: redirectUri };
    const page = await browser.navigate(`${issuer}/protocol/openid-connect/auth?${new URLSearchParams(parameters)}`);
    const code = new URL(page.url).searchParams.get('code');
    if (code === null) throw new Error(`the second application got no code: ${page.url} ${page.status}`);
    const response = await fetch(`${issuer}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: 'second-app',
        client_secret: CLIENT_SECRET,
        redirect_uri: redirectUri,
        code,
      }),
    });
    return ((await response.json()) as { id_token: string }).id_token;
  }

  /** The user's click on its "sign out". */
  async signOut(browser: BrowserClient, { issuer, idToken }: { issuer: string; idToken: string }): Promise<Page> {
    const parameters = { id_token_hint: idToken, post_logout_redirect_uri: `${this.origin}/bye` };
    return browser.navigate(`${issuer}/protocol/openid-connect/logout?${new URLSearchParams(parameters)}`);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
