// What this replica may believe without asking (design: everywhere). Each look at the store says which ends there have been
// so far; where this replica has heard every one of them, it may trust what it remembers for one second from the moment in
// which it asked. The clock is looked at in every decision: no timer has to fire for a lease to lapse, so a process that
// was stopped wakes up without one.

import type { Clock } from '../../base/clock.ts';

/** A mark waits so long for a replica that does not answer. */
export const LEASE_MS = 1_000;

/** Ends whose order is still known; a reply is read in the same turn as the messages behind it, never a thousand later. */
const REMEMBERED_TIPS = 1_024;

/** The latest end that the store knows of: how many there were, and the random name of the last. */
export interface Tip {
  readonly seq: number;
  readonly name: string;
}

/** The lease of one replica. */
export class Lease {
  readonly #clock: Clock;
  #until = Number.NEGATIVE_INFINITY;
  #latest: Tip | undefined;
  readonly #recent = new Map<number, string>();
  #isNewConnection = true;
  #epoch = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True while this replica may trust what it remembers. */
  isHeld(): boolean {
    return this.#clock.monotonicMs() < this.#until;
  }

  /** Grows whenever something may have been missed: what was remembered in an earlier one has to be asked for again. */
  get epoch(): number {
    return this.#epoch;
  }

  /** A new connection begins: whatever the store forgot or was told meanwhile was not heard. */
  reconnected(): void {
    this.#isNewConnection = true;
  }

  /** An end was heard, the one after the end of the name `previous`. Where that was not, the next look finds it out. */
  hear(tip: Tip, previous: string): void {
    if (previous === this.#latest?.name && tip.seq === this.#latest.seq + 1) this.#remember(tip);
  }

  /** The store has answered a look that was sent at `sentAt`. Returns false where ends have been missed before it. */
  renew(tip: Tip, sentAt: number): boolean {
    const isComplete = this.#isNewConnection ? this.#isLatest(tip) : this.#recent.get(tip.seq) === tip.name;
    if (!isComplete) {
      this.#epoch++;
      this.#recent.clear();
      this.#remember(tip);
    } else if (this.#isNewConnection) {
      // Changes of records that are no ends may have been missed all the same.
      this.#epoch++;
    }
    this.#isNewConnection = false;
    this.#until = Math.max(this.#until, sentAt + LEASE_MS);
    return isComplete;
  }

  #isLatest(tip: Tip): boolean {
    return this.#latest?.seq === tip.seq && this.#latest.name === tip.name;
  }

  #remember(tip: Tip): void {
    this.#latest = tip;
    this.#recent.set(tip.seq, tip.name);
    for (const seq of this.#recent.keys()) {
      if (this.#recent.size <= REMEMBERED_TIPS) return;
      this.#recent.delete(seq);
    }
  }
}
