// From routes as configured to routes as the decision and transport know them.

import type { RuleOptions } from '../access/access-rules.ts';
import type { Identity } from '../access/header-presets.ts';
import {
  compileIdentityHeaders,
  type IdentityHeaderOptions,
  identityHeaderNames,
  type OnLeftOut,
} from '../access/identity-headers.ts';
import type { Clock } from '../base/clock.ts';
import type { Config, RouteConfig } from '../config/model.ts';
import type { GateRoute } from '../gate/gate-route.ts';
import type { AssertionSigner } from '../oidc/assertion-signer.ts';
import type { SessionRecord } from '../session/session-record.ts';
import { buildAssertion } from './build-assertion.ts';

/** The name of the route that keeps other spellings of the gate's own paths from every upstream. */
const RESERVED = 'gate';

export interface RouteParts {
  readonly clock: Clock;
  readonly signer: AssertionSigner | undefined;
  /** Hears of identity headers that were left out, and why. */
  readonly onLeftOut: (route: string, header: string, why: string) => void;
}

export function buildRoutes(config: Config, parts: RouteParts): GateRoute[] {
  return [...config.routes.map((route) => gateRoute(config, route, parts)), reservedRoute(config)];
}

function gateRoute(config: Config, route: RouteConfig, parts: RouteParts): GateRoute {
  const headers = compileIdentityHeaders(headerOptionsOf(route).headers);
  const onLeftOut: OnLeftOut = (header, why) => parts.onLeftOut(route.name, header, why);
  return {
    name: route.name,
    ...(route.host === undefined ? {} : { hosts: [route.host] }),
    path: route.path,
    stripPrefix: route.stripPrefix,
    ambiguousPaths: route.ambiguousPaths,
    caseInsensitivePaths: route.caseInsensitivePaths,
    auth: route.auth,
    accessDefault: route.accessDefault,
    access: ruleOptionsOf(route),
    unauthenticated: route.unauthenticated,
    websocket: route.websocket,
    identityHeaders: (record) => headers(identityOf(record), onLeftOut),
    assertion: buildAssertion(config, route, { ...parts, onLeftOut }),
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

/** What is taken off the path of the route's requests; '' for nothing. */
export function strippedPrefixOf({ stripPrefix, path }: RouteConfig): string {
  return stripPrefix && path !== '/' ? path : '';
}

/** The headers by which the route's application knows its user: no client may send them. */
export function identityNamesOf({ routes }: Config, route: RouteConfig): readonly string[] {
  return identityHeaderNames(
    routes.map(({ headers }) => headers),
    route.headers,
  );
}

/** Whether somewhere on the route this proves a user. */
export function takes({ auth, access }: RouteConfig, proof: 'session' | 'bearer'): boolean {
  return auth === proof || auth === 'session or bearer' || access.some((rule) => rule.auth === proof);
}

/** What a session's identity headers are made of. */
export function identityOf({ sub, user, claims, tokens }: SessionRecord): Identity {
  return { sub, user, claims, accessExpiresAt: tokens.accessExpiresAt, accessToken: tokens.accessToken };
}

/** A route's identity headers, as the access room takes them. */
export function headerOptionsOf(route: RouteConfig): { headers: IdentityHeaderOptions } {
  return { headers: route.headers };
}

/** A route's access rules, as the access room takes them. */
export function ruleOptionsOf(route: RouteConfig): readonly RuleOptions[] {
  return route.access.map(({ auth, ...rule }) => (auth === undefined ? rule : { ...rule, auth }));
}
