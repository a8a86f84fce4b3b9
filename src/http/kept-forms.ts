// Forms that arrived when the session was over, encrypted from here to the moment in which they are sent on.

import { hash } from 'node:crypto';
import type { ByteSeal } from '../base/byte-seal.ts';
import type { Clock } from '../base/clock.ts';
import { newFormId } from '../base/ids.ts';
import type { FormStore } from '../session/form-store.ts';

export interface KeptForm {
  readonly issuer: string;
  readonly sub: string;
  readonly publicOrigin: string;
  /** As the browser sent it, query and all. */
  readonly target: string;
  /** Raw pairs of the request that belong to its body, and say which page it came from. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** By this machine's wall clock, epoch milliseconds. */
  readonly keptUntil: number;
}

/** Long enough for a second factor and a telephone call. */
const KEPT_FOR_MS = 30 * 60_000;

export class KeptForms {
  readonly #store: FormStore;
  readonly #seal: ByteSeal;
  readonly #clock: Clock;

  constructor({ store, seal, clock }: { store: FormStore; seal: ByteSeal; clock: Clock }) {
    this.#store = store;
    this.#seal = seal;
    this.#clock = clock;
  }

  /** The id under which it waits. @throws GatewayError `store_unavailable` */
  async keep(form: Omit<KeptForm, 'keptUntil'>): Promise<{ id: string } | 'too many'> {
    const id = newFormId();
    const kept = { ...form, keptUntil: this.#clock.now() + KEPT_FOR_MS };
    return (await this.#store.keep(this.#close(id, kept), KEPT_FOR_MS)) === 'kept' ? { id } : 'too many';
  }

  /** @throws GatewayError `store_unavailable` */
  async find(id: string): Promise<KeptForm | 'taken' | undefined> {
    return this.#open(id, await this.#store.find(id));
  }

  /** Exactly one of all callers gets it. @throws GatewayError `store_unavailable` */
  async take(id: string): Promise<KeptForm | 'taken' | undefined> {
    return this.#open(id, await this.#store.take(id));
  }

  /** For one that was taken and of which not a byte was sent. @throws GatewayError `store_unavailable` */
  async giveBack(id: string, form: KeptForm): Promise<void> {
    const leftMs = form.keptUntil - this.#clock.now();
    if (leftMs > 0) await this.#store.giveBack(this.#close(id, form), Math.min(leftMs, KEPT_FOR_MS));
  }

  minutesLeft({ keptUntil }: KeptForm): number {
    return Math.max(1, Math.floor((keptUntil - this.#clock.now()) / 60_000));
  }

  #close(id: string, { body, ...about }: KeptForm) {
    // No line end is left in JSON, so the first one is ours.
    const bytes = Buffer.concat([Buffer.from(`${JSON.stringify(about)}\n`), body]);
    const owner = hash('sha256', `${about.issuer} ${about.sub}`, 'base64url').slice(0, 22);
    return { id, owner, sealed: this.#seal.seal(bytes, id) };
  }

  #open(id: string, found: Buffer | 'taken' | undefined): KeptForm | 'taken' | undefined {
    if (found === undefined || found === 'taken') return found;
    const bytes = this.#seal.open(found, id);
    if (bytes === undefined) return undefined;
    const end = bytes.indexOf(0x0a);
    return {
      ...(JSON.parse(bytes.subarray(0, end).toString()) as Omit<KeptForm, 'body'>),
      body: bytes.subarray(end + 1),
    };
  }
}
