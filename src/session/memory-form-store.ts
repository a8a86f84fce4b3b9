// The waiting forms of one process.

import type { Clock, Timers } from '../base/clock.ts';
import type { FormLimits, FormStore, FoundForm, WaitingForm } from './form-store.ts';

interface Place {
  readonly owner: string;
  /** undefined: taken. */
  sealed: Buffer | undefined;
  readonly endsAtMs: number;
}

/** Forms in memory. Nothing here waits or fails; a restart loses them. */
export class MemoryFormStore implements FormStore {
  readonly #places = new Map<string, Place>();
  readonly #limits: FormLimits;
  readonly #clock: Clock;
  readonly #timers: Timers;

  constructor({ limits, clock, timers }: { limits: FormLimits; clock: Clock; timers: Timers }) {
    this.#limits = limits;
    this.#clock = clock;
    this.#timers = timers;
  }

  keep(form: WaitingForm, forMs: number): 'kept' | 'too many' {
    const { formsOfOwner, bytesOfOwner, formsOfAll, bytesOfAll } = this.#limits;
    let [own, ownBytes, all, allBytes] = [1, form.sealed.length, 1, form.sealed.length];
    for (const { owner, sealed } of this.#places.values()) {
      if (sealed === undefined) continue;
      all++;
      allBytes += sealed.length;
      if (owner !== form.owner) continue;
      own++;
      ownBytes += sealed.length;
    }
    if (own > formsOfOwner || ownBytes > bytesOfOwner || all > formsOfAll || allBytes > bytesOfAll) return 'too many';
    this.giveBack(form, forMs);
    return 'kept';
  }

  find(id: string): FoundForm {
    const place = this.#places.get(id);
    if (place === undefined || place.endsAtMs <= this.#clock.monotonicMs()) return undefined;
    return place.sealed ?? 'taken';
  }

  take(id: string): FoundForm {
    const found = this.find(id);
    if (typeof found === 'object') this.#places.get(id)!.sealed = undefined;
    return found;
  }

  giveBack({ id, owner, sealed }: WaitingForm, forMs: number): void {
    if (this.#places.size >= 2 * this.#limits.formsOfAll) this.#forgetOldestTaken();
    const place = { owner, sealed, endsAtMs: this.#clock.monotonicMs() + forMs };
    this.#places.set(id, place);
    this.#timers.after(forMs, () => {
      if (this.#places.get(id) === place) this.#places.delete(id);
    });
  }

  #forgetOldestTaken(): void {
    for (const [id, { sealed }] of this.#places) {
      if (sealed !== undefined) continue;
      this.#places.delete(id);
      return;
    }
  }
}
