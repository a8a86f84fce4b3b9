// Which route, and which of its rules first, a host and a path lead to (design: config.md, "the most specific host + longest
// path prefix wins").

import { GatewayError } from '../base/gateway-error.ts';
import { type Candidate, type CompiledRoute, foldCase } from './compiled-route.ts';
import { HostMap } from './host-map.ts';
import { PrefixMap } from './prefix-map.ts';
import type { RouteOptions } from './route-match.ts';

/** `torn`: a route takes the path as it is written, and another one as the first one's application reads it. */
export type FindFirst<R> = (host: string, path: string) => Candidate<R> | undefined | 'torn';

/** @throws GatewayError `route_invalid` for two routes at one host and path. */
export function indexRoutes<R extends RouteOptions>(routes: readonly CompiledRoute<R>[]): FindFirst<R> {
  const asWritten = new HostMap<Candidate<R>>();
  const folded = new HostMap<CompiledRoute<R>>();
  for (const host of new Set(routes.flatMap((route) => route.hosts))) {
    const ofHost = routes.filter(({ hosts }) => hosts.includes(host));
    indexHost(ofHost, asWritten.at(host));
    for (const route of ofHost) folded.at(host).add(route.foldedPrefix, route);
  }
  if (!routes.some(({ options }) => options.caseInsensitivePaths)) return (host, path) => asWritten.find(host, path);
  return (host, path) => {
    const foldedPath = foldCase(path);
    const exact = asWritten.find(host, path);
    const route = ignoringCase(exact?.compiled, folded.find(host, foldedPath));
    if (route === undefined || route === 'torn') return route;
    return route.options.caseInsensitivePaths ? route.candidates.longest(foldedPath) : exact;
  };
}

/** Where another route begins below one, the rules of the outer one count no more. */
function indexHost<R extends RouteOptions>(routes: readonly CompiledRoute<R>[], index: PrefixMap<Candidate<R>>): void {
  const owners = new PrefixMap<CompiledRoute<R>>();
  for (const route of routes) {
    const { name, path = '/' } = route.options;
    if (owners.add(route.prefix, route)) continue;
    throw new GatewayError('route_invalid', {
      status: 500,
      message: `route ${name}: another route already has this host and path ${path}`,
    });
  }
  for (const route of routes) {
    // What ignores case is looked up again, by the folded path.
    if (route.options.caseInsensitivePaths) index.add(route.prefix, route.candidates.longest(route.foldedPrefix)!);
    else
      for (const [prefix, first] of route.candidates.entries())
        if (owners.longest(prefix) === route) index.add(prefix, first);
  }
}

/** `exact` has the path as it is written, `other` without case: its prefix counts where it is the longer one. */
function ignoringCase<R extends RouteOptions>(
  exact: CompiledRoute<R> | undefined,
  other: CompiledRoute<R> | undefined,
): CompiledRoute<R> | undefined | 'torn' {
  if (other === undefined || (exact !== undefined && exact.foldedPrefix.length >= other.foldedPrefix.length))
    return exact;
  if (other.options.caseInsensitivePaths) return other;
  return exact?.options.caseInsensitivePaths ? 'torn' : exact;
}
