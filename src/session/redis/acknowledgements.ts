// Who has stopped (design: the notice's 200 waits until every leased replica has acknowledged, or its lease has lapsed).

import { LEASE_MS } from './lease.ts';

/** For clocks that do not run at exactly the same speed. */
export const MARGIN_MS = 5;

/** A replica that may hold a lease when a mark is made, and how long ago it was last heard of. */
export interface Replica {
  readonly id: string;
  readonly ageMs: number;
}

/** The acknowledgements of the ends that this replica has told. */
export class Acknowledgements {
  readonly #waits = new Map<string, { readonly acknowledged: Set<string>; changed: () => void }>();

  /** Call it before the end is told: an answer may come before the mark's own. */
  expect(end: string): void {
    this.#waits.set(end, { acknowledged: new Set(), changed: () => {} });
  }

  acknowledge(end: string, replica: string): void {
    const wait = this.#waits.get(end);
    wait?.acknowledged.add(replica);
    wait?.changed();
  }

  /** Nobody waits for this end any more. */
  forget(end: string): void {
    this.#waits.delete(end);
  }

  /** Resolves when each of `replicas` has acknowledged, or can have no lease any more. Never rejects. */
  async all(end: string, replicas: readonly Replica[]): Promise<void> {
    const wait = this.#waits.get(end);
    if (wait === undefined) return;
    const waiting = replicas
      .map(({ id, ageMs }) => ({ id, leftMs: LEASE_MS - ageMs + MARGIN_MS }))
      .filter(({ leftMs }) => leftMs > 0);
    const timers: NodeJS.Timeout[] = [];
    await new Promise<void>((resolve) => {
      const lapsed = new Set<string>();
      wait.changed = () => {
        if (waiting.every(({ id }) => wait.acknowledged.has(id) || lapsed.has(id))) resolve();
      };
      for (const { id, leftMs } of waiting) {
        const lapse = (): void => {
          lapsed.add(id);
          wait.changed();
        };
        timers.push(setTimeout(lapse, leftMs));
      }
      wait.changed();
    });
    for (const timer of timers) clearTimeout(timer);
    this.#waits.delete(end);
  }
}
