// Everything that waits in an explored world waits here, and goes on when a schedule says so: the answers of the store and
// of the provider, the doors, the upstream (design: never undone). What each step has to do with the others is noted here
// too, by whoever keeps what they have in common.

import { AsyncLocalStorage } from 'node:async_hooks';

/** Something that waits. Once it goes on it runs until it waits again: nothing else runs meanwhile. */
export interface Waiting {
  /** What began it. Whatever follows from that has the same name. */
  readonly actor: string;
  readonly what: string;
  /** Nobody waits for it. */
  readonly isBehind: boolean;
  /** How many waited before it in this world. */
  readonly order: number;
  readonly goOn: () => void;
}

/** What a step has looked at, and what it has changed, of all that actors have in common. */
export interface Footprint {
  readonly reads: Set<string>;
  readonly changes: Set<string>;
}

export function newFootprint(): Footprint {
  return { reads: new Set(), changes: new Set() };
}

/** The waiting room of one world. */
export class Turns {
  /** Oldest first. */
  readonly waiting: Waiting[] = [];
  /** Who does what: also where it goes on in somebody else's step, because it has waited for that. */
  readonly #actors = new AsyncLocalStorage<string>();
  readonly #names = new Map<string, string>();
  #footprint: Footprint = newFootprint();
  #entered = 0;
  #behind = 0;
  #actor: string | undefined;
  #doorsOpen = true;

  /** From here on whoever waits is kept waiting. */
  close(): void {
    this.#doorsOpen = false;
  }

  /** From here on nobody waits: for what a test wants done before or after the schedule. */
  open(): void {
    this.#doorsOpen = true;
  }

  /** Whoever went on last, if anybody has. */
  get actor(): string | undefined {
    return this.#actor;
  }

  /** Runs `activity`, once its turn has come to begin, as an actor of its own. */
  act(actor: string, activity: () => Promise<void>): Promise<void> {
    return this.#actors.run(actor, async () => {
      await this.wait('begins');
      await activity();
    });
  }

  /** Waits for its turn; `what` happens when it comes. */
  wait(what: string): Promise<void> {
    return this.#enter({ actor: this.#running, what, isBehind: false });
  }

  /** The same for work that nobody waits for: an actor of its own, which goes on last if a schedule does not say otherwise. */
  waitBehind(what: string): Promise<void> {
    return this.#actors.run(`behind ${++this.#behind}`, () =>
      this.#enter({ actor: this.#running, what, isBehind: true }),
    );
  }

  /** Lets one go on; what it does until it waits again is done in the microtasks and ticks that follow. */
  letGo(one: Waiting): void {
    this.waiting.splice(this.waiting.indexOf(one), 1);
    this.#actor = one.actor;
    this.#footprint = newFootprint();
    one.goOn();
  }

  /** The footprint of the step that was let go on last, which is over; whatever looks on from here on leaves none in it. */
  takeFootprint(): Footprint {
    const footprint = this.#footprint;
    this.#footprint = newFootprint();
    return footprint;
  }

  /** The step that is under way looks at something that another may change: at `what`, or the `what` of one of many. */
  reads(what: string, of?: string): void {
    const name = this.#nameOf(what, of);
    if (!this.#doorsOpen) this.#footprint.reads.add(name);
  }

  /** The step that is under way changes something that another may look at, or change too. */
  changes(what: string, of?: string): void {
    const name = this.#nameOf(what, of);
    if (!this.#doorsOpen) this.#footprint.changes.add(name);
  }

  get #running(): string {
    return this.#actors.getStore() ?? 'nobody';
  }

  /** Ids are random, and differ from run to run; whoever used one first does not. */
  #nameOf(what: string, of: string | undefined): string {
    if (of === undefined) return what;
    let name = this.#names.get(of);
    if (name === undefined) {
      name = `${this.#running}'s`;
      this.#names.set(of, name);
    }
    return `${what} of ${name}`;
  }

  #enter(one: Omit<Waiting, 'order' | 'goOn'>): Promise<void> {
    if (this.#doorsOpen) return Promise.resolve();
    const order = this.#entered++;
    return new Promise((goOn) => this.waiting.push({ ...one, order, goOn }));
  }
}

/** Whether two steps have nothing to do with one another: in either order each does the same, and the same comes of it. */
export function areIndependent(a: Footprint, b: Footprint): boolean {
  return a.changes.isDisjointFrom(b.changes) && a.changes.isDisjointFrom(b.reads) && a.reads.isDisjointFrom(b.changes);
}
