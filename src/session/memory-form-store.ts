// The waiting forms of one process.

import type { Clock, Timers } from '../base/clock.ts';
import type { FormLimits, FormStore, FoundForm, WaitingForm } from './form-store.ts';

interface Place {
  /** undefined: taken. */
  form: WaitingForm | undefined;
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
    let [own, ownBytes, all, allBytes] = [1, sizeOf(form), 1, sizeOf(form)];
    for (const { form: other } of this.#places.values()) {
      if (other === undefined) continue;
      all++;
      allBytes += sizeOf(other);
      if (other.owner !== form.owner) continue;
      own++;
      ownBytes += sizeOf(other);
    }
    if (own > formsOfOwner || ownBytes > bytesOfOwner || all > formsOfAll || allBytes > bytesOfAll) return 'too many';
    this.giveBack(form, forMs);
    return 'kept';
  }

  find(id: string): FoundForm<Buffer> {
    const found = this.#look(id);
    return typeof found === 'object' ? found.head : found;
  }

  take(id: string): FoundForm<WaitingForm> {
    const found = this.#look(id);
    if (typeof found === 'object') this.#places.get(id)!.form = undefined;
    return found;
  }

  giveBack(form: WaitingForm, forMs: number): void {
    if (this.#places.size >= 2 * this.#limits.formsOfAll) this.#forgetOldestTaken();
    const { id } = form;
    const place: Place = { form, endsAtMs: this.#clock.monotonicMs() + forMs };
    this.#places.set(id, place);
    this.#timers.after(forMs, () => {
      if (this.#places.get(id) === place) this.#places.delete(id);
    });
  }

  #look(id: string): FoundForm<WaitingForm> {
    const place = this.#places.get(id);
    if (place === undefined || place.endsAtMs <= this.#clock.monotonicMs()) return undefined;
    return place.form ?? 'taken';
  }

  #forgetOldestTaken(): void {
    for (const [id, { form }] of this.#places) {
      if (form !== undefined) continue;
      this.#places.delete(id);
      return;
    }
  }
}

function sizeOf({ head, body }: WaitingForm): number {
  return head.length + body.length;
}
