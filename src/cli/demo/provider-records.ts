// Where the provider keeps its sessions, codes and tokens: in memory, and gone with the demo. oidc-provider makes one
// adapter for each kind of record.

interface ProviderRecord {
  readonly uid?: string;
  readonly grantId?: string;
  consumed?: number;
}

interface Stored {
  readonly record: ProviderRecord;
  readonly expiresAtMs: number;
}

/** The factory that oidc-provider's `adapter` option takes. */
export function providerRecords(): (kind: string) => RecordAdapter {
  const all = new Map<string, Stored>();
  return (kind) => new RecordAdapter(kind, all);
}

class RecordAdapter {
  readonly #kind: string;
  readonly #all: Map<string, Stored>;

  constructor(kind: string, all: Map<string, Stored>) {
    this.#kind = kind;
    this.#all = all;
  }

  async upsert(id: string, record: ProviderRecord, lifetimeSeconds: number): Promise<void> {
    this.#all.set(`${this.#kind}:${id}`, { record, expiresAtMs: Date.now() + lifetimeSeconds * 1000 });
  }

  async find(id: string): Promise<ProviderRecord | undefined> {
    const stored = this.#all.get(`${this.#kind}:${id}`);
    return stored !== undefined && stored.expiresAtMs > Date.now() ? stored.record : undefined;
  }

  async findByUid(uid: string): Promise<ProviderRecord | undefined> {
    for (const [key, { record }] of this.#all) {
      if (record.uid === uid && key.startsWith(`${this.#kind}:`)) return record;
    }
    return undefined;
  }

  async consume(id: string): Promise<void> {
    const record = await this.find(id);
    if (record !== undefined) record.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id: string): Promise<void> {
    this.#all.delete(`${this.#kind}:${id}`);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    for (const [key, { record }] of this.#all) if (record.grantId === grantId) this.#all.delete(key);
  }
}
