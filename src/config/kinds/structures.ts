// Values made of values: sections with known keys, lists, and maps with keys of the user's own.

import { anyOf, type DraftOf, type JsonSchema, type Key, type Kind, type Reading } from '../kind.ts';
import { isNothing, type Located, type LocatedEntry, locateDefault } from '../located.ts';
import { nearestName } from '../nearest-name.ts';
import { childPath } from '../problem.ts';
import { reportWrongType } from './scalars.ts';

// biome-ignore lint/suspicious/noExplicitAny: any kind of key; the mapped types below keep each one's own.
type Keys = Readonly<Record<string, Key<any, any>>>;
type WholeSection<K extends Keys> = { readonly [N in keyof K]: K[N] extends Key<infer W, infer _> ? W : never };
type DraftSection<K extends Keys> = {
  readonly [N in keyof K]: (K[N] extends Key<infer _, infer D> ? D : never) | undefined;
};

/** A section: known keys only; each one's default holds where it is not written. */
export function section<const K extends Keys>(keys: K): Kind<WholeSection<K>, DraftSection<K>> {
  const names = Object.keys(keys);
  return {
    schema: sectionSchema(keys),
    read(value, reading) {
      if (value.kind !== 'map') {
        const expected = `a section with keys such as ${names.slice(0, 3).join(', ')}`;
        // Not cited: a text in the place of a whole section may be anything, a secret too.
        if (value.kind === 'text') reading.report(value, 'a text stands where a section belongs', `write ${expected}`);
        else reportWrongType(value, expected, reading);
        return undefined;
      }
      const entries = new Map(value.entries.map((entry) => [entry.name, entry]));
      for (const entry of value.entries) {
        if (!Object.hasOwn(keys, entry.name)) reportUnknown(entry, names, reading);
      }
      const draft = Object.entries(keys).map(([name, key]) => [
        name,
        readKey(entries.get(name), key, { name, section: value, reading }),
      ]);
      return Object.fromEntries(draft) as DraftSection<K>;
    },
  };
}

function reportUnknown(entry: LocatedEntry, names: readonly string[], reading: Reading): void {
  if (entry.name === '<<') {
    reading.report(entry.key, 'merge keys (`<<`) are not read', 'write the keys out');
    return;
  }
  const near = nearestName(
    entry.name,
    names.filter((name) => name !== entry.name),
  );
  const [home, ...others] = near ? [] : reading.homesOf(entry.name);
  const elsewhere = home !== undefined && others.length === 0 ? `did you mean ${home}?` : undefined;
  const cure = near ? `did you mean ${near}?` : (elsewhere ?? `remove it; known here: ${names.join(', ')}`);
  reading.report(entry.key, 'this key is unknown', cure);
}

interface KeyPlace {
  readonly name: string;
  readonly section: Located;
  readonly reading: Reading;
}

function readKey<W, D>(
  entry: LocatedEntry | undefined,
  key: Key<W, D>,
  { name, section, reading }: KeyPlace,
): D | undefined {
  const { absent, kind } = key;
  if (entry !== undefined) {
    return absent.is === 'nothing' && isNothing(entry.value) ? undefined : kind.read(entry.value, reading);
  }
  const spot = { ...section, path: childPath(section.path, name) };
  if (absent.is === 'default') return kind.read(locateDefault(absent.written, spot, reading.env), reading);
  if (absent.is === 'refused') reading.report(spot, 'this key is missing', `add ${name}: ${lowerFirst(key.about)}`);
  return undefined;
}

function lowerFirst(sentence: string): string {
  return sentence.slice(0, 1).toLowerCase() + sentence.slice(1);
}

function sectionSchema(keys: Keys): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  for (const [name, { kind, about, absent }] of Object.entries(keys)) {
    const schema = absent.is === 'nothing' ? anyOf(kind.schema, { type: 'null' }) : kind.schema;
    properties[name] = {
      description: about,
      ...schema,
      ...(absent.is === 'default' ? { default: absent.written } : {}),
    };
    if (absent.is === 'refused') required.push(name);
  }
  return { type: 'object', properties, ...(required.length > 0 ? { required } : {}), additionalProperties: false };
}

type DraftList<K> = readonly (DraftOf<K> | undefined)[];

/** A list; `nonEmpty` says what at least one item would be. */
export function list<W, D>(
  item: Kind<W, D>,
  options: { expected: string; nonEmpty?: true },
): Kind<readonly W[], DraftList<Kind<W, D>>> {
  return {
    schema: { type: 'array', items: item.schema, ...(options.nonEmpty ? { minItems: 1 } : {}) },
    read(value, reading) {
      if (value.kind !== 'list') {
        reportWrongType(value, `a list of ${options.expected}`, reading);
        return undefined;
      }
      if (options.nonEmpty && value.items.length === 0) {
        reading.report(value, 'this list is empty', `write at least one of ${options.expected}`);
      }
      return value.items.map((each) => item.read(each, reading)) as DraftList<Kind<W, D>>;
    },
  };
}

/** One value, or a list of at least one. */
export function oneOrMany<W, D>(item: Kind<W, D>, expected: string): Kind<readonly W[], DraftList<Kind<W, D>>> {
  const many = list(item, { expected, nonEmpty: true });
  return {
    schema: anyOf(item.schema, many.schema),
    read(value, reading) {
      if (value.kind === 'list') return many.read(value, reading);
      const one = item.read(value, reading);
      return one === undefined ? undefined : ([one] as DraftList<Kind<W, D>>);
    },
  };
}

/** A map whose keys are the user's own; `name` judges them. */
export function record<W, D>(options: {
  readonly value: Kind<W, D>;
  readonly expected: string;
  readonly name?: (name: string) => { readonly wrong: string; readonly cure: string } | undefined;
  readonly names?: readonly string[];
}): Kind<ReadonlyMap<string, W>, ReadonlyMap<string, D | undefined>> {
  const { value: kind, names } = options;
  return {
    schema: names
      ? {
          type: 'object',
          properties: Object.fromEntries(names.map((name) => [name, kind.schema])),
          additionalProperties: false,
        }
      : { type: 'object', additionalProperties: kind.schema },
    read(value, reading) {
      if (value.kind !== 'map') {
        reportWrongType(value, options.expected, reading);
        return undefined;
      }
      const read = new Map<string, D | undefined>();
      for (const entry of value.entries) {
        const wrong = options.name?.(entry.name);
        if (wrong) reading.report(entry.key, wrong.wrong, wrong.cure);
        else if (names && !names.includes(entry.name)) reportUnknown(entry, names, reading);
        else read.set(entry.name, kind.read(entry.value, reading));
      }
      return read;
    },
  };
}
