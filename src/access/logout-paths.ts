// An application's own logout addresses (design: config.md, `routes[].logout.paths`): these very paths, because what lies
// below one (`/session` and `/session/csrf`) is another page. Spelling does not hide one. Applications with one path for all their
// pages have parameters to tell them apart (`/doku.php?do=logout`).

import { compilePrefix } from './access-rules.ts';
import { holdsForEveryReading, holdsForSomeReading } from './holds-for-readings.ts';

export interface LogoutPathOptions {
  /** As the browser sends them, the route's own path included; with `?name=value` for what the query has to say. */
  readonly paths: readonly string[];
  /** What `strip_prefix` takes off before the upstream reads the path; '' for nothing. */
  readonly strippedPrefix: string;
}

type Parameters = readonly (readonly [name: string, value: string])[];

/** The first misses no logout; the second lets nothing pass for one that an application may take for another page. */
export type HowRead = 'one way or the other' | 'every way';

/**
 * Whether a raw request target is one of `paths`, by one way or by every way in which an upstream may read it, with or without
 * a slash at its end. Of the query only the parameters that are written matter; one among several of a name is one way.
 * @throws GatewayError `route_invalid` for a path that is none
 */
export function compileLogoutPaths(
  { paths, strippedPrefix }: LogoutPathOptions,
  how: HowRead = 'one way or the other',
): (target: string) => boolean {
  const isEvery = how === 'every way';
  const known = new Map<string, Parameters[]>();
  for (const text of paths) {
    const [path, query] = cutAtQuery(text);
    const prefix = compilePrefix(path);
    known.set(prefix, [...(known.get(prefix) ?? []), [...new URLSearchParams(query)]]);
  }
  const isKnown = (path: string, target: string) => {
    const wanted = known.get(path.endsWith('/') ? path.slice(0, -1) : path);
    return wanted !== undefined && hasAny(wanted, target, isEvery);
  };
  const holds = isEvery ? holdsForEveryReading : holdsForSomeReading;
  return (target) => holds({ target, strippedPrefix }, (path) => isKnown(path, target));
}

/** Whether the query of `target` has all the parameters of one of `wanted`; `alone`: and no others of their names. */
function hasAny(wanted: readonly Parameters[], target: string, alone: boolean): boolean {
  const sent = new URLSearchParams(cutAtQuery(target)[1]);
  const has = ([name, value]: Parameters[number]) => {
    const values = sent.getAll(name);
    return values.includes(value) && (!alone || values.length === 1);
  };
  return wanted.some((parameters) => parameters.every(has));
}

function cutAtQuery(target: string): [path: string, query: string] {
  const at = target.indexOf('?');
  return at === -1 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
}
