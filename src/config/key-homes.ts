// Where keys of a name belong: for a key that stands in the wrong section.

import type { JsonSchema } from './kind.ts';
import { childPath } from './problem.ts';

/** The sections' paths that have a key called `name`: `provider` for `issuer`. `[]` stands for any item of a list. */
export function keyHomes(schema: JsonSchema, name: string, path = ''): string[] {
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>);
  const here = properties.filter(([key]) => key === name).map(([key]) => childPath(path, key));
  const below = properties.flatMap(([key, property]) => keyHomes(property, name, childPath(path, key)));
  const items = schema['items'] === undefined ? [] : keyHomes(schema['items'] as JsonSchema, name, `${path}[]`);
  const alternatives = ((schema['anyOf'] ?? []) as JsonSchema[]).flatMap((each) => keyHomes(each, name, path));
  return [...here, ...below, ...items, ...alternatives];
}
