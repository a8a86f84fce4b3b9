// A question about a request's path, asked of every way in which the gate or the application may read it.

import { pathReadings, plainPathEnd, readingsBehindPrefix } from './path-readings.ts';

/** A raw request target (origin-form), and what `strip_prefix` takes off it ('' for nothing): that is another way to read it. */
export interface ReadTarget {
  readonly target: string;
  readonly strippedPrefix: string;
}

/** Whether `holds` is true of the path, however it is read. False for a path that is refused: so nothing passes by it. */
export function holdsForEveryReading(read: ReadTarget, holds: (path: string) => boolean): boolean {
  return pathsOf(read).every((paths) => paths?.every(holds) ?? false);
}

/** Whether there is a way to read the path by which `holds` is true of it. */
export function holdsForSomeReading(read: ReadTarget, holds: (path: string) => boolean): boolean {
  return pathsOf(read).some((paths) => paths?.some(holds) ?? false);
}

/** Of both sides the paths; undefined for one by which the path is refused. */
function pathsOf({ target, strippedPrefix }: ReadTarget): readonly (readonly string[] | undefined)[] {
  const end = plainPathEnd(target);
  if (end !== -1) return [[target.slice(0, end)]];
  const readings = [pathReadings(target)];
  if (strippedPrefix !== '') readings.push(readingsBehindPrefix(target, strippedPrefix));
  return readings.map((reading) => (reading.kind === 'readings' ? reading.paths : undefined));
}
