// Forms that arrived when the session was over, encrypted from here to the moment in which they are sent on.

import { hash } from 'node:crypto';
import type { ByteSeal } from '../base/byte-seal.ts';
import type { Clock } from '../base/clock.ts';
import { newFormId } from '../base/ids.ts';
import type { FormStore, WaitingForm } from '../session/form-store.ts';

/** All of it but the body. */
export interface KeptFormHead {
  readonly issuer: string;
  readonly sub: string;
  readonly publicOrigin: string;
  /** As the browser sent it, query and all. */
  readonly target: string;
  /** Raw pairs of the request that belong to its body, and say which page it came from. */
  readonly headers: readonly string[];
  readonly bytes: number;
  /** By this machine's wall clock, epoch milliseconds. */
  readonly keptUntil: number;
}

export interface KeptForm extends KeptFormHead {
  readonly body: Buffer;
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
  async keep(form: Omit<KeptForm, 'keptUntil' | 'bytes'>): Promise<{ id: string } | 'too many'> {
    const id = newFormId();
    const kept = { ...form, bytes: form.body.length, keptUntil: this.#clock.now() + KEPT_FOR_MS };
    return (await this.#store.keep(this.#close(id, kept), KEPT_FOR_MS)) === 'kept' ? { id } : 'too many';
  }

  /** @throws GatewayError `store_unavailable` */
  async find(id: string): Promise<KeptFormHead | 'taken' | undefined> {
    const found = await this.#store.find(id);
    return typeof found === 'object' ? this.#openHead(id, found) : found;
  }

  /** Exactly one of all callers gets it. @throws GatewayError `store_unavailable` */
  async take(id: string): Promise<KeptForm | 'taken' | undefined> {
    const found = await this.#store.take(id);
    if (typeof found !== 'object') return found;
    const head = this.#openHead(id, found.head);
    const body = this.#seal.open(found.body, `${id} body`);
    return head && body && { ...head, body };
  }

  /** For one that was taken and of which not a byte was sent. @throws GatewayError `store_unavailable` */
  async giveBack(id: string, form: KeptForm): Promise<void> {
    const leftMs = form.keptUntil - this.#clock.now();
    if (leftMs > 0) await this.#store.giveBack(this.#close(id, form), Math.min(leftMs, KEPT_FOR_MS));
  }

  minutesLeft({ keptUntil }: KeptFormHead): number {
    return Math.max(1, Math.floor((keptUntil - this.#clock.now()) / 60_000));
  }

  #close(id: string, { body, ...about }: KeptForm): WaitingForm {
    const owner = hash('sha256', `${about.issuer} ${about.sub}`, 'base64url').slice(0, 22);
    const head = this.#seal.seal(Buffer.from(JSON.stringify(about)), `${id} head`);
    return { id, owner, head, body: this.#seal.seal(body, `${id} body`) };
  }

  #openHead(id: string, sealed: Buffer): KeptFormHead | undefined {
    const head = this.#seal.open(sealed, `${id} head`);
    return head && (JSON.parse(head.toString()) as KeptFormHead);
  }
}
