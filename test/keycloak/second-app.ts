// A second application of the same realm, with its own client: signing out there is "logout elsewhere" for the gate, and
// its access token opens the account console's API.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { BrowserClient, Page } from '../support/browser-client.ts';
import { CLIENT_SECRET } from './keycloak-realm.ts';

export interface SecondAppTokens {
  readonly idToken: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

export class SecondApp {
  /** The sessions of which Keycloak told it that they are over. */
  readonly toldSids = new Set<string>();
  readonly #server = createServer(async (request, response) => {
    const token = new URLSearchParams(await text(request)).get('logout_token');
    if (token !== null) this.toldSids.add(sidOf(token));
    response.end(`second app: ${request.url}`);
  });

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Signs in with the SSO session that `browser` already has. */
  async signIn(browser: BrowserClient, issuer: string): Promise<SecondAppTokens> {
    const page = await browser.navigate(this.#authorizationUrl(issuer));
    const code = new URL(page.url).searchParams.get('code');
    if (code === null) throw new Error(`the second application got no code: ${page.url} ${page.status}`);
    const response = await this.#post(issuer, 'token', {
      grant_type: 'authorization_code',
      redirect_uri: this.#redirectUri,
      code,
    });
    const tokens = (await response.json()) as Record<string, string>;
    return {
      idToken: tokens['id_token']!,
      accessToken: tokens['access_token']!,
      refreshToken: tokens['refresh_token']!,
    };
  }

  /** Its link "change my password", in a browser that is signed in: Keycloak's form, with "sign out from other devices". */
  changePassword(browser: BrowserClient, issuer: string): Promise<Page> {
    return browser.navigate(this.#authorizationUrl(issuer, { kc_action: 'UPDATE_PASSWORD' }));
  }

  /** The user's click on its "sign out". */
  async signOut(browser: BrowserClient, { issuer, idToken }: { issuer: string; idToken: string }): Promise<Page> {
    const parameters = { id_token_hint: idToken, post_logout_redirect_uri: `${this.origin}/bye` };
    const page = await browser.navigate(`${issuer}/protocol/openid-connect/logout?${new URLSearchParams(parameters)}`);
    if (page.status >= 400) throw new Error(`logout at the second application: ${page.status} ${page.text}`);
    return page;
  }

  /** Its own server ends the session, as `HttpServletRequest.logout()` of a Java application does. */
  async logoutByServer({ issuer, refreshToken }: { issuer: string; refreshToken: string }): Promise<void> {
    const response = await this.#post(issuer, 'logout', { refresh_token: refreshToken });
    if (!response.ok) throw new Error(`logout by refresh token: ${response.status} ${await response.text()}`);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get #redirectUri(): string {
    return `${this.origin}/callback`;
  }

  #authorizationUrl(issuer: string, more: Record<string, string> = {}): string {
    const parameters = { client_id: 'second-app', response_type: 'code', redirect_uri: this.#redirectUri, ...more };
    return `${issuer}/protocol/openid-connect/auth?${new URLSearchParams({ scope: 'openid', ...parameters })}`;
  }

  #post(issuer: string, endpoint: string, parameters: Record<string, string>): Promise<Response> {
    const credentials = { client_id: 'second-app', client_secret: CLIENT_SECRET };
    const body = new URLSearchParams({ ...credentials, ...parameters });
    return fetch(`${issuer}/protocol/openid-connect/${endpoint}`, { method: 'POST', body });
  }
}

function sidOf(token: string): string {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).sid;
}

/** What a user does in the account console: `DELETE` of one of their sessions, or (without `sid`) of all other ones. */
export async function signOutInAccountConsole(
  { issuer, accessToken }: { issuer: string; accessToken: string },
  sid?: string,
): Promise<void> {
  const path = sid === undefined ? '/account/sessions' : `/account/sessions/${sid}`;
  const headers = { Authorization: `Bearer ${accessToken}`, Accept: 'application/json' };
  const response = await fetch(issuer + path, { method: 'DELETE', headers });
  if (!response.ok) throw new Error(`DELETE ${path}: ${response.status} ${await response.text()}`);
}
