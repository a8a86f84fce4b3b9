// Single values: texts, numbers, switches and choices.

import { cite } from '../citation.ts';
import { anyOf, type JsonSchema, type Kind, type Reading, VARIABLE } from '../kind.ts';
import type { Located } from '../located.ts';
import { nearestName } from '../nearest-name.ts';

/** Why a text is not what it should be, continuing the sentence that begins with it, and what to write. */
export interface Refusal {
  readonly wrong: string;
  readonly cure: string;
  /** A cure that cites the text: left out where the text came from the environment, which may hold secrets. */
  readonly exactCure?: string | undefined;
}

export type Parsed<T> = { readonly value: T } | Refusal;

export interface TextOptions<T> {
  /** What to write, for the cure of a wrong type: `a duration such as 30s`. */
  readonly expected: string;
  readonly parse: (text: string) => Parsed<T>;
  /** Keywords of the JSON Schema besides the type; a value with a variable in it passes them. */
  readonly schema?: JsonSchema;
}

/** A text that `parse` understands. */
export function parsedText<T>({ expected, parse, schema = {} }: TextOptions<T>): Kind<T> {
  return {
    schema: 'enum' in schema ? anyOf({ type: 'string', ...schema }, VARIABLE) : textSchema(schema),
    read(value, reading) {
      const text = readText(value, expected, reading);
      if (text === undefined) return undefined;
      const parsed = parse(text);
      if ('value' in parsed) return parsed.value;
      const cure = value.kind === 'text' && !value.fromEnvironment ? parsed.exactCure : undefined;
      reading.report(value, `${cite(value)} ${parsed.wrong}`, cure ?? parsed.cure);
      return undefined;
    },
  };
}

function textSchema({ pattern, ...schema }: JsonSchema): JsonSchema {
  return { type: 'string', ...schema, ...(pattern === undefined ? {} : { pattern: `${pattern}|\\$\\{` }) };
}

/** Any text but an empty one. */
export function text(expected: string): Kind<string> {
  return parsedText({ expected, parse: (value) => ({ value }), schema: { minLength: 1 } });
}

/** The text of a scalar; empty ones and other types are reported. */
export function readText(value: Located, expected: string, reading: Reading): string | undefined {
  if (value.kind === 'invalid') return undefined;
  if (value.kind === 'text') {
    if (value.text !== '') return value.text;
    const where = value.fromEnvironment ? ` (${value.shown} holds nothing)` : '';
    reading.report(value, `this is empty${where}`, `write ${expected}`);
    return undefined;
  }
  if (value.kind === 'number' || value.kind === 'boolean') {
    reading.report(
      value,
      `${cite(value)} is a ${value.kind}, not text`,
      `write ${expected}, in quotes if need be: "${value.shown}"`,
    );
  } else {
    reportWrongType(value, expected, reading);
  }
  return undefined;
}

/** Reports a value of another type than `expected`. */
export function reportWrongType(value: Located, expected: string, reading: Reading): void {
  if (value.kind === 'invalid') return;
  if (value.kind === 'null') reading.report(value, 'this key has no value', `write ${expected}, or remove the key`);
  else reading.report(value, `${cite(value)} stands where ${expected} belongs`, `write ${expected}`);
}

/** A whole number from `least` to `most`; a text only where it came from the environment. */
export function integer({ least, most }: { least: number; most: number }): Kind<number> {
  const expected = `a whole number from ${least} to ${most}`;
  return {
    schema: anyOf({ type: 'integer', minimum: least, maximum: most }, VARIABLE),
    read(value, reading) {
      const number = value.kind === 'number' ? value.number : fromEnvironment(value, /^-?\d{1,15}$/, Number);
      if (number === undefined) {
        reportWrongType(value, expected, reading);
        return undefined;
      }
      if (Number.isInteger(number) && number >= least && number <= most) return number;
      const wrong = Number.isInteger(number) ? 'is out of range' : 'is no whole number';
      reading.report(value, `${cite(value)} ${wrong}`, `write ${expected}`);
      return undefined;
    },
  };
}

/** `true` or `false`; a text only where it came from the environment. */
export const flag: Kind<boolean> = {
  schema: anyOf({ type: 'boolean' }, VARIABLE),
  read(value, reading) {
    if (value.kind === 'boolean') return value.boolean;
    const found = fromEnvironment(value, /^(true|false)$/, (text) => text === 'true');
    if (found === undefined) reportWrongType(value, 'true or false', reading);
    return found;
  },
};

/** One of a few words. */
export function choice<const C extends string>(choices: readonly C[]): Kind<C> {
  const listed = choices.length === 1 ? choices[0]! : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
  return parsedText<C>({
    expected: listed,
    schema: { enum: choices },
    parse(text) {
      const found = choices.find((choice) => choice === text);
      if (found !== undefined) return { value: found };
      const near = nearestName(text, choices);
      return {
        wrong: 'is none of the choices',
        cure: near ? `did you mean ${near}? Write ${listed}` : `write ${listed}`,
      };
    },
  });
}

/** A whole number, or one word in its place. */
export function integerOr<const W extends string>(word: W, range: { least: number; most: number }): Kind<W | number> {
  const number = integer(range);
  return {
    schema: anyOf({ type: 'string', enum: [word] }, number.schema),
    read: (value, reading) => (value.kind === 'text' && value.text === word ? word : number.read(value, reading)),
  };
}

/** A text, number or switch, as text: what YAML would type differently than it is meant (`max_age: 3600`). */
export function scalarText(expected: string): Kind<string> {
  return {
    schema: { type: ['string', 'number', 'boolean'] },
    read(value, reading) {
      if (value.kind === 'number' || value.kind === 'boolean') return value.shown;
      return readText(value, expected, reading);
    },
  };
}

function fromEnvironment<T>(value: Located, pattern: RegExp, convert: (text: string) => T): T | undefined {
  if (value.kind !== 'text' || !value.fromEnvironment || !pattern.test(value.text)) return undefined;
  return convert(value.text);
}
