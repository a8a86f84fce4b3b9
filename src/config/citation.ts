// How messages cite a value of the file: as written, short, and never what may be secret.

import type { Located } from './located.ts';

const LONGEST = 60;

/** The value in words for a message: `"30 minutes"`, `a list`. Variables stand as `${NAME}`, never as what they hold. */
export function cite(value: Located): string {
  switch (value.kind) {
    case 'text':
      return value.fromEnvironment ? `${quote(value.shown)} (as set in the environment)` : quote(value.shown);
    case 'number':
    case 'boolean':
      return value.shown;
    case 'null':
      return 'nothing';
    case 'list':
      return 'a list';
    case 'map':
      return 'a section';
    case 'invalid':
      return 'this';
  }
}

function quote(text: string): string {
  // A URL with a password in it.
  if (/:[^/]*@|\/\/[^/]*@/.test(text)) return 'this value';
  return JSON.stringify(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
}
