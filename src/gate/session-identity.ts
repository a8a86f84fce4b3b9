// A session's identity headers, made once per record and route. Records are immutable, so the cache needs no rule for
// when it is stale, and it goes with the record.

import type { Route } from '../access/route-table.ts';
import type { SessionRecord } from '../session/session-record.ts';

/** The identity headers of `record` for `route`, flat name-value pairs. */
export type SessionIdentity = (route: Route, record: SessionRecord) => readonly string[];

/** One per snapshot: another configuration makes other headers. */
export function createSessionIdentity(): SessionIdentity {
  const byRecord = new WeakMap<SessionRecord, Map<Route, readonly string[]>>();
  return (route, record) => {
    let byRoute = byRecord.get(record);
    if (byRoute === undefined) byRecord.set(record, (byRoute = new Map()));
    let headers = byRoute.get(route);
    if (headers === undefined) byRoute.set(route, (headers = route.identityHeaders(record)));
    return headers;
  };
}
