// What an administrator does in Keycloak's console while a user is signed in, by the Admin REST API that the console uses.

export interface UserSession {
  readonly id: string;
  readonly ipAddress: string;
  readonly start: number;
  readonly lastAccess: number;
}

export interface ClientRepresentation {
  readonly secret: string;
  readonly redirectUris: readonly string[];
  readonly adminUrl?: string;
  readonly frontchannelLogout: boolean;
  readonly attributes: Readonly<Record<string, string>>;
}

/** One line of a flow, as Keycloak lists it with all that is below it. */
interface FlowStep {
  readonly id: string;
  readonly providerId?: string;
  readonly displayName: string;
}

function requirementOf({ providerId, displayName }: FlowStep): string {
  if (providerId === 'auth-cookie' || displayName === 'levels forms') return 'ALTERNATIVE';
  return displayName.startsWith('level-') ? 'CONDITIONAL' : 'REQUIRED';
}

export class KeycloakAdmin {
  readonly #origin: string;
  readonly #credentials: { username: string; password: string };

  constructor(origin: string, credentials: { username: string; password: string }) {
    this.#origin = origin;
    this.#credentials = credentials;
  }

  /** Imports a realm with its clients and users. */
  async createRealm(realm: { realm: string }): Promise<void> {
    await this.#call('POST', '/admin/realms', realm);
  }

  async deleteRealm(realm: string): Promise<void> {
    await this.#call('DELETE', `/admin/realms/${realm}`);
  }

