// A route as the decision knows it: what the route table needs, and what a decision says about the request.

import type { RouteMatch, RouteOptions } from '../access/route-match.ts';
import type { SessionRecord } from '../session/session-record.ts';

export interface GateRoute extends RouteOptions {
  /** What an anonymous request gets: `auto` redirects navigations to sign-in and answers 401 to everything else. */
  readonly unauthenticated: 'auto' | 'login' | 'deny';
  readonly websocket: { readonly enabled: boolean; readonly origins: readonly string[] };
  /** Who the user is, for the upstream: flat name-value pairs. */
  identityHeaders(record: SessionRecord): readonly string[];
  /** Undefined where the application wants no signed assertion. A rejection lets nobody through. */
  readonly assertion?: ((record: SessionRecord) => Promise<Assertion>) | undefined;
}

/** What is said of the user under the gate's signature, good for a while. */
export interface Assertion {
  /** Flat name-value pairs. */
  readonly headers: readonly string[];
  /** By the clock that never goes back: from then on another one is made. */
  readonly renewAtMs: number;
}

export type GateMatch = RouteMatch<GateRoute>;
