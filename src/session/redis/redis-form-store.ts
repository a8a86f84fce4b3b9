// The waiting forms of all replicas. They share one hash tag, so that in a Cluster too their limits are counted in the
// operation that keeps one; together they are no more than one node has room for.

import type { FormLimits, FormStore, FoundForm, WaitingForm } from '../form-store.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { RedisKeys } from './redis-keys.ts';
import { KEEP_FORM, TAKE_FORM } from './redis-scripts.ts';

export interface RedisFormStoreOptions {
  readonly connection: Pick<RedisConnection, 'run' | 'runForBytes' | 'sendForBytes'>;
  readonly keys: RedisKeys;
  readonly limits: FormLimits;
}

/** Forms in Redis. */
export class RedisFormStore implements FormStore {
  readonly #options: RedisFormStoreOptions;

  constructor(options: RedisFormStoreOptions) {
    this.#options = options;
  }

  async keep(form: WaitingForm, forMs: number): Promise<'kept' | 'too many'> {
    const { formsOfOwner, bytesOfOwner, formsOfAll, bytesOfAll } = this.#options.limits;
    const kept = await this.#put(form, forMs, [formsOfOwner, bytesOfOwner, formsOfAll, bytesOfAll]);
    return kept === 1 ? 'kept' : 'too many';
  }

  async find(id: string): Promise<FoundForm> {
    const { connection, keys } = this.#options;
    return found(await connection.sendForBytes<Buffer | null>(['GET', keys.form(id)]));
  }

  async take(id: string): Promise<FoundForm> {
    const { connection, keys } = this.#options;
    return found(await connection.runForBytes<Buffer | null>(TAKE_FORM, [keys.form(id), keys.forms], []));
  }

  async giveBack(form: WaitingForm, forMs: number): Promise<void> {
    await this.#put(form, forMs, []);
  }

  #put({ id, owner, sealed }: WaitingForm, forMs: number, limits: readonly number[]): Promise<number> {
    const { connection, keys } = this.#options;
    const about = [owner, String(sealed.length), String(forMs)];
    return connection.run(KEEP_FORM, [keys.form(id), keys.forms], [sealed, ...about, ...limits.map(String)]);
  }
}

/** An empty text stands where somebody has taken the form. */
function found(bytes: Buffer | null): FoundForm {
  if (bytes === null) return undefined;
  return bytes.length === 0 ? 'taken' : bytes;
}
