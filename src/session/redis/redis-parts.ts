// What the shared store is made of, put together.

import { randomBytes } from 'node:crypto';
import { ByteSeal } from '../../base/byte-seal.ts';
import type { Clock } from '../../base/clock.ts';
import type { SessionHandle } from '../../base/ids.ts';
import type { SecretsInForce } from '../../base/secret.ts';
import type { FormLimits } from '../form-store.ts';
import type { StoredSession } from '../session-record.ts';
import { ClusterChannel } from './cluster-channel.ts';
import { type Found, readInOne, readInTwo } from './cold-read.ts';
import { EndsBus } from './ends-bus.ts';
import { findServer, type RedisServers } from './find-server.ts';
import { HeldSessions } from './held-sessions.ts';
import { RecentActivity } from './recent-activity.ts';
import { Reconciliation } from './reconciliation.ts';
import { RedisConnection } from './redis-connection.ts';
import { storeUnavailable } from './redis-errors.ts';
import { RedisFormStore } from './redis-form-store.ts';
import { RedisJarStore } from './redis-jar-store.ts';
import { type Home, RedisKeys } from './redis-keys.ts';
import { RedisRecords } from './redis-records.ts';
import type { RedisAccess } from './redis-target.ts';
import { inspectServer } from './server-inspection.ts';
import { SharedEnds } from './shared-ends.ts';
import { StoreTime } from './store-time.ts';
import { RecordCodec } from './stored-record.ts';

/** What was left over from a fault is tried again, and the number of sessions counted, this often. */
const TIDY_MS = 1_000;

/** So long the largest form may be on its way, on a connection of its own: what waits behind it may be a lease. */
const FORM_TIMEOUT_MS = 10_000;

export interface RedisSessionStoreOptions {
  readonly clock: Clock;
  readonly servers: RedisServers;
  readonly access: RedisAccess;
  readonly keyPrefix: string;
  readonly commandTimeoutMs: number;
  readonly secrets: SecretsInForce;
  /** Whose sids and subs operators mean. */
  readonly issuer: string;
  readonly idleTimeoutMs: number;
  readonly absoluteTimeoutMs: number;
  /** Most sessions that this process remembers. */
  readonly maxHeldSessions: number;
  readonly formLimits: FormLimits;
  readonly isLive: (handle: SessionHandle) => boolean;
  /** Told, in the turn in which this process learns of it, of sessions that ended without an `end` here. */
  readonly onStopped: (sessions: readonly StoredSession[]) => void;
  /** Told of a session that another replica has changed. */
  readonly onChanged: (session: StoredSession) => void;
  /** Told of a session that this process does not remember any more. */
  readonly onLetGo: (session: StoredSession) => void;
  /** Told of a server that may lose what the gate keeps there. */
  readonly onWarning: (message: string) => void;
  /** Told once of a session whose applications have so many cookies that a new one is not kept. */
  readonly onJarFull: (session: StoredSession) => void;
  /** Told when the store is lost, and when it is back (`undefined`). */
  readonly onTrouble: (why: string | undefined) => void;
}

/** The parts of one store; nothing is connected before `start`. */
export class RedisParts {
  readonly issuer: string;
  readonly connection: RedisConnection;
  readonly records: RedisRecords;
  readonly jars: RedisJarStore;
  readonly bus: EndsBus;
  readonly held: HeldSessions;
  readonly ends: SharedEnds;
  readonly reconcile: Reconciliation;
  readonly activity: RecentActivity;
  readonly time: StoreTime;
  readonly forms: RedisFormStore;
  /** How many sessions there were when they were counted last. */
  count = 0;
  readonly #options: RedisSessionStoreOptions;
  readonly #keys: RedisKeys;
  /** This process's name among the replicas. */
  readonly replica = randomBytes(9).toString('base64url');
  /** Where a cluster spreads the records; the bus has its one node. */
  readonly #cluster: ClusterChannel | undefined;
  readonly #formConnection: RedisConnection;
  #tidying: NodeJS.Timeout | undefined;
  #warning: string | undefined;

