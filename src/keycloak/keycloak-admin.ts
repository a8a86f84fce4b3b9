// Keycloak's Admin REST API, as far as the commands of the gate use it (server-side paths: /admin/realms/{realm}). Every
// call is made with a new token: an administrator's lives for a minute, and a command makes a handful of calls.

import { GatewayError } from '../base/gateway-error.ts';
import type { Secret } from '../base/secret.ts';

/** An administrator, or a client with a service account. Either needs the roles that a call names. */
export type AdminCredentials =
  | { readonly username: string; readonly password: Secret }
  | { readonly clientId: string; readonly clientSecret: Secret };

export interface KeycloakAdminOptions {
  /** `https://host[/path]/realms/NAME`: which realm is administered. */
  readonly issuer: string;
  /** Where the Admin API is, without `/admin`; undefined: where the issuer is. */
  readonly baseUrl?: string | undefined;
  readonly credentials: AdminCredentials;
  /** The realm in which the credentials are; `master` as a rule. */
  readonly credentialsRealm: string;
  readonly fetch: typeof globalThis.fetch;
}

/** The representation of a client, of which only what is changed is known here. */
type ClientRepresentation = Readonly<Record<string, unknown>> & { readonly id: string };

/**
 * Every call rejects with `GatewayError`: `keycloak_refused` where Keycloak answers no, its message saying why and what
 * helps; `provider_unavailable` where it does not answer.
 */
export class KeycloakAdmin {
  readonly #options: KeycloakAdminOptions;
  readonly #baseUrl: string;
  readonly #realm: string;

  /** @throws GatewayError `not_keycloak` where the issuer is not a realm's */
  constructor(options: KeycloakAdminOptions) {
    const [, base, realm] = /^(.+)\/realms\/([^/]+)\/?$/.exec(options.issuer) ?? [];
    if (base === undefined || realm === undefined) {
      throw new GatewayError('not_keycloak', {
        status: 502,
        message: `${options.issuer} is no Keycloak realm: the Admin API is only there at https://…/realms/NAME`,
      });
    }
    this.#options = options;
    this.#baseUrl = (options.baseUrl ?? base).replace(/\/$/, '');
    this.#realm = realm;
  }

  /** The id of a user; needs view-users. */
  async userId(username: string): Promise<string> {
    const users = await this.#call<{ id: string }[]>(
      'GET',
      `/users?exact=true&username=${encodeURIComponent(username)}`,
    );
    const [user] = users;
    if (user === undefined) throw refused(`the realm ${this.#realm} has no user ${username}`);
    return user.id;
  }

  /** The ids (`sid`) of a user's sessions; needs view-users. */
  async sessionsOf(userId: string): Promise<string[]> {
    const sessions = await this.#call<{ id: string }[]>('GET', `/users/${userId}/sessions`);
    return sessions.map(({ id }) => id);
  }

  /** "Sign out" beside one session; needs manage-users. Resolves when Keycloak has told its clients. */
  async endSession(sid: string): Promise<void> {
    await this.#call('DELETE', `/sessions/${encodeURIComponent(sid)}`);
  }

  /** "Sign out" of a user: all their sessions; needs manage-users. */
  async endSessionsOf(userId: string): Promise<void> {
    await this.#call('POST', `/users/${userId}/logout`);
  }

  /** "Sign out all active sessions": everybody's, of the whole realm; needs manage-users. */
  async endAllSessions(): Promise<void> {
    await this.#call('POST', '/logout-all');
  }

  /**
   * Revocation: nothing that the client got before `notBeforeSeconds` (epoch) counts any more, and the client is told at
   * its Admin URL; everybody who is signed in there is meant. Needs manage-clients.
   */
  async revokeTokensOf(clientId: string, notBeforeSeconds: number): Promise<void> {
    const found = await this.#call<ClientRepresentation[]>('GET', `/clients?clientId=${encodeURIComponent(clientId)}`);
    const [client] = found;
    if (client === undefined) throw refused(`the realm ${this.#realm} has no client ${clientId}`);
    await this.#call('PUT', `/clients/${client.id}`, { ...client, notBefore: notBeforeSeconds });
    await this.#call('POST', `/clients/${client.id}/push-revocation`);
  }

  async #call<Result>(method: string, path: string, body?: unknown): Promise<Result> {
    const response = await this.#options.fetch(`${this.#baseUrl}/admin/realms/${this.#realm}${path}`, {
      method,
      headers: { authorization: `Bearer ${await this.#token()}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    // Keycloak's own text is not repeated: it may say more than a report should.
    if (!response.ok) throw refused(`${method} /admin/realms/${this.#realm}${path} was answered ${whyOf(response)}`);
    return (text === '' ? undefined : JSON.parse(text)) as Result;
  }

  async #token(): Promise<string> {
    const { credentials, credentialsRealm, fetch } = this.#options;
    const grant =
      'username' in credentials
        ? {
            grant_type: 'password',
            client_id: 'admin-cli',
            username: credentials.username,
            password: credentials.password.reveal(),
          }
        : {
            grant_type: 'client_credentials',
            client_id: credentials.clientId,
            client_secret: credentials.clientSecret.reveal(),
          };
    const response = await fetch(`${this.#baseUrl}/realms/${credentialsRealm}/protocol/openid-connect/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(grant).toString(),
    });
    const answer = (await response.json().catch(() => ({}))) as { access_token?: unknown; error?: unknown };
    if (typeof answer.access_token === 'string') return answer.access_token;
    const who =
      'username' in credentials ? `the administrator ${credentials.username}` : `the client ${credentials.clientId}`;
    throw refused(
      `Keycloak gave ${who} no token in the realm ${credentialsRealm}: ${cureOf(response.status, answer.error)}`,
    );
  }
}

function refused(message: string): GatewayError {
  return new GatewayError('keycloak_refused', { status: 502, message });
}

function whyOf({ status }: Response): string {
  if (status === 403)
    return '403: the administrator lacks a role of realm-management (manage-users, view-users, manage-clients)';
  if (status === 404) return '404: there is no such thing, or the administrator may not see it';
  return String(status);
}

/** RFC 6749 section 5.2, in the words of who must repair it. */
function cureOf(status: number, error: unknown): string {
  switch (error) {
    case 'invalid_grant':
      return 'user name or password is wrong, or the account is disabled or has something to do first (an OTP, a new password)';
    case 'invalid_client':
    case 'unauthorized_client':
      return 'the client or its secret is wrong, or its service account is off';
    default:
      return `it was answered ${status}; look at the realm and the address`;
  }
}
