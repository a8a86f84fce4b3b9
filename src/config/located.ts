// The parsed file as values that know where they stand, so that whoever finds a mistake can point at it.

import { type Environment, expandVariables, type UnsetVariable } from './expand-variables.ts';
import { childPath, type Spot } from './problem.ts';

/** One value of the file. `shown` is how a message may cite it: as written, before the environment came in. */
export type Located = Spot &
  (
    | { readonly kind: 'text'; readonly text: string; readonly shown: string; readonly fromEnvironment: boolean }
    | { readonly kind: 'number'; readonly number: number; readonly shown: string }
    | { readonly kind: 'boolean'; readonly boolean: boolean; readonly shown: string }
    | { readonly kind: 'null'; readonly shown: string }
    | { readonly kind: 'list'; readonly items: readonly Located[] }
    | { readonly kind: 'map'; readonly entries: readonly LocatedEntry[] }
    /** Something that was already complained about: readers pass over it in silence. */
    | { readonly kind: 'invalid' }
  );

export interface LocatedEntry {
  readonly name: string;
  /** Where the key stands. */
  readonly key: Spot;
  readonly value: Located;
}

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** A text scalar with its variables replaced; what is unset goes to `unset`. */
export function locateText(
  text: string,
  spot: Spot,
  { env, unset }: { env: Environment; unset: (variable: UnsetVariable) => void },
): Located {
  const expanded = expandVariables(text, env);
  expanded.unset.forEach(unset);
  if (expanded.unset.length > 0) return { ...spot, kind: 'invalid' };
  return { ...spot, kind: 'text', text: expanded.text, shown: text, fromEnvironment: expanded.fromEnvironment };
}

/** A default as the documentation writes it, standing where the key would stand. */
export function locateDefault(value: JsonValue, spot: Spot, env: Environment): Located {
  const { path, line, column } = spot;
  const below = (item: JsonValue, key: string | number) =>
    locateDefault(item, { path: childPath(path, key), line, column }, env);
  const at = { path, line, column };
  if (typeof value === 'string') return locateText(value, at, { env, unset: () => {} });
  if (typeof value === 'number') return { ...at, kind: 'number', number: value, shown: String(value) };
  if (typeof value === 'boolean') return { ...at, kind: 'boolean', boolean: value, shown: String(value) };
  if (value === null) return { ...at, kind: 'null', shown: 'null' };
  if (Array.isArray(value)) return { ...at, kind: 'list', items: value.map(below) };
  const entries = Object.entries(value).map(([name, item]) => {
    const located = below(item, name);
    return { name, key: { path: located.path, line, column }, value: located };
  });
  return { ...at, kind: 'map', entries };
}

/** `null`, written out: there is nothing. A key whose value was forgotten is a mistake instead. */
export function isNothing(value: Located): boolean {
  return value.kind === 'null' && value.shown !== '';
}
