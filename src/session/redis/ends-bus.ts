// Ends, written and told to every replica in one operation of the store (design: mark, tell). And looks: reading tombstones,
// asking for the time and renewing the lease are one and the same question.

import { randomBytes } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { isKnown, type Tombstone } from '../end-names.ts';
import type { EndSelector } from '../session-store.ts';
import { Acknowledgements, MARGIN_MS, type Replica } from './acknowledgements.ts';
import { readMessage, type Text, toMicroseconds, toMilliseconds, tombstonesOf } from './ends-text.ts';
import { LEASE_MS, Lease } from './lease.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { RedisKeys } from './redis-keys.ts';
import { KEEP, LOOK, LOOK_AT, MARK, READ_AT } from './redis-scripts.ts';

const BEAT_MS = 250;
/** A beat that is later than this was not only held up by work: the process slept. */
const SLEPT_MS = 2 * BEAT_MS;

/** An end as replicas tell it to each other. */
export interface HeardEnd extends Tombstone {
  readonly selector: EndSelector;
  /** True where this very replica told it. */
  readonly isOwn: boolean;
}

export interface Marked {
  readonly arrivedAt: number;
  /** Resolves when every other replica has stopped, or cannot believe any more that it need not. Never rejects. */
  readonly acknowledged: Promise<void>;
}

export interface EndsBusOptions {
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
  readonly clock: Clock;
  /** This process's name among the replicas. */
  readonly replica: string;
  /** How long tombstones live. */
  readonly lifetimeMs: number;
  /** Called in the turn in which an end is heard; what it names has stopped when this returns. */
  readonly onEnd: (end: HeardEnd) => void;
  /** Called instead where a newer gate tells an end that this one does not understand: it may name anybody. */
  readonly onUnknownEnd: () => void;
  /** Ends may have been missed, or lost by the store: what is remembered has to be written again. */
  readonly onGap: () => void;
  /** The store's time, as often as it is heard. */
  readonly onTime: (storeNow: number) => void;
}

/** This replica's end of the bus. */
export class EndsBus {
  readonly #options: EndsBusOptions;
  readonly lease: Lease;
  readonly #acknowledgements = new Acknowledgements();
  #beats: NodeJS.Timeout | undefined;
  #lastLookAt = Number.NEGATIVE_INFINITY;
  #lastBeatAt = Number.POSITIVE_INFINITY;
  #lostAt = Number.NEGATIVE_INFINITY;
  /** It has slept, and has not looked since. */
  #isDrowsy = false;

  constructor(options: EndsBusOptions) {
    this.#options = options;
    this.lease = new Lease(options.clock);
  }

  /** Renews the lease from now on. */
  start(): void {
    this.#lastBeatAt = this.#options.clock.monotonicMs();
    this.#beats ??= setInterval(() => this.#beat(), BEAT_MS).unref();
  }

  /**
   * Whether this process has slept past its lease and does not know yet what it has missed: what others have ended
   * meanwhile may wait in its socket behind what would be forwarded first. A lease alone may also lapse because the store
   * does not answer; then it is a replica without a lease like any other, and so it is where the store cannot be asked.
   */
  hasSlept(): boolean {
    const now = this.#options.clock.monotonicMs();
    if (now - this.#lastBeatAt >= SLEPT_MS && !this.lease.isHeld()) {
      this.#lastBeatAt = now;
      this.#isDrowsy = true;
      const awake = (): void => {
        this.#isDrowsy = false;
      };
      this.look([]).then(awake, awake);
    }
    return this.#isDrowsy;
  }

  /** The connection is gone, and maybe the server with it. */
  lost(): void {
    this.#lostAt = this.#options.clock.monotonicMs();
  }

  /** Says goodbye, so that no mark has to wait for this replica. */
  async stop(): Promise<void> {
    clearInterval(this.#beats);
    const { connection, keys, replica } = this.#options;
    await connection.send(['HDEL', keys.bus, `m:${replica}`]).catch(() => {});
  }

  #beat(): void {
    const { clock, connection } = this.#options;
    if (this.hasSlept()) return;
    const now = clock.monotonicMs();
    this.#lastBeatAt = now;
    if (connection.trouble !== undefined || now - this.#lastLookAt < BEAT_MS / 2) return;
    // What goes wrong here, the connection knows too.
    this.look([]).catch(() => {});
  }

  /**
   * The store's time and the tombstones of these names, by name. What it says is true for whoever uses it in this turn.
   * @throws GatewayError `store_unavailable`
   */
  async look(names: readonly string[]): Promise<{ now: number; tombstones: ReadonlyMap<string, Tombstone> }> {
    const { connection, keys, replica, lifetimeMs } = this.#options;
    const of = [keys.bus, ...names.map((name) => keys.tombstone(name))];
    const args = [replica, String(lifetimeMs)];
    const { now, rest } = await this.#ask(() => connection.run<Looked<string | null>>(LOOK, of, args));
    return { now, tombstones: tombstonesOf(names, rest) };
  }

  /**
   * The RECORD_FIELDS of a session, and the tombstones of the ends that the last one of them names, in one question; only
   * where one server has the sessions too. `tombstonesOf` takes these names, in their order.
   * @throws GatewayError `store_unavailable`
   */
  async readAt(session: string): Promise<ReadAt> {
    const { connection, keys, replica, lifetimeMs } = this.#options;
    const { epoch } = this.lease;
    if (this.lease.isHeld()) {
      const read = await connection.runForBytes<FoundAt>(READ_AT, [session], [keys.tombstones]);
      // As good as a look: an end that this answer does not tell was made after it, and is heard or waited for.
      if (this.lease.isHeld() && this.lease.epoch === epoch) return readAt(read);
    }
    const args = [keys.tombstones, replica, String(lifetimeMs)];
    const of = [keys.bus, session];
    const { rest } = await this.#ask(() => connection.runForBytes<LookedAt>(LOOK_AT, of, args));
    return readAt(rest);
  }

  /** What a script answers after a look. An answer that lay about for longer than a lease is asked for again. */
  async #ask<Rest extends readonly unknown[]>(
    run: () => Promise<readonly [time: Text, seq: Text, tip: Text, ...rest: Rest]>,
  ): Promise<{ now: number; rest: Rest }> {
    const { clock } = this.#options;
    for (;;) {
      const sentAt = clock.monotonicMs();
      this.#lastLookAt = sentAt;
      const [time, seq, tip, ...rest] = await run();
      const now = toMilliseconds(time);
      this.#options.onTime(now);
      if (!this.lease.renew({ seq: Number(seq), name: String(tip) }, sentAt)) this.#options.onGap();
      if (clock.monotonicMs() - sentAt < LEASE_MS) return { now, rest };
    }
  }

