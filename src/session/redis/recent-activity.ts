// Users' activity, written in batches (design: `last seen` is written in batches).

import type { Held } from './held-sessions.ts';
import type { RedisRecords } from './redis-records.ts';

/** So late may other replicas hear of a user's activity. */
const WRITTEN_EVERY_MS = 1_000;

/** So many writes wait for their answers at once. */
const AT_ONCE = 128;

/** Notes activity, and writes it a little later. */
export class RecentActivity {
  readonly #records: RedisRecords;
  readonly #noted = new Set<Held>();
  #timer: NodeJS.Timeout | undefined;

  constructor(records: RedisRecords) {
    this.#records = records;
  }

  note(held: Held): void {
    this.#noted.add(held);
    this.#timer ??= setTimeout(() => void this.write(), WRITTEN_EVERY_MS).unref();
  }

  /** Writes what has been noted. What cannot be written is noted again: activity must not be lost to a short fault. */
  async write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const noted = [...this.#noted].filter(({ session }) => !session.ended);
    this.#noted.clear();
    for (let from = 0; from < noted.length; from += AT_ONCE) {
      const batch = noted.slice(from, from + AT_ONCE).map(async (held) => {
        const { home, session } = held;
        await this.#records.writeLastSeen(home, session.record, session.lastSeenAt).catch(() => this.#noted.add(held));
      });
      await Promise.all(batch);
    }
    if (this.#noted.size > 0) this.#timer ??= setTimeout(() => void this.write(), WRITTEN_EVERY_MS).unref();
  }
}
