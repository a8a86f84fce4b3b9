// Sessions for operators, page by page, along an index in the order of enrolment: nothing scans.

import { GatewayError } from '../../base/gateway-error.ts';
import { isRefused, namesOfRecord } from '../end-names.ts';
import type { StoredSession } from '../session-record.ts';
import type { EndSelector, SessionFilter } from '../session-store.ts';
import type { Home } from './redis-keys.ts';
import type { RedisParts } from './redis-parts.ts';

export interface ListedPage {
  readonly sessions: readonly StoredSession[];
  readonly nextCursor: string | undefined;
}

/** @throws GatewayError `cursor_invalid`, `store_unavailable` */
export async function listSessions(
  parts: RedisParts,
  { filter, limit, cursor }: { filter: SessionFilter; limit: number; cursor: string | undefined },
): Promise<ListedPage> {
  let place = cursor === undefined ? 0 : placeOf(cursor);
  const index = indexFor(filter, parts.issuer);
  const sessions: StoredSession[] = [];
  for (;;) {
    // One more than there is room for: whether another page follows is known then.
    const page = await parts.records.page(index, place, limit + 1);
    const listed = await Promise.all(page.map(({ home }) => listedAt(parts, home, filter)));
    for (const [i, entry] of page.entries()) {
      const session = listed[i];
      if (session !== undefined && sessions.length === limit) return { sessions, nextCursor: String(place) };
      place = entry.place;
      if (session !== undefined) sessions.push(session);
    }
    if (page.length <= limit) return { sessions, nextCursor: undefined };
  }
}

/** The narrowest index that has every session of the filter. */
function indexFor({ user, sub, sid }: SessionFilter, issuer: string): EndSelector {
  if (sid !== undefined) return { by: 'sid', issuer, sid };
  if (sub !== undefined) return { by: 'sub', issuer, sub };
  return user === undefined ? { by: 'all' } : { by: 'user', user };
}

async function listedAt(parts: RedisParts, home: Home, filter: SessionFilter): Promise<StoredSession | undefined> {
  const stored = await parts.records.read(home);
  if (stored === undefined) return undefined;
  const { record } = stored;
  const matches =
    (filter.user === undefined || record.user === filter.user) &&
    (filter.sub === undefined || record.sub === filter.sub) &&
    (filter.sid === undefined || record.sid === filter.sid);
  if (!matches) return undefined;
  const { tombstones } = await parts.bus.look(namesOfRecord(record));
  if (parts.ends.refuses(record) || isRefused(record, (name) => tombstones.get(name))) return undefined;
  // Held from now on: whoever is given a session may prove it, change it and wait for its end.
  return parts.reconcile.hold(stored, undefined);
}

function placeOf(cursor: string): number {
  if (!/^\d{1,16}$/.test(cursor)) {
    throw new GatewayError('cursor_invalid', {
      status: 400,
      message: 'The cursor of the session listing is not one of ours.',
    });
  }
  return Number(cursor);
}