  /**
   * Writes the tombstone and tells every replica. An end that was heard at `heardAt`, when the store could not be reached,
   * arrived then.
   * @throws GatewayError `store_unavailable`: it may have been written all the same
   */
  async mark(
    selector: EndSelector,
    { name, issuedBeforeSeconds, heardAt }: { name: string; issuedBeforeSeconds: number; heardAt: number | undefined },
  ): Promise<Marked> {
    const { connection, keys, replica, lifetimeMs } = this.#options;
    const end = randomBytes(9).toString('base64url');
    const message = JSON.stringify({ from: replica, selector, issuedBeforeSeconds });
    this.#acknowledgements.expect(end);
    try {
      const [arrived, ...replicas] = await connection.run<string[]>(
        MARK,
        [keys.tombstone(name), keys.bus],
        [
          String(issuedBeforeSeconds),
          String(lifetimeMs),
          heardAt === undefined ? '' : toMicroseconds(heardAt),
          end,
          keys.heardChannel,
          message,
        ],
      );
      return {
        arrivedAt: toMilliseconds(arrived),
        acknowledged: Promise.all([
          this.#acknowledgements.all(end, othersIn(replicas, replica)),
          this.#forgottenLapsed(),
        ]).then(() => {}),
      };
    } catch (error) {
      this.#acknowledgements.forget(end);
      throw error;
    }
  }

  /**
   * A server that was started anew, or has taken another's place, may not know of a replica that has not come back yet. What that
   * one believes it has from before; so no lease of it lasts longer than one from the moment in which ours was lost.
   */
  async #forgottenLapsed(): Promise<void> {
    const leftMs = this.#lostAt + LEASE_MS + MARGIN_MS - this.#options.clock.monotonicMs();
    if (leftMs > 0) await new Promise((resolve) => setTimeout(resolve, leftMs));
  }

  /** Writes a remembered tombstone again. @throws GatewayError `store_unavailable` */
  async keep(name: string, { arrivedAt, issuedBeforeSeconds }: Tombstone): Promise<void> {
    const { connection, keys, lifetimeMs } = this.#options;
    const args = [toMicroseconds(arrivedAt), String(issuedBeforeSeconds), String(lifetimeMs)];
    await connection.run(KEEP, [keys.tombstone(name)], args);
  }

  /** A message on the channel of ends: `seq tip previous-tip arrived json`. */
  heard(text: string): void {
    const head = text.split(' ', 4);
    const [seq, tip = '', previous = '', arrived] = head;
    const { from, selector, issuedBeforeSeconds } = readMessage(text.slice(head.join(' ').length));
    const arrivedAt = toMilliseconds(arrived);
    this.lease.hear({ seq: Number(seq), name: tip }, previous);
    const { connection, keys, replica } = this.#options;
    if (!isKnown(selector) || Number.isNaN(arrivedAt + issuedBeforeSeconds)) this.#options.onUnknownEnd();
    else this.#options.onEnd({ selector, arrivedAt, issuedBeforeSeconds, isOwn: from === replica });
    if (from === undefined || from === replica) return;
    // Where it does not arrive, the lease lapses: the connection that lost it is lost for looks too.
    connection.send(['PUBLISH', keys.ackChannel(from), `${tip} ${replica}`]).catch(() => {});
  }

  /** A message on this replica's own channel: `tip replica`. */
  acknowledged(text: string): void {
    const [end = '', replica = ''] = text.split(' ');
    this.#acknowledgements.acknowledge(end, replica);
  }
}

type Looked<Tombstone> = readonly [time: Text, seq: Text, tip: Text, ...tombstones: Tombstone[]];
/** The tombstones only where there is one. */
type FoundAt = readonly [values: (Buffer | null)[], tombstones?: (Buffer | null)[]];
type LookedAt = readonly [time: Text, seq: Text, tip: Text, ...found: FoundAt];

/** A session's fields, and the tombstones of what they name; undefined where there is none. */
export interface ReadAt {
  readonly values: readonly (Buffer | null)[];
  readonly tombstonesOf: ((names: readonly string[]) => ReadonlyMap<string, Tombstone>) | undefined;
}

function readAt([values, texts]: FoundAt): ReadAt {
  return { values, tombstonesOf: texts && ((names) => tombstonesOf(names, texts)) };
}

function othersIn(replicas: readonly string[], self: string): Replica[] {
  const others: Replica[] = [];
  for (let i = 0; i + 1 < replicas.length; i += 2) {
    const id = replicas[i]!;
    if (id !== self) others.push({ id, ageMs: toMilliseconds(replicas[i + 1]) });
  }
  return others;
}
