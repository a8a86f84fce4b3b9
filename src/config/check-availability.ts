// Refuses what `not-available-yet.ts` lists, wherever the file has it.

import type { JsonValue } from './located.ts';
import { notAvailableYet } from './not-available-yet.ts';
import { childPath, type Finding } from './problem.ts';

/** Findings for every key of `draft` that holds what does not work yet. */
export function checkAvailability(draft: object, table = notAvailableYet): Finding[] {
  return table.flatMap(({ path, works }) =>
    placesOf(draft, path.split('.')).flatMap(({ at, value }) => {
      const offered = (Array.isArray(value) ? value : [value]).filter((item) => item !== undefined);
      if (offered.every((item) => works.includes(item as JsonValue))) return [];
      const cure =
        works.length === 0
          ? 'leave this key out for now'
          : `write ${works.join(' or ')}, or leave this key out for now`;
      return [{ path: at, message: 'not available yet in this version', cure }];
    }),
  );
}

/** Every value at a path such as `routes[].access[].acr`, with its own path. */
function placesOf(value: unknown, steps: readonly string[], at = ''): { at: string; value: unknown }[] {
  const [step, ...rest] = steps;
  if (step === undefined) return [{ at, value }];
  if (typeof value !== 'object' || value === null) return [];
  const name = step.replace('[]', '');
  const below = (value as Record<string, unknown>)[name];
  const path = childPath(at, name);
  if (!step.endsWith('[]')) return placesOf(below, rest, path);
  return Array.isArray(below) ? below.flatMap((item, i) => placesOf(item, rest, childPath(path, i))) : [];
}
