// What each character of a request path means to the decision (RFC 3986 3.3; design: decided.md, ambiguous paths).

/** Stands for itself in a path: unreserved, sub-delims except `;`, `:`, `@`. */
export const PLAIN = 0;
export const SLASH = 1;
export const DOT = 2;
/** `?`: the path ends here. */
export const QUERY = 3;
/** Legal or tolerated, but two programs may read it differently: `%`, `;`, `\`, bytes outside ASCII, `"<>^{|}` and backtick. */
const DOUBTFUL = 4;
/** No client that means well sends it: control characters, space, `#`. */
export const REFUSED = 5;

const UNRESERVED = /[A-Za-z0-9\-._~]/;
const SUB_DELIMS_AND_PCHAR = /[!$&'()*+,=:@]/;

function kindOf(code: number): number {
  const character = String.fromCharCode(code);
  if (character === '/') return SLASH;
  if (character === '.') return DOT;
  if (character === '?') return QUERY;
  if (code <= 0x20 || code === 0x7f || character === '#') return REFUSED;
  return UNRESERVED.test(character) || SUB_DELIMS_AND_PCHAR.test(character) ? PLAIN : DOUBTFUL;
}

/** The kind of each of the 256 codes that a raw request target can hold. */
export const CHARACTER_KINDS: Readonly<Uint8Array> = Uint8Array.from({ length: 256 }, (_, code) => kindOf(code));

/**
 * Whether an escape of this byte hides something: `/ \ . ; % ? #` and the unreserved characters, which nobody needs to
 * escape. Such a path is not canonical (design: decided.md; CVE-2026-41059 for `%23`).
 */
export function isHidingEscape(byte: number): boolean {
  return byte < 0x80 && /[A-Za-z0-9\-._~/\\;%?#]/.test(String.fromCharCode(byte));
}

/** Whether an escape of this byte stands for a character that can never be written raw, so that only one reading is left. */
export function isOnlyReading(byte: number): boolean {
  return byte >= 0x80 || byte === 0x20 || /["<>^`{|}[\]]/.test(String.fromCharCode(byte));
}
