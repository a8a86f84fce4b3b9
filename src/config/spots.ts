// Where things stand in the file, for mistakes that are found by their path.

import type { Located } from './located.ts';
import { type Problem, parentPath, type Spot } from './problem.ts';

/** Where each path of the file stands. */
export function spotsOf(located: Located, spots = new Map<string, Located>()): Map<string, Located> {
  spots.set(located.path, located);
  if (located.kind === 'list') for (const item of located.items) spotsOf(item, spots);
  if (located.kind === 'map') for (const { value } of located.entries) spotsOf(value, spots);
  return spots;
}

/** The place of `path`, or of the nearest section above it where the key itself is not written. */
export function spotOf(spots: ReadonlyMap<string, Located>, path: string): Spot {
  let at = path;
  while (at !== '' && !spots.has(at)) at = parentPath(at);
  const { line, column, kind } = spots.get(at) ?? { line: 1, column: 1, kind: 'map' };
  // A single value where a list may stand is its own first item.
  const named = kind === 'map' || kind === 'list' ? path : at;
  return { path: named, line, column };
}

/** By line and column, each once: what is used twice through an alias is wrong once. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems
    .filter(({ line, column, path, message }) => {
      const identity = JSON.stringify([line, column, path, message]);
      return !seen.has(identity) && seen.add(identity);
    })
    .sort((a, b) => a.line - b.line || a.column - b.column);
}
