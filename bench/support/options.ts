// The options of a bench: numbers by name, `--requests 20000`.

import { parseArgs } from 'node:util';

/** The options with what the command line says instead of their defaults. @throws on one that is unknown or no number. */
export function numbersFromCommandLine<Name extends string>(defaults: Record<Name, number>): Record<Name, number> {
  const names = Object.keys(defaults) as Name[];
  const { values } = parseArgs({
    options: Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
  });
  return Object.fromEntries(
    names.map((name) => {
      const value = values[name] === undefined ? defaults[name] : Number(values[name]);
      if (!Number.isFinite(value)) throw new Error(`--${name} ${values[name]} is no number`);
      return [name, value];
    }),
  ) as Record<Name, number>;
}
