// One replica's store for a test: a RedisSessionStore on a real server, and what it told.

import { newSessionId } from '../../src/base/ids.ts';
import { Secret } from '../../src/base/secret.ts';
import type { RedisSessionStoreOptions } from '../../src/session/redis/redis-parts.ts';
import { RedisSessionStore } from '../../src/session/redis/redis-session-store.ts';
import type { StoredSession } from '../../src/session/session-record.ts';
import type { JarDesk } from '../contract/jar-store-contract.ts';
import { aRecord, ISSUER } from '../support/session-records.ts';
import { systemClock } from '../support/system-time.ts';

export const REPLICA_SECRET = new Secret('a session secret that only tests know');

export type ReplicaOptions = Partial<RedisSessionStoreOptions>;

/** A store and its callbacks' tales. */
export class Replica {
  readonly store: RedisSessionStore;
  readonly live = new Set<string>();
  readonly stopped: StoredSession[] = [];
  readonly changed: StoredSession[] = [];
  readonly letGo: StoredSession[] = [];
  readonly warnings: string[] = [];
  readonly full: StoredSession[] = [];
  readonly troubles: (string | undefined)[] = [];

  private constructor(port: number, options: ReplicaOptions) {
    this.store = new RedisSessionStore({
      clock: systemClock,
      servers: { address: { host: '127.0.0.1', port } },
      access: { database: 0 },
      keyPrefix: 'portcullis:',
      commandTimeoutMs: 2_000,
      formLimits: { formsOfOwner: 8, bytesOfOwner: 1024 ** 2, formsOfAll: 100, bytesOfAll: 1024 ** 2 },
      secrets: { current: [REPLICA_SECRET] },
      issuer: ISSUER,
      idleTimeoutMs: 30 * 60_000,
      absoluteTimeoutMs: 10 * 60 * 60_000,
      maxHeldSessions: 1_000,
      isLive: (handle) => this.live.has(handle),
      onStopped: (sessions) => this.stopped.push(...sessions),
      onChanged: (session) => this.changed.push(session),
      onLetGo: (session) => this.letGo.push(session),
      onWarning: (message) => this.warnings.push(message),
      onJarFull: (session) => this.full.push(session),
      onTrouble: (why) => this.troubles.push(why),
      ...options,
    });
  }

  static async start(port: number, options: ReplicaOptions = {}): Promise<Replica> {
    const replica = new Replica(port, options);
    await replica.store.start();
    return replica;
  }

  async signIn(): Promise<StoredSession> {
    const session = await this.store.create(aRecord(await this.store.now()));
    if (session === 'ended') throw new Error('a new session is refused');
    return session;
  }

  /** Its jars as their contract wants them. */
  jarDesk(): JarDesk {
    const { store } = this;
    return {
      jars: store.jars,
      signIn: () => this.signIn(),
      end: async ({ record: { handle } }) => void (await store.end({ by: 'handle', handle })),
      signInAgain: async (session) => {
        const { record } = session;
        await store.replaceId(session, { ...record, id: newSessionId(), version: record.version + 1 });
        return session;
      },
    };
  }

  stop(): Promise<void> {
    return this.store.stop();
  }
}
