// What a session costs that this process does not remember, beside one GET of as many bytes by the same client library.
// In a process of its own, where a gate would be.

import { createClient } from '@redis/client';
import type { SessionId } from '../../src/base/ids.ts';
import { Replica } from '../../test/redis/replica.ts';
import { aRecord, aTokenSet } from '../../test/support/session-records.ts';
import { answerParent } from './children.ts';
import { quantile } from './statistics.ts';

export interface ColdReadsOptions {
  readonly port: number;
  readonly rounds: number;
  readonly seconds: number;
  /** So many readers, each of which asks again as soon as it has its answer. */
  readonly atOnce: number;
}

/** Of one round, milliseconds. */
export interface ReadTimes {
  readonly getMs: number;
  readonly coldMs: number;
}

/** So many that none is asked for again while it is still remembered. */
const SESSIONS = 500;

answerParent({
  /** Medians of each of alternating rounds. */
  async measure({ port, rounds, seconds, atOnce }: ColdReadsOptions): Promise<ReadTimes[]> {
    const replica = await Replica.start(port, { keyPrefix: 'cold:', maxHeldSessions: 1 });
    const ids = await signIn(replica);
    const client = createClient({ RESP: 3, socket: { host: '127.0.0.1', port } });
    await client.connect();
    const [home] = await client.keys('cold:s:*');
    await client.set('plain', 'x'.repeat(Number(await client.hStrLen(home!, 'r'))));
    const get = () => client.get('plain');
    let next = 0;
    const cold = async () => {
      const session = await replica.store.find(ids[next++ % ids.length]!);
      if (session === undefined) throw new Error('a session is not there');
    };
    const times: ReadTimes[] = [];
    // The first round warms compilers, and does not count.
    for (let round = 0; round <= rounds; round++) {
      const getMs = await medianOf(get, { seconds, atOnce });
      const coldMs = await medianOf(cold, { seconds, atOnce });
      if (round > 0) times.push({ getMs, coldMs });
    }
    client.destroy();
    await replica.stop();
    return times;
  },
});

/** Sessions with tokens as long as Keycloak's. */
async function signIn({ store }: Replica): Promise<SessionId[]> {
  const ids: SessionId[] = [];
  for (let i = 0; i < SESSIONS; i++) {
    const tokens = aTokenSet({
      idToken: 'i'.repeat(1_100),
      accessToken: 'a'.repeat(1_400),
      refreshToken: 'r'.repeat(800),
    });
    const claims = { preferred_username: `user-${i}`, email: `user-${i}@example.com`, groups: ['staff', 'everybody'] };
    const session = await store.create(aRecord(await store.now(), { tokens, claims }));
    if (session === 'ended') throw new Error('a session has ended');
    ids.push(session.record.id);
  }
  return ids;
}

async function medianOf(read: () => Promise<unknown>, way: { seconds: number; atOnce: number }): Promise<number> {
  const tookMs: number[] = [];
  const until = performance.now() + way.seconds * 1_000;
  const reader = async (): Promise<void> => {
    for (let began = performance.now(); began < until; ) {
      await read();
      const now = performance.now();
      tookMs.push(now - began);
      began = now;
    }
  };
  await Promise.all(Array.from({ length: way.atOnce }, reader));
  return quantile(tookMs, 0.5);
}