  constructor(options: RedisSessionStoreOptions) {
    const { clock, keyPrefix, access, onStopped, onChanged, absoluteTimeoutMs: lifetimeMs } = options;
    const keys = new RedisKeys(keyPrefix, access.database);
    this.#options = options;
    this.#keys = keys;
    this.issuer = options.issuer;
    this.time = new StoreTime(clock);
    this.held = new HeldSessions({ ...options, maxSessions: options.maxHeldSessions });
    const way = { access, timeoutMs: options.commandTimeoutMs };
    this.connection = new RedisConnection({
      ...options,
      address: () => findServer(options.servers, keys.bus, way),
      channels: {
        [keys.heardChannel]: (message) => this.bus.heard(message),
        [keys.ackChannel(this.replica)]: (message) => this.bus.acknowledged(message),
        [keys.changedChannel]: (message) => this.#hearChanged(message),
      },
      onUp: () => this.#begin(),
      onDown: (why) => {
        this.bus.lost();
        options.onTrouble(why);
      },
    });
    const codec = new RecordCodec({
      seal: new ByteSeal(options.secrets, 'stored tokens'),
      wallClockBehindMs: () => this.time.wallClockBehindMs(),
    });
    const { connection, held, time } = this;
    this.#cluster = 'cluster' in options.servers ? new ClusterChannel(options.servers.cluster, way) : undefined;
    const channel = this.#cluster ?? connection;
    const records = new RedisRecords({ ...options, connection: channel, keys, codec });
    this.#formConnection = new RedisConnection({
      access,
      address: () => findServer(options.servers, keys.forms, way),
      commandTimeoutMs: FORM_TIMEOUT_MS,
      channels: {},
      // What is wrong with the server, the other connection tells.
      onUp: async () => {},
      onDown: () => {},
    });
    this.forms = new RedisFormStore({ connection: this.#formConnection, keys, limits: options.formLimits });
    this.bus = new EndsBus({
      ...{ connection, keys, clock, lifetimeMs },
      replica: this.replica,
      onEnd: (end) => this.ends.heard(end),
      onUnknownEnd: () => this.ends.heardUnknown(),
      onGap: () => this.#recover(),
      onTime: (storeNow) => time.hear(storeNow),
    });
    const { bus } = this;
    this.records = records;
    const ends = new SharedEnds({
      ...{ bus, records, held, time, onStopped, lifetimeMs },
      onTakenOut: () => this.recount(),
    });
    this.ends = ends;
    this.reconcile = new Reconciliation({ records, bus, held, ends, onStopped, onChanged });
    this.activity = new RecentActivity(records);
    this.jars = new RedisJarStore({
      ...{ connection: channel, keys, held, absoluteTimeoutMs: lifetimeMs },
      seal: new ByteSeal(options.secrets, 'stored cookies'),
      lease: bus.lease,
      reread: (home) => this.reconcile.reread(home),
      onFull: options.onJarFull,
    });
  }

  /** @throws GatewayError `store_unavailable` where the server can never be used like this */
  async start(): Promise<void> {
    await this.connection.start();
    if (this.connection.isHopeless) throw storeUnavailable(this.connection.trouble ?? 'it cannot be used');
    const forms = this.#formConnection.start();
    if (this.connection.trouble === undefined) await forms;
    this.bus.start();
    this.#tidying = setInterval(() => this.#tidy(), TIDY_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#tidying);
    await this.activity.write();
    await this.bus.stop();
    this.connection.close();
    this.#formConnection.close();
    this.#cluster?.close();
  }

  /** A session that is not remembered. @throws GatewayError `store_unavailable` */
  readCold(home: Home): Promise<Found> {
    const parts = { bus: this.bus, keys: this.#keys, records: this.records, ends: this.ends };
    return this.#cluster === undefined ? readInOne(parts, home) : readInTwo(parts, home);
  }

  /** Tells the other replicas that a record is not what they remember. */
  tellChanged(home: Home): void {
    this.connection.send(['PUBLISH', this.#keys.changedChannel, `${home} ${this.replica}`]).catch(() => {});
  }

  /** @throws GatewayError `store_unavailable` */
  async recount(): Promise<void> {
    this.count = await this.records.size();
  }

  /** A new connection is there. */
  async #begin(): Promise<void> {
    const warning = await inspectServer(this.connection, {
      isCluster: this.#cluster !== undefined,
      scratch: this.#keys.rights,
      channel: this.#keys.ackChannel(this.replica),
    });
    // Once: the server is the same at every new connection, as a rule.
    if (warning !== undefined && warning !== this.#warning) this.#options.onWarning(warning);
    this.#warning = warning;
    await this.#cluster?.open();
    this.bus.lease.reconnected();
    await this.bus.look([]);
    await this.recount();
    this.#options.onTrouble(undefined);
    this.#recover();
  }

  /** After a fault: nothing that was ended may come back, and what was missed is made up for. */
  #recover(): void {
    const work = async (): Promise<void> => {
      await this.ends.writeAgain();
      await this.ends.writeUnwritten();
      await this.reconcile.rereadLive();
      await this.recount();
    };
    // Where the store has failed again, the next connection begins anew.
    work().catch(() => {});
  }

  #tidy(): void {
    if (this.connection.trouble !== undefined) return;
    const work = this.ends.isBehind ? this.ends.writeUnwritten() : this.recount();
    work.catch(() => {});
  }

  #hearChanged(message: string): void {
    const [home = '', from] = message.split(' ');
    if (from !== this.replica) this.reconcile.changed(home);
  }
}
