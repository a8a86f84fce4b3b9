// Claims as header values: printable ASCII only, one claim's text never two entries, and never one user's text equal
// to another's (security catalogue HDR-08 to HDR-10).
//
// The encoding, for applications: decodeURIComponent (percent-encoded UTF-8) gives the claim back, always. Encoded are
// `%` itself, control characters, everything outside ASCII, a space at either end, and in an entry of a list also `,`.

/** A header longer than this is left out: Tomcat and many others refuse 8 KiB of all headers together. */
export const MAX_HEADER_VALUE_LENGTH = 4096;

/** The same for a token, which is no use in part: more than this no common server reads as one request's head. */
export const MAX_TOKEN_LENGTH = 16_384;

/** `text` as a header value, or undefined where it has none: it is empty, or no well-formed Unicode (lone surrogates). */
export function headerText(text: string): string | undefined {
  return encode(text, /[^\u0021-\u0024\u0026-\u007e]/gu);
}

/** An entry of a comma-separated list: like headerText, and its commas are encoded. */
function headerListEntry(text: string): string | undefined {
  return encode(text, /[^\u0021-\u0024\u0026-\u002b\u002d-\u007e]/gu);
}

/** Entries joined by `,`; those without a text of their own are left out. Undefined for an empty list. */
export function headerList(texts: readonly string[]): string | undefined {
  const entries = texts.map(headerListEntry).filter((entry) => entry !== undefined);
  return entries.length === 0 ? undefined : entries.join(',');
}

const PLAIN_TEXT = /^[\u0021-\u0024\u0026-\u002b\u002d-\u007e]+$/;

function encode(text: string, unsafe: RegExp): string | undefined {
  if (PLAIN_TEXT.test(text)) return text;
  if (text === '' || !text.isWellFormed()) return undefined;
  return text.replace(unsafe, (character, at: number) => {
    const isInnerSpace = character === ' ' && at > 0 && at < text.length - 1;
    return isInnerSpace ? character : percent(character);
  });
}

function percent(character: string): string {
  const code = character.codePointAt(0)!;
  return code < 0x80 ? `%${code.toString(16).toUpperCase().padStart(2, '0')}` : encodeURIComponent(character);
}
