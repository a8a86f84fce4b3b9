// Every live connection of every owner, so that all of an owner's can be ended at once (logout.md, steps 3 and 5). The owner
// is an opaque key: transport does not know what a session is.

import type { ConnectionCounts } from '../base/events.ts';
import { type Farewell, GOING_AWAY, NO_LONGER_ALLOWED, SESSION_ENDED } from './farewell.ts';
import { SlicedQueue } from './sliced-queue.ts';

/** `request`: an exchange whose response is no event stream, downloads and uploads included. */
export type ConnectionKind = 'request' | 'stream' | 'websocket';

export interface LiveConnection {
  readonly kind: ConnectionKind;
  /** What whoever forwards gave it to know it by. */
  readonly tag: unknown;
  /** True while bytes of either direction wait in this process for a kernel that takes them. */
  hasBacklog(): boolean;
  /** Ends both sides. Idempotent, never throws. The connection leaves its owner when both are closed. */
  cut(farewell?: Farewell): void;
}

/** Whether a stop may have been ordered elsewhere that this process has not heard of; nothing may be written then. */
export type IsBlind = () => boolean;

/** The connections of one key. `stopped` is looked at before every write in either direction. */
export class Owner {
  readonly key: string;
  #stopped = false;
  #farewell: Farewell = SESSION_ENDED;
  readonly #isBlind: IsBlind | undefined;
  readonly #live = new Set<LiveConnection>();
  readonly #emptied: (owner: Owner) => void;
  readonly #closing: SlicedQueue;
  #waiting: (() => void)[] | undefined;

  constructor(key: string, closing: SlicedQueue, on: { emptied: (owner: Owner) => void; isBlind?: IsBlind }) {
    this.key = key;
    this.#closing = closing;
    this.#emptied = on.emptied;
    this.#isBlind = on.isBlind;
  }

  get stopped(): boolean {
    return this.#stopped || this.#isBlind?.() === true;
  }

  /** Why it is stopped: whoever finds the flag before the close comes to it says the same. */
  get farewell(): Farewell {
    return this.#stopped ? this.#farewell : GOING_AWAY;
  }

  /** From here on nothing is handed to the kernel, in either direction. */
  stop(farewell: Farewell = SESSION_ENDED): void {
    this.#stopped = true;
    this.#farewell = farewell;
  }

  get size(): number {
    return this.#live.size;
  }

  add(connection: LiveConnection): void {
    this.#live.add(connection);
  }

