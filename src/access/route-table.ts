// Which route and rule decide a request: the most specific host, then the longest path prefix, then the first rule.
// Paths that can be read in several ways are decided under all of them (design: decided.md; catalogue PATH-01 to PATH-26).

import { type Candidate, type CompiledRoute, compileRoute, forMethod, SharedByRoutes } from './compiled-route.ts';
import { type PathReadings, pathReadings, plainPathEnd, readingsBehindPrefix } from './path-readings.ts';
import { type FindFirst, indexRoutes } from './route-index.ts';
import type { Needs, RouteMatch, RouteOptions } from './route-match.ts';

export type Match<R> =
  | RouteMatch<R>
  | { readonly kind: 'none' }
  | { readonly kind: 'bad_path' /** For operators; quotes nothing of the request. */; readonly why: string };

export interface RouteTable<R> {
  /**
   * The route and rule for a request. `host`: the request's host, whose port and case do not matter; `target`: its raw
   * origin-form target, the query included (it never decides); `method`: as received.
   */
  match(host: string, target: string, method: string): Match<R>;
}

const NONE = { kind: 'none' } as const;
const AMBIGUOUS = { kind: 'bad_path', why: 'an ambiguous path: its readings lead to different rules' } as const;

/** @throws GatewayError `route_invalid` for a path or claim that is none, or two routes at one host and path. */
export function compileRouteTable<R extends RouteOptions>(routes: readonly R[]): RouteTable<R> {
  const shared = new SharedByRoutes();
  const find = indexRoutes(routes.map((route) => compileRoute(route, shared)));
  return {
    match(host, target, method) {
      const end = plainPathEnd(target);
      if (end === -1) return matchReadings(find, host, target, method);
      const first = find(host, end === target.length ? target : target.slice(0, end));
      if (first === undefined) return NONE;
      return first === 'torn' ? AMBIGUOUS : forMethod(first, method);
    },
  };
}

/** Every reading must lead to the same route and rule; a route that forwards ambiguous paths asks for all of them. */
function matchReadings<R extends RouteOptions>(
  find: FindFirst<R>,
  host: string,
  target: string,
  method: string,
): Match<R> {
  const readings = pathReadings(target);
  if (readings.kind === 'bad') return { kind: 'bad_path', why: readings.why };
  const first = find(host, readings.paths[0]!);
  if (first === 'torn') return AMBIGUOUS;
  const decisions = new Map<RouteMatch<R>, Candidate<R>>();
  let missed = false;
  for (const path of allPaths(readings, target, first?.compiled)) {
    const found = find(host, path);
    if (found === 'torn') return AMBIGUOUS;
    if (found === undefined) missed = true;
    else {
      const decision = forMethod(found, method);
      decisions.set(decision.signedIn, decision);
    }
  }
  if (decisions.size === 0) return NONE;
  // One reading outside every route is the way out of what was meant to be reachable: no setting forwards that.
  if (missed || first === undefined) return AMBIGUOUS;
  if (decisions.size > 1) return strictest(first.compiled, [...decisions.keys()]);
  const [only] = decisions.values();
  return readings.canonical ? only! : only!.signedIn;
}

function allPaths(
  readings: PathReadings,
  target: string,
  route: CompiledRoute<RouteOptions> | undefined,
): readonly string[] {
  if (route?.options.stripPrefix !== true) return readings.paths;
  const behind = readingsBehindPrefix(target, route.prefix);
  return behind.kind === 'bad' ? readings.paths : [...readings.paths, ...behind.paths];
}

/**
 * `ambiguous_paths: forward`, said by every route concerned: what proves a user to all of them, and all rules of all
 * readings. Never public.
 */
function strictest<R extends RouteOptions>(first: CompiledRoute<R>, matches: readonly RouteMatch<R>[]): Match<R> {
  if (matches.some((match) => match.route.ambiguousPaths !== 'forward')) return AMBIGUOUS;
  const needs = matches.map((match) => match.needs).reduce<Needs | undefined>(bothNeeds, 'session or bearer');
  if (needs === undefined) return AMBIGUOUS;
  return {
    kind: 'route',
    route: first.options,
    needs,
    rules: matches.flatMap((match) => match.rules),
    closed: matches.some((match) => match.closed),
    acr: matches.map((match) => match.acr).reduce(bothAcr),
    number: undefined,
  };
}

function bothAcr(
  one: readonly string[] | undefined,
  other: readonly string[] | undefined,
): readonly string[] | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one.filter((acr) => other.includes(acr));
}

/** What satisfies both; undefined: nothing does. */
function bothNeeds(one: Needs | undefined, other: Needs): Needs | undefined {
  if (one === 'session or bearer') return other;
  return other === 'session or bearer' || other === one ? one : undefined;
}
