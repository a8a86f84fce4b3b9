// The waiting forms of all replicas. They share one hash tag, so that in a Cluster too their limits are counted in the
// operation that keeps one; together they are no more than one node has room for.

import type { FormLimits, FormStore, FoundForm, WaitingForm } from '../form-store.ts';
import { FIND_FORM, KEEP_FORM, TAKE_FORM } from './form-scripts.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { RedisKeys } from './redis-keys.ts';

export interface RedisFormStoreOptions {
  readonly connection: Pick<RedisConnection, 'run' | 'runForBytes'>;
  readonly keys: RedisKeys;
  readonly limits: FormLimits;
}

/** Of the number before a form's head that says where its body begins. */
const LENGTH_BYTES = 4;

/** Forms in Redis. */
export class RedisFormStore implements FormStore {
  readonly #options: RedisFormStoreOptions;
  /** One body at a time, so that each has its whole deadline for itself. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: RedisFormStoreOptions) {
    this.#options = options;
  }

  async keep(form: WaitingForm, forMs: number): Promise<'kept' | 'too many'> {
    const { formsOfOwner, bytesOfOwner, formsOfAll, bytesOfAll } = this.#options.limits;
    const kept = await this.#put(form, forMs, [formsOfOwner, bytesOfOwner, formsOfAll, bytesOfAll]);
    return kept === 1 ? 'kept' : 'too many';
  }

  async find(id: string): Promise<FoundForm<Buffer>> {
    const { connection, keys } = this.#options;
    return found(await connection.runForBytes<Buffer | null>(FIND_FORM, [keys.form(id)], []));
  }

  async take(id: string): Promise<FoundForm<Pick<WaitingForm, 'head' | 'body'>>> {
    const { connection, keys } = this.#options;
    const form = await this.#inTurn(() =>
      connection.runForBytes<Buffer | null>(TAKE_FORM, [keys.form(id), keys.forms], []),
    );
    const bytes = found(form);
    if (typeof bytes !== 'object') return bytes;
    const end = LENGTH_BYTES + bytes.readUInt32BE();
    return { head: bytes.subarray(LENGTH_BYTES, end), body: bytes.subarray(end) };
  }

  async giveBack(form: WaitingForm, forMs: number): Promise<void> {
    await this.#put(form, forMs, []);
  }

  #put({ id, owner, head, body }: WaitingForm, forMs: number, limits: readonly number[]): Promise<number> {
    const { connection, keys } = this.#options;
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(head.length);
    const about = [owner, String(head.length + body.length), String(forMs), ...limits.map(String)];
    return this.#inTurn(() => {
      const form = Buffer.concat([length, head, body]);
      return connection.run(KEEP_FORM, [keys.form(id), keys.forms], [form, ...about]);
    });
  }

  #inTurn<Reply>(work: () => Promise<Reply>): Promise<Reply> {
    const reply = this.#turn.then(work);
    this.#turn = reply.catch(() => {});
    return reply;
  }
}

/** An empty text stands where somebody has taken the form. */
function found(bytes: Buffer | null): FoundForm<Buffer> {
  if (bytes === null) return undefined;
  return bytes.length === 0 ? 'taken' : bytes;
}
