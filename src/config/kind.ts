// What a key may hold: one description that reads the value, says what is wrong with it, and writes its part of the
// JSON Schema. Our own and not a schema library's, which knows neither the place of a value in the YAML, nor the cure in
// words, nor which texts came from the environment, and costs every start its loading time.

import { isDeepStrictEqual } from 'node:util';
import type { Environment } from './expand-variables.ts';
import type { JsonValue, Located } from './located.ts';
import type { Report } from './problem.ts';

/** A JSON Schema (draft 2020-12), or a part of one. */
export type JsonSchema = { readonly [keyword: string]: JsonValue };

/** A schema that any of `schemas` satisfies. */
export function anyOf(...schemas: readonly JsonSchema[]): JsonSchema {
  const flat = schemas.flatMap((schema) =>
    Object.keys(schema).join() === 'anyOf' ? (schema['anyOf'] as JsonSchema[]) : [schema],
  );
  return { anyOf: flat.filter((schema, i) => flat.findIndex((other) => isDeepStrictEqual(other, schema)) === i) };
}

/** A text with a variable in it: what it will be nobody knows before the start. */
export const VARIABLE: JsonSchema = { $ref: '#/$defs/variable' };

/** What reading a value may ask for. */
export interface Reading {
  readonly report: Report;
  readonly env: Environment;
  /** The content of a file that the configuration names; what cannot be read is reported and undefined. */
  /** Paths at which the whole file has a key of this name. */
  readonly homesOf: (name: string) => readonly string[];
  /** The whole path of what is named from the folder of the configuration. */
  readonly pathOf: (name: string) => string;
  readonly readFile: (value: Located & { kind: 'text' }) => string | undefined;
}

/** `Draft` is `Whole` with holes where something was wrong: what cross-checks look at when not everything is right. */
export interface Kind<Whole, Draft = Whole> {
  /** The value, or undefined after reporting what is wrong with it. Never throws. */
  read(value: Located, reading: Reading): Draft | undefined;
  readonly schema: JsonSchema;
  /** Only in the types. */
  readonly whole?: Whole;
}

export type WholeOf<K> = K extends Kind<infer Whole, infer _> ? Whole : never;
export type DraftOf<K> = K extends Kind<infer _, infer Draft> ? Draft : never;

/** A key's place in its section: its kind, what it is for, and what holds when it is not written. */
export interface Key<Whole, Draft = Whole> {
  readonly kind: Kind<Whole, Draft>;
  readonly about: string;
  readonly absent:
    | { readonly is: 'refused' }
    | { readonly is: 'nothing' }
    | { readonly is: 'default'; readonly written: JsonValue };
}

/** A key that must be written. */
export function required<W, D>(kind: Kind<W, D>, about: string): Key<W, D> {
  return { kind, about, absent: { is: 'refused' } };
}

/** A key that may be missing or `null`; there is nothing then. */
export function optional<W, D>(kind: Kind<W, D>, about: string): Key<W | undefined, D | undefined> {
  return { kind, about, absent: { is: 'nothing' } };
}

/** A key with a default, as a user would write it. */
export function byDefault<W, D>(kind: Kind<W, D>, written: JsonValue, about: string): Key<W, D> {
  return { kind, about, absent: { is: 'default', written } };
}
