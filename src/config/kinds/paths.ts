// Paths of routes, of rules and of the gate itself: the canonical spelling only, since a path that an upstream reads
// differently than the gate is a hole in a rule (design/decided.md).

import type { Kind } from '../kind.ts';
import { parsedText, type Refusal } from './scalars.ts';

/** A path prefix, matched by whole segments: `/`, `/app`. A slash at its end is dropped. */
export const pathPrefix: Kind<string> = parsedText<string>({
  expected: 'a path such as /app',
  schema: { pattern: '^/' },
  parse: canonicalPath,
});

/**
 * One address of an application: its path, and the parameters that tell it from others where the application has one path
 * for everything, `/doku.php?do=logout`.
 */
export const appAddress: Kind<string> = parsedText<string>({
  expected: 'a path such as /logout, or /index.php?do=logout',
  schema: { pattern: '^/' },
  parse(text) {
    const end = text.indexOf('?');
    if (end === -1) return canonicalPath(text);
    const path = canonicalPath(text.slice(0, end));
    if ('wrong' in path) return path;
    const query = text.slice(end + 1);
    return isPlainQuery(query) ? { value: `${path.value}?${query}` } : UNPLAIN_QUERY;
  },
});

/** The path of an `appAddress`. */
export function pathOfAddress(address: string): string {
  return address.split('?', 1)[0]!;
}

const UNPLAIN_QUERY = {
  wrong: 'has parameters that are none',
  cure: 'write name=value behind the ?, with & between several, such as /index.php?do=logout',
};

/** `name=value` pairs, each with a name and a value, and every escape one of UTF-8 text. */
function isPlainQuery(query: string): boolean {
  if (!/^[\x21-\x7e]+$/.test(query) || query.includes('#')) return false;
  return query.split('&').every((pair) => /^[^=]+=[^=]+$/.test(pair) && decoded(pair) !== undefined);
}

function canonicalPath(text: string): { value: string } | Refusal {
  const wrong = uncanonical(text);
  return wrong ?? { value: text.length > 1 && text.endsWith('/') ? text.slice(0, -1) : text };
}

/** Where the gate's own paths stand: `/_gate`. */
export const ownPrefix: Kind<string> = parsedText<string>({
  expected: 'a path of its own for the gate, such as /_gate',
  schema: { pattern: '^(/[A-Za-z0-9_~-]+)+$' },
  parse(text) {
    if (/^(?:\/[A-Za-z0-9_~-]+)+$/.test(text)) return { value: text };
    if (text === '/')
      return { wrong: 'leaves no path to the applications', cure: 'write a path of its own, such as /_gate' };
    const cure = 'write / and letters, digits, - or _, such as /_gate: no dots, no slash at the end';
    return { wrong: 'cannot be the prefix of the gate', cure };
  },
});

function uncanonical(text: string): Refusal | undefined {
  if (!text.startsWith('/')) return { wrong: 'is no path', cure: 'begin it with a slash, such as /app' };
  if (/[*]/.test(text)) {
    return { wrong: 'holds a wildcard', cure: 'write the path alone: it stands for itself and everything below it' };
  }
  if (/[?#]/.test(text)) return { wrong: 'has a query or fragment', cure: 'write the path alone, up to the ? or #' };
  if (text.includes(';'))
    return { wrong: 'has path parameters (;)', cure: 'write the path without the ; and what follows it' };
  if (text.includes('//')) return { wrong: 'has an empty segment (//)', cure: 'write single slashes' };
  if (text.split('/').some((segment) => segment === '.' || segment === '..')) {
    return { wrong: 'has a dot segment', cure: 'write the path that it leads to' };
  }
  const plain = decoded(text);
  if (plain === undefined) {
    return {
      wrong: 'has an escape that is none',
      cure: 'write % and two digits of UTF-8 text, such as %C3%A9, or the letter itself',
    };
  }
  // Escaped or not, upstreams read these in different ways.
  if (/[^A-Za-z0-9\-._~/!$&'()+,=:@ \u0080-\uffff]|%(?:2f|2e)/i.test(plain) || /%(?:2f|2e)/i.test(text)) {
    return {
      wrong: 'holds a character that upstreams read in different ways',
      cure: 'write a path of letters, digits, - . _ ~ and /',
    };
  }
  return undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Whether `path` is `prefix` or below it, by whole segments. */
export function isBelow(path: string, prefix: string): boolean {
  return prefix === '/' || path === prefix || path.startsWith(`${prefix}/`);
}
