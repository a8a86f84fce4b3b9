// Paths that are left out of something (config.md, `session.recheck.exempt_paths`): by whole segments, and only where every
// way to read the request's path leads below one of them. Case counts, whatever the application makes of it.

import { compilePrefix, isBelow } from './access-rules.ts';
import { holdsForEveryReading } from './holds-for-readings.ts';

/** The route that a request goes to, as far as its application may read the path in another way. */
export interface ReadBy {
  readonly path?: string;
  readonly stripPrefix?: boolean;
}

/** Whether a raw request target is below one of the paths, however it is read. */
export type IsExempt = (target: string, route: ReadBy) => boolean;

/** @throws GatewayError `route_invalid` for a path that is none */
export function compileExemptPaths(paths: readonly string[]): IsExempt {
  const prefixes = paths.map(compilePrefix);
  const isExempt = (path: string) => prefixes.some((prefix) => isBelow(path, prefix));
  return (target, route) => {
    if (prefixes.length === 0) return false;
    const strippedPrefix = route.stripPrefix === true ? compilePrefix(route.path ?? '/') : '';
    return holdsForEveryReading({ target, strippedPrefix }, isExempt);
  };
}
