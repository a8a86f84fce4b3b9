// Claims by dotted path, as rules and header templates name them (design: config.md, `claims`, `headers.set`).

import type { Claims } from '../base/tokens.ts';

/** `a.b\.c` as ['a', 'b.c']: a dot separates, `\.` is a dot, `\\` a backslash. Undefined where the text is no path. */
export function parseClaimPath(text: string): readonly string[] | undefined {
  const names: string[] = [];
  let name = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === '\\') {
      const escaped = text[++at];
      if (escaped !== '.' && escaped !== '\\') return undefined;
      name += escaped;
    } else if (character === '.') {
      if (name === '') return undefined;
      names.push(name);
      name = '';
    } else {
      name += character;
    }
  }
  if (name === '') return undefined;
  names.push(name);
  return names;
}

/**
 * The claim at `path`, or undefined. Own properties of objects only: a claim named `__proto__` or `constructor` is a
 * claim like any other, and nothing inherited is ever one.
 */
export function claimAt(claims: Claims, path: readonly string[]): unknown {
  let value: unknown = claims;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) {
      return undefined;
    }
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/** A claim as a list of texts: a single value is a list of one; what is neither text, number nor boolean is left out. */
export function textsOf(claim: unknown): readonly string[] {
  const texts: string[] = [];
  for (const value of Array.isArray(claim) ? claim : [claim]) {
    if (typeof value === 'string') texts.push(value);
    else if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) {
      texts.push(String(value));
    }
  }
  return texts;
}
