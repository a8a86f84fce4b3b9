// The bearer token of a request, from its Authorization header and from nowhere else (RFC 6750 section 2.1). The other two
// ways of that specification, a form and the query, put tokens into logs and histories and are never read.

import type { ShownBearer } from '../gate/decide.ts';

const SCHEME = /^bearer(?: |$)/i;
/** The scheme, blanks, and one token68 (RFC 9110 section 11.4). */
const CREDENTIALS = /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

/** What the request shows, or undefined for none: no Authorization header, or one of another scheme. */
export function readBearer(rawHeaders: readonly string[]): ShownBearer | undefined {
  const values = rawHeaders.filter((_, i) => i % 2 === 1 && isAuthorization(rawHeaders[i - 1]!));
  const [value] = values;
  if (value === undefined) return undefined;
  // Node and many applications each take another one of several.
  if (values.length > 1) return { bad: 'several Authorization headers' };
  if (!SCHEME.test(value)) return undefined;
  return { token: CREDENTIALS.exec(value)?.[1] ?? '' };
}

function isAuthorization(name: string): boolean {
  return name.length === 13 && name.toLowerCase() === 'authorization';
}
