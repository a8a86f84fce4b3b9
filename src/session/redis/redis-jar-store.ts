// The applications' cookies of shared sessions (design: `cookies: jar`): one hash for each session, and in it one field for each
// cookie, so that answers at the same time lose nothing of each other's. Names are hashed and cookies sealed, as records are.

import type { ByteSeal } from '../../base/byte-seal.ts';
import type { JarChanges, JarStore } from '../jar-store.ts';
import type { SessionRecord, StoredSession } from '../session-record.ts';
import type { HeldSessions } from './held-sessions.ts';
import type { Lease } from './lease.ts';
import type { RedisConnection } from './redis-connection.ts';
import { type Home, type RedisKeys, shortHash } from './redis-keys.ts';
import { READ_JAR, TAKE_JARS, WRITE_JAR } from './redis-scripts.ts';

/** Grows when an older gate could not read what a newer one writes: then it finds no cookie. */
const FORMAT = '1';

/** Of one session, in all jars. Each jar is bounded by whoever changes it; this holds where very many change one at once. */
const MAX_COOKIES = 512;

/** An answer that was under way when the session ended keeps nothing any more; none is for longer. */
const ENDED_FOR_MS = 60_000;

export interface RedisJarStoreOptions {
  readonly connection: Pick<RedisConnection, 'run' | 'runForBytes'>;
  readonly keys: RedisKeys;
  readonly seal: ByteSeal;
  readonly absoluteTimeoutMs: number;
  readonly held: Pick<HeldSessions, 'of'>;
  readonly lease: Pick<Lease, 'isHeld'>;
  /** Asks the store whether a held session lives; one that does not has ended then. */
  readonly reread: (home: Home) => Promise<void>;
  /** Told once of a session that has so many cookies that a new one is not kept. */
  readonly onFull: (session: StoredSession) => void;
}

/** Jars in the shared store. What cannot be opened is no cookie. */
export class RedisJarStore implements JarStore {
  readonly #options: RedisJarStoreOptions;
  readonly #full = new WeakSet<StoredSession>();

  constructor(options: RedisJarStoreOptions) {
    this.#options = options;
  }

  async read(session: StoredSession, jar: string): Promise<readonly string[]> {
    if (session.ended) return [];
    const { connection, keys, held, lease, reread } = this.#options;
    const { handle } = session.record;
    const fields = await connection.runForBytes<Buffer[]>(READ_JAR, [keys.jar(handle)], [prefixOf(handle, jar)]);
    // A request was let through before this, and goes on after it: by what is known now.
    const own = lease.isHeld() ? undefined : held.of(session);
    if (own !== undefined) await reread(own.home);
    return session.ended ? [] : this.#open(handle, fields).map(({ cookie }) => cookie);
  }

  async write(session: StoredSession, jar: string, changes: JarChanges): Promise<void> {
    if (session.ended || changes.size === 0) return;
    const { handle } = session.record;
    const deletes: string[] = [];
    const puts: (string | Buffer)[] = [];
    for (const [key, cookie] of changes) {
      const field = prefixOf(handle, jar) + shortHash(`cookie ${handle} ${jar} ${key}`);
      if (cookie === undefined) deletes.push(field);
      else puts.push(field, this.#seal(handle, field, { jar, cookie }));
    }
    const outcome = await this.#write(session.record, deletes, puts);
    if (outcome !== 'full' || this.#full.has(session)) return;
    this.#full.add(session);
    this.#options.onFull(session);
  }

  /**
   * Keeps the cookies for the whole lifetime of `next`, which a new sign-in has begun; call it before that is the record.
   * @throws GatewayError `store_unavailable`
   */
  async renew(next: SessionRecord): Promise<void> {
    await this.#write(next, [], []);
  }

  async takeOut({ record: { handle } }: StoredSession): Promise<ReadonlyMap<string, readonly string[]>> {
    const { connection, keys } = this.#options;
    const fields = await connection.runForBytes<Buffer[]>(TAKE_JARS, [keys.jar(handle)], [String(ENDED_FOR_MS)]);
    const jars = new Map<string, string[]>();
    for (const { jar, cookie } of this.#open(handle, fields)) jars.set(jar, [...(jars.get(jar) ?? []), cookie]);
    return jars;
  }

  #write(
    { handle, createdAt }: SessionRecord,
    deletes: readonly string[],
    puts: readonly (string | Buffer)[],
  ): Promise<'kept' | 'full' | 'ended'> {
    const { connection, keys, absoluteTimeoutMs } = this.#options;
    const expiresAt = String(Math.ceil(createdAt + absoluteTimeoutMs));
    const bounds = [expiresAt, String(MAX_COOKIES), String(deletes.length)];
    return connection.run(WRITE_JAR, [keys.jar(handle)], [...bounds, ...deletes, ...(puts as string[])]);
  }

  #seal(handle: string, field: string, kept: Kept): Buffer {
    return this.#options.seal.seal(Buffer.from(JSON.stringify(kept)), labelOf(handle, field));
  }

  #open(handle: string, fields: readonly Buffer[]): Kept[] {
    const found: Kept[] = [];
    for (let i = 0; i + 1 < fields.length; i += 2) {
      const opened = this.#options.seal.open(fields[i + 1]!, labelOf(handle, fields[i]!.toString()));
      // What the seal vouches for, a gate wrote as a whole.
      if (opened !== undefined) found.push(JSON.parse(opened.toString()) as Kept);
    }
    return found;
  }
}

interface Kept {
  readonly jar: string;
  readonly cookie: string;
}

/** With the handle, which is nowhere in the store, nobody can try out names of applications and cookies. */
function prefixOf(handle: string, jar: string): string {
  return `${shortHash(`jar ${handle} ${jar}`)}.`;
}

function labelOf(handle: string, field: string): string {
  return `cookie ${FORMAT} ${handle} ${field}`;
}
