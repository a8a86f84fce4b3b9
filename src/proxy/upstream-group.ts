// The upstreams of one route that are the same application: who of them gets a request. One that cannot be connected to gets
// none until it can be again, which a connection of the gate's own finds out and no user's request.

import type { TLSSocket } from 'node:tls';
import type { Upstream } from './upstream.ts';

export type Balance = 'round_robin' | 'session';

/** How often one that is down is asked whether it is up again. */
const ASK_AGAIN_MS = 2_000;

export class UpstreamGroup {
  /** At least one. */
  readonly members: readonly Upstream[];
  readonly #balance: Balance;
  readonly #down = new Map<Upstream, NodeJS.Timeout>();
  #turn = 0;

  constructor(members: readonly Upstream[], balance: Balance) {
    this.members = members;
    this.#balance = balance;
  }

  /**
   * Whose turn it is; with `session` always the same one for `holder`, while it is up. Where all are down the one whose turn
   * it would be: it may have come up in this moment.
   */
  pick(holder: string): Upstream {
    const { members } = this;
    const { length } = members;
    if (length === 1) return members[0]!;
    const first = this.#balance === 'session' ? homeOf(holder, length) : this.#turn++ % length;
    for (let i = 0; i < length; i++) {
      const member = members[(first + i) % length]!;
      if (!this.#down.has(member)) return member;
    }
    return members[first]!;
  }

  /** It could not be connected to. */
  failed(member: Upstream): void {
    if (this.members.length > 1 && !this.#down.has(member)) this.#askLater(member);
  }

  /** Waits for the exchanges under way; nobody is asked any more. */
  async close(): Promise<void> {
    for (const timer of this.#down.values()) clearTimeout(timer);
    this.#down.clear();
    await Promise.all(this.members.map((member) => member.close()));
  }

  #askLater(member: Upstream): void {
    this.#down.set(member, setTimeout(() => this.#ask(member), ASK_AGAIN_MS).unref());
  }

  #ask(member: Upstream): void {
    const socket = member.connect();
    const limit = setTimeout(() => socket.destroy(), member.timeouts.connectMs).unref();
    let isUp = false;
    socket.once((socket as TLSSocket).encrypted ? 'secureConnect' : 'connect', () => {
      isUp = true;
      socket.destroy();
    });
    socket.on('error', () => {});
    socket.once('close', () => {
      clearTimeout(limit);
      // Closed meanwhile.
      if (!this.#down.has(member)) return;
      if (isUp) this.#down.delete(member);
      else this.#askLater(member);
    });
  }
}

/**
 * Which of `count` members `session` gives a holder, as long as it is up. FNV-1a: the same for every gate, so that a user's
 * next request finds the same member through another one.
 */
export function homeOf(holder: string, count: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < holder.length; i++) hash = Math.imul(hash ^ holder.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % count;
}
