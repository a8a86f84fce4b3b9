// A session's identity headers, made once per record and route. Records are immutable, so the cache needs no rule for
// when it is stale, and it goes with the record.

import type { SessionRecord } from '../session/session-record.ts';
import type { GateRoute } from './gate-route.ts';

/** The identity headers of `record` for `route`, flat name-value pairs. */
export type SessionIdentity = (route: GateRoute, record: SessionRecord) => readonly string[];

/** One per snapshot: another configuration makes other headers. */
export function createSessionIdentity(): SessionIdentity {
  const byRecord = new WeakMap<SessionRecord, Map<GateRoute, readonly string[]>>();
  return (route, record) => {
    let byRoute = byRecord.get(record);
    if (byRoute === undefined) {
      byRoute = new Map();
      byRecord.set(record, byRoute);
    }
    let headers = byRoute.get(route);
    if (headers === undefined) {
      headers = route.identityHeaders(record);
      byRoute.set(route, headers);
    }
    return headers;
  };
}
