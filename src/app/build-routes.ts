// From routes as configured to routes as the decision and transport know them.

import type { RuleOptions } from '../access/access-rules.ts';
import { compileIdentityHeaders, type IdentityHeaderOptions } from '../access/identity-headers.ts';
import type { Config, RouteConfig } from '../config/model.ts';
import type { GateRoute } from '../gate/gate-route.ts';

/** The name of the route that keeps other spellings of the gate's own paths from every upstream. */
const RESERVED = 'gate';

/** `onTooLong` hears of identity headers that were left out because their value is too long. */
export function buildRoutes(config: Config, onTooLong: (route: string, header: string) => void): GateRoute[] {
  return [...config.routes.map((route) => gateRoute(route, onTooLong)), reservedRoute(config)];
}

function gateRoute(route: RouteConfig, onTooLong: (route: string, header: string) => void): GateRoute {
  const headers = compileIdentityHeaders(headerOptionsOf(route).headers);
  return {
    name: route.name,
    ...(route.host === undefined ? {} : { hosts: [route.host] }),
    path: route.path,
    stripPrefix: route.stripPrefix,
    ambiguousPaths: route.ambiguousPaths,
    auth: route.auth,
    accessDefault: route.accessDefault,
    access: ruleOptionsOf(route),
    unauthenticated: route.unauthenticated,
    websocket: route.websocket,
    identityHeaders: ({ sub, user, claims, tokens }) =>
      headers({ sub, user, claims, accessExpiresAt: tokens.accessExpiresAt }, (header) =>
        onTooLong(route.name, header),
      ),
  };
}

/**
 * Requests for the gate's own paths never get as far as the route table; what a route table sees of them is another
 * spelling (`/%5Fgate/callback`, `/x/../_gate`), whose readings then lead to different routes, and that is refused.
 */
function reservedRoute(config: Config): GateRoute {
  return {
    name: RESERVED,
    // Named, so that no host's own routes come before it.
    hosts: [...new Set(config.publicUrls.map(({ hostname }) => hostname))],
    path: config.proxyPrefix,
    accessDefault: 'deny',
    unauthenticated: 'deny',
    websocket: { enabled: false, origins: [] },
    identityHeaders: () => [],
  };
}

/** A route's identity headers, as the access room takes them. */
export function headerOptionsOf(route: RouteConfig): { headers: IdentityHeaderOptions } {
  return { headers: route.headers };
}

/** A route's access rules, as the access room takes them. */
export function ruleOptionsOf(route: RouteConfig): readonly RuleOptions[] {
  return route.access.map(({ auth, ...rule }) => (auth === undefined ? rule : { ...rule, auth }));
}