  delete(connection: LiveConnection): void {
    if (!this.#live.delete(connection) || this.#live.size > 0) return;
    this.#emptied(this);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) for (const resolve of waiting) resolve();
  }

  /** Runs what is left to do of a cut in a slice: thousands of peers answer, or fail to, at the same moment. */
  soon(task: () => void): void {
    this.#closing.push(task);
  }

  /** For who fetched an owner and then had nothing to add. */
  release(): void {
    if (this.#live.size === 0) this.#emptied(this);
  }

  connections(): Iterable<LiveConnection> {
    return this.#live;
  }

  counts(): ConnectionCounts {
    const counts = { requests: 0, streams: 0, websockets: 0 };
    addCounts(counts, this.#live);
    return counts;
  }

  /** Resolves when the last connection has left. */
  empty(): Promise<void> {
    if (this.#live.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting ??= [];
      this.#waiting.push(resolve);
    });
  }
}

export class ConnectionRegistry {
  readonly #owners = new Map<string, Owner>();
  readonly #closing: SlicedQueue;
  #drained: (() => void)[] = [];
  readonly #forget = (owner: Owner): void => {
    if (this.#owners.get(owner.key) === owner) this.#owners.delete(owner.key);
    if (this.#drained.length === 0 || !this.#isEmpty()) return;
    for (const resolve of this.#drained.splice(0)) resolve();
  };

  /** Connections of nobody, on public paths: counted and closed at shutdown, never stopped. */
  readonly anonymous: Owner;
  readonly #onOwner: { emptied: (owner: Owner) => void; isBlind?: IsBlind };

  /**
   * `isBlind` is asked before every write of anybody's connections; absent where nobody else can order a stop. Connections
   * that were stopped are closed in `closing`.
   */
  constructor(isBlind?: IsBlind, closing = new SlicedQueue()) {
    this.#closing = closing;
    this.anonymous = new Owner('', closing, { emptied: this.#forget });
    this.#onOwner = { emptied: this.#forget, ...(isBlind === undefined ? {} : { isBlind }) };
  }

  /**
   * The owner with this key. Fetch it and `add` in the tick of the decision: an owner without connections is forgotten,
   * and one that was stopped is not in the table any more.
   */
  owner(key: string): Owner {
    let owner = this.#owners.get(key);
    if (owner === undefined) {
      owner = new Owner(key, this.#closing, this.#onOwner);
      this.#owners.set(key, owner);
    }
    return owner;
  }

  find(key: string): Owner | undefined {
    return this.#owners.get(key);
  }

  isLive(key: string): boolean {
    return (this.#owners.get(key)?.size ?? 0) > 0;
  }

  /** The stop: from here on nothing of this owner is handed to the kernel. O(1), however many connections it has. */
  stop(key: string): Owner | undefined {
    const owner = this.#owners.get(key);
    if (owner === undefined) return undefined;
    owner.stop();
    this.#owners.delete(key);
    return owner;
  }

  /**
   * Closes all that `owners` hold. Those with queued bytes are cut before this returns, so that no queue is flushed after
   * the stop: that is worth more than the turn of the event loop that a thousand slow readers cost. The others follow in
   * slices. Resolves with what was live at the call, once all of it is closed.
   */
  async close(owners: readonly Owner[], farewell: Farewell = SESSION_ENDED): Promise<ConnectionCounts> {
    const counts = { requests: 0, streams: 0, websockets: 0 };
    const quiet: LiveConnection[] = [];
    for (const owner of owners) {
      addCounts(counts, owner.connections());
      for (const connection of owner.connections()) {
        if (connection.hasBacklog()) connection.cut(farewell);
        else quiet.push(connection);
      }
    }
    this.#closing.pushEach(quiet, (connection) => connection.cut(farewell));
    for (const owner of owners) await owner.empty();
    return counts;
  }

  /** Resolves when no connection is left. */
  drained(): Promise<void> {
    if (this.#isEmpty()) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  /** Stops and closes everything: WebSockets with 1001 `going away`. */
  async shutDown(): Promise<ConnectionCounts> {
    const owners = [...this.list()];
    for (const owner of owners) {
      owner.stop(GOING_AWAY);
    }
    return this.close(owners, GOING_AWAY);
  }

  /**
   * Ends those connections of a living owner that `stays` refuses by their tag: what was allowed when they were opened and
   * is not any more. The others go on.
   */
  recheck(key: string, stays: (tag: unknown) => boolean): void {
    this.#recheck(this.#owners.get(key)?.connections() ?? [], stays);
  }

  /** The same for the connections of everybody, those of nobody included. */
  recheckAll(stays: (tag: unknown) => boolean): void {
    for (const owner of this.list()) this.#recheck(owner.connections(), stays);
  }

  #recheck(connections: Iterable<LiveConnection>, stays: (tag: unknown) => boolean): void {
    for (const connection of connections) {
      if (!stays(connection.tag)) this.#closing.push(() => connection.cut(NO_LONGER_ALLOWED));
    }
  }

  totals(): ConnectionCounts {
    const counts = { requests: 0, streams: 0, websockets: 0 };
    for (const owner of this.list()) addCounts(counts, owner.connections());
    return counts;
  }

  /** Every owner with live connections, the anonymous one last. */
  *list(): Iterable<Owner> {
    yield* this.#owners.values();
    if (this.anonymous.size > 0) yield this.anonymous;
  }

  #isEmpty(): boolean {
    return this.#owners.size === 0 && this.anonymous.size === 0;
  }
}

function addCounts(counts: ConnectionCounts, connections: Iterable<LiveConnection>): void {
  for (const { kind } of connections) {
    if (kind === 'websocket') counts.websockets++;
    else if (kind === 'stream') counts.streams++;
    else counts.requests++;
  }
}
