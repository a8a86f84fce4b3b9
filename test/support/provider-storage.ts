// What the embedded provider remembers, apart from the provider object: it survives a change of keys.

interface Stored {
  payload: Record<string, unknown>;
  expiresAt: number;
}

export interface StoredSession {
  readonly id: string;
  readonly accountId: string;
  readonly authorizations: Readonly<Record<string, { sid: string; grantId: string }>>;
}

export class ProviderStorage {
  readonly #entries = new Map<string, Stored>();
  /** Registered clients by id, in the form of OpenID Connect Dynamic Client Registration. */
  readonly clients = new Map<string, Record<string, unknown>>();

  sessions(): readonly StoredSession[] {
    return [...this.#live('Session')]
      .map(([id, { payload }]) => ({ id, ...payload }) as unknown as StoredSession)
      .filter((session) => session.accountId !== undefined);
  }

  /** The session that a refresh token belongs to. */
  sessionOf(refreshToken: string): StoredSession | undefined {
    const grantId = this.#get(`RefreshToken:${refreshToken}`)?.['grantId'];
    return this.sessions().find(({ authorizations }) =>
      Object.values(authorizations ?? {}).some((authorization) => authorization.grantId === grantId),
    );
  }

  endSession({ id, authorizations }: StoredSession): void {
    this.#entries.delete(`Session:${id}`);
    for (const { grantId } of Object.values(authorizations ?? {})) this.#revoke(grantId);
  }

  /** The adapter that oidc-provider asks for, one per kind of record. */
  adapter(kind: string) {
    const entries = this.#entries;
    const find = (matches: (payload: Record<string, unknown>) => boolean) =>
      [...this.#live(kind)].find(([, { payload }]) => matches(payload))?.[1].payload;
    return {
      upsert: async (id: string, payload: Record<string, unknown>, expiresIn: number | undefined) => {
        const expiresAt = expiresIn === undefined ? Number.POSITIVE_INFINITY : Date.now() + expiresIn * 1000;
        entries.set(`${kind}:${id}`, { payload, expiresAt });
      },
      find: async (id: string) => (kind === 'Client' ? this.clients.get(id) : this.#get(`${kind}:${id}`)),
      findByUid: async (uid: string) => find((payload) => payload['uid'] === uid),
      findByUserCode: async (userCode: string) => find((payload) => payload['userCode'] === userCode),
      consume: async (id: string) => {
        const entry = entries.get(`${kind}:${id}`);
        if (entry) entry.payload = { ...entry.payload, consumed: Math.floor(Date.now() / 1000) };
      },
      destroy: async (id: string) => void entries.delete(`${kind}:${id}`),
      revokeByGrantId: async (grantId: string) => this.#revoke(grantId),
    };
  }

  #get(key: string): Record<string, unknown> | undefined {
    const entry = this.#entries.get(key);
    return entry && entry.expiresAt > Date.now() ? entry.payload : undefined;
  }

  *#live(kind: string): Generator<[id: string, entry: Stored]> {
    for (const [key, entry] of this.#entries) {
      if (key.startsWith(`${kind}:`) && entry.expiresAt > Date.now()) yield [key.slice(kind.length + 1), entry];
    }
  }

  #revoke(grantId: string): void {
    for (const [key, { payload }] of this.#entries) if (payload['grantId'] === grantId) this.#entries.delete(key);
    this.#entries.delete(`Grant:${grantId}`);
  }
}
