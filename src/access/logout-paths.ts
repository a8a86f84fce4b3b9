// An application's own logout addresses (design: config.md, `routes[].logout.paths`): these very paths, because what lies
// below one (`/session` and `/session/csrf`) is another page. Spelling does not hide one.

import { compilePrefix } from './access-rules.ts';
import { pathReadings, plainPathEnd, readingsBehindPrefix } from './path-readings.ts';

export interface LogoutPathOptions {
  /** As the browser sends them, the route's own path included. */
  readonly paths: readonly string[];
  /** What `strip_prefix` takes off before the upstream reads the path; '' for nothing. */
  readonly strippedPrefix: string;
}

/**
 * Whether a raw request target is one of `paths`, by any way in which an upstream may read it, with or without a slash at
 * its end. The query does not matter.
 * @throws GatewayError `route_invalid` for a path that is none
 */
export function compileLogoutPaths({ paths, strippedPrefix }: LogoutPathOptions): (target: string) => boolean {
  const known = new Set(paths.map(compilePrefix));
  const isKnown = (path: string) => known.has(path.endsWith('/') ? path.slice(0, -1) : path);
  return (target) => {
    const end = plainPathEnd(target);
    if (end !== -1) return isKnown(target.slice(0, end));
    const readings = [pathReadings(target)];
    if (strippedPrefix !== '') readings.push(readingsBehindPrefix(target, strippedPrefix));
    return readings.some((reading) => reading.kind === 'readings' && reading.paths.some(isKnown));
  };
}
