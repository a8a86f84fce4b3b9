// A store as if it stood at the other end of a network: a call takes effect some time after it was made, and its answer
// comes some time later still. What happens at the store itself happens at once, and so does what ends here.

import type { SessionId } from '../../../src/base/ids.ts';
import type { SessionRecord, StoredSession } from '../../../src/session/session-record.ts';
import type { SessionStore } from '../../../src/session/session-store.ts';
import type { Turns } from './turns.ts';
import { watchFields } from './watch-fields.ts';

/** Stops the connections of sessions in the tick in which their end takes effect; whoever asked for it gives the account. */
export type StopHere = (sessions: readonly StoredSession[]) => void;

export interface DistantStoreOptions {
  readonly turns: Turns;
  readonly stopHere: StopHere;
  readonly estimateNow: () => number;
}

/** `store` with both of these waits around every operation that may wait. Whatever is done looks at the ends. */
export function distantStore(store: SessionStore, { turns, stopHere, estimateNow }: DistantStoreOptions): SessionStore {
  const far = async <T>(operation: string, call: () => T | Promise<T>): Promise<T> => {
    await turns.wait(`${operation} takes effect`);
    turns.reads('ends');
    const result = await call();
    await turns.wait(`${operation} is answered`);
    return result;
  };
  const write = (operation: 'update' | 'replaceId', session: StoredSession, next: SessionRecord) =>
    far(operation, () => {
      const ids = [session.record.id, next.id];
      const before = ids.map((id) => store.find(id));
      const outcome = store[operation](session, next);
      for (const [at, id] of ids.entries()) if (store.find(id) !== before[at]) appears(id);
      return outcome;
    });
  const appears = (id: SessionId): void => {
    turns.changes('presence', id);
    turns.changes('listing');
    turns.reads('answers to notices');
  };
  return {
    now: () => far('now', () => store.now()),
    estimateNow,
    find: (id) =>
      far('find', () => {
        turns.reads('presence', id);
        return store.find(id);
      }),
    create: (record) =>
      far('create', async () => {
        appears(record.id);
        const session = await store.create(record);
        if (session !== 'ended') watchFields(session, turns);
        return session;
      }),
    update: (session, next) => write('update', session, next),
    replaceId: (session, next) => write('replaceId', session, next),
    lastSeenAt: (session) => far('lastSeenAt', () => store.lastSeenAt(session)),
    touch: (session) => store.touch(session),
    end: (selector, issuedAt) =>
      far('end', async () => {
        turns.changes('ends');
        turns.reads('answers to notices');
        const ended = await store.end(selector, issuedAt);
        stopHere(ended);
        return ended;
      }),
    lastEndOf: (issuer, sid) => far('lastEndOf', () => store.lastEndOf(issuer, sid)),
    list: (filter, limit, cursor) =>
      far('list', () => {
        turns.reads('listing');
        return store.list(filter, limit, cursor);
      }),
    size: () => store.size(),
    trouble: () => store.trouble(),
  };
}