  async userId(realm: string, username: string): Promise<string> {
    const users = await this.#call<{ id: string }[]>(
      'GET',
      `/admin/realms/${realm}/users?exact=true&username=${username}`,
    );
    const id = users[0]?.id;
    if (id === undefined) throw new Error(`no user ${username} in ${realm}`);
    return id;
  }

  async sessions(realm: string, username: string): Promise<UserSession[]> {
    return this.#call('GET', `/admin/realms/${realm}/users/${await this.userId(realm, username)}/sessions`);
  }

  /** "Sign out" beside one session. */
  async deleteSession(realm: string, sid: string): Promise<void> {
    await this.#call('DELETE', `/admin/realms/${realm}/sessions/${sid}`);
  }

  /** "Sign out" of a user: all sessions. */
  async logoutUser(realm: string, username: string): Promise<void> {
    await this.#call('POST', `/admin/realms/${realm}/users/${await this.userId(realm, username)}/logout`);
  }

  /** "Sign out all active sessions" of a realm: tells no back-channel client. */
  async logoutAll(realm: string): Promise<void> {
    await this.#call('POST', `/admin/realms/${realm}/logout-all`);
  }

  /** Disabling a user: tells nobody. */
  async setEnabled(realm: string, username: string, state: 'enabled' | 'disabled'): Promise<void> {
    await this.changeUser(realm, username, { enabled: state === 'enabled' });
  }

  /** Writes these members of the user's representation. */
  async changeUser(realm: string, username: string, changes: object): Promise<void> {
    const path = `/admin/realms/${realm}/users/${await this.userId(realm, username)}`;
    const user = await this.#call<object>('GET', path);
    await this.#call('PUT', path, { ...user, ...changes });
  }

  /** Deleting a user: tells nobody. */
  async deleteUser(realm: string, username: string): Promise<void> {
    await this.#call('DELETE', `/admin/realms/${realm}/users/${await this.userId(realm, username)}`);
  }

  /** "Revoke" beside an application that the user has consented to: tells that application only. */
  async revokeConsent(realm: string, username: string, clientId: string): Promise<void> {
    await this.#call(
      'DELETE',
      `/admin/realms/${realm}/users/${await this.userId(realm, username)}/consents/${clientId}`,
    );
  }

  /** "Regenerate" of a client's secret; the old one is refused from now on. */
  async rotateSecret(realm: string, clientId: string): Promise<void> {
    await this.#call('POST', `/admin/realms/${realm}/clients/${await this.#clientUuid(realm, clientId)}/client-secret`);
  }

  /** "Push" of the not-before policy: `k_push_not_before` to every Admin URL of the realm. */
  async pushRevocation(realm: string): Promise<void> {
    await this.#call('POST', `/admin/realms/${realm}/push-revocation`);
  }

  /** "Test cluster availability": `k_test_available` to the client's Admin URL. */
  async testNodes(realm: string, clientId: string): Promise<void> {
    const path = `/admin/realms/${realm}/clients/${await this.#clientUuid(realm, clientId)}`;
    await this.#call('GET', `${path}/test-nodes-available`);
  }

  /** Changes settings of the realm. */
  async changeRealm(realm: string, changes: Record<string, unknown>): Promise<void> {
    await this.#call('PUT', `/admin/realms/${realm}`, changes);
  }

  /** How often this has happened in a realm that keeps its events. */
  async countEvents(realm: string, type: string): Promise<number> {
    return (await this.#call<object[]>('GET', `/admin/realms/${realm}/events?type=${type}&max=100000`)).length;
  }

  /** How Keycloak has it now. */
  async client(realm: string, clientId: string): Promise<ClientRepresentation> {
    const clients = await this.#call<ClientRepresentation[]>(
      'GET',
      `/admin/realms/${realm}/clients?clientId=${clientId}`,
    );
    return clients[0]!;
  }

  /**
   * Has browsers sign in at two levels of authentication: the password at the first, and once more at the second, which holds
   * for `secondHoldsSeconds`.
   */
  async signInAtLevels(realm: string, secondHoldsSeconds: number): Promise<void> {
    const flows = `/admin/realms/${realm}/authentication/flows`;
    const add = (to: string, what: 'execution' | 'flow', step: object) =>
      this.#call('POST', `${flows}/${to}/executions/${what}`, step);
    await this.#call('POST', flows, { alias: 'levels', providerId: 'basic-flow', topLevel: true, builtIn: false });
    await add('levels', 'execution', { provider: 'auth-cookie' });
    await add('levels', 'flow', { alias: 'levels forms', type: 'basic-flow' });
    const steps = { 'level-1': 'auth-username-password-form', 'level-2': 'auth-password-form' };
    for (const [alias, provider] of Object.entries(steps)) {
      await add('levels%20forms', 'flow', { alias, type: 'basic-flow' });
      await add(alias, 'execution', { provider: 'conditional-level-of-authentication' });
      await add(alias, 'execution', { provider });
    }
    const holdsSeconds = [36_000, secondHoldsSeconds];
    let level = 0;
    for (const step of await this.#call<FlowStep[]>('GET', `${flows}/levels/executions`)) {
      await this.#call('PUT', `${flows}/levels/executions`, { ...step, requirement: requirementOf(step) });
      if (step.providerId !== 'conditional-level-of-authentication') continue;
      const config = { 'loa-condition-level': String(level + 1), 'loa-max-age': String(holdsSeconds[level]) };
      level++;
      const path = `/admin/realms/${realm}/authentication/executions/${step.id}/config`;
      await this.#call('POST', path, { alias: `level ${level}`, config });
    }
    await this.changeRealm(realm, { browserFlow: 'levels' });
  }

  async #clientUuid(realm: string, clientId: string): Promise<string> {
    const clients = await this.#call<{ id: string }[]>('GET', `/admin/realms/${realm}/clients?clientId=${clientId}`);
    return clients[0]!.id;
  }

  async #call<Result>(method: string, path: string, body?: unknown): Promise<Result> {
    const response = await fetch(this.#origin + path, {
      method,
      headers: { Authorization: `Bearer ${await this.#token()}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as Result;
  }

  // A new one for each call: an administrator's token lives for a minute, and a created realm needs one made after it.
  async #token(): Promise<string> {
    const response = await fetch(`${this.#origin}/realms/master/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', ...this.#credentials }),
    });
    const answer = (await response.json()) as { access_token?: string };
    if (answer.access_token === undefined)
      throw new Error(`Keycloak gave the administrator no token: ${response.status}`);
    return answer.access_token;
  }
}
