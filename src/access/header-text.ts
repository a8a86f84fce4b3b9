// Claims as header values: one claim's text never two entries, and never one user's text equal to another's (security
// catalogue HDR-08 to HDR-10).

/** A header longer than this is left out: Tomcat and many others refuse 8 KiB of all headers together. */
export const MAX_HEADER_VALUE_LENGTH = 4096;

/** The same for a token, which is no use in part: more than this no common server reads as one request's head. */
export const MAX_TOKEN_LENGTH = 16_384;

/** Letters and digits only, lower case: the spelling in which applications confuse names (CVE-2025-64484). */
export function foldName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** How texts become header values; each gives undefined where there is none. */
export interface HeaderEncoding {
  readonly text: (text: string) => string | undefined;
  /** An entry of a comma-separated list. */
  readonly entry: (text: string) => string | undefined;
}

export type HeaderEncodingName = 'percent' | 'utf-8';

/**
 * `percent`: printable ASCII only, for applications that decode: decodeURIComponent gives the claim back, always. Encoded are
 * `%` itself, control characters, everything outside ASCII, a space at either end, and in an entry of a list also `,`.
 *
 * `utf-8`: the bytes of the text, as other gates send them (one character per byte here, as raw headers are written). What
 * would then be read as something else has no value: control characters, a space at either end, a comma in a list's entry.
 */
export const HEADER_ENCODINGS: Readonly<Record<HeaderEncodingName, HeaderEncoding>> = {
  percent: {
    text: (text) => percentEncoded(text, /[^\u0021-\u0024\u0026-\u007e]/gu),
    entry: (text) => percentEncoded(text, /[^\u0021-\u0024\u0026-\u002b\u002d-\u007e]/gu),
  },
  'utf-8': {
    text: utf8Bytes,
    entry: (text) => (text.includes(',') ? undefined : utf8Bytes(text)),
  },
};

/** Entries joined by `,`; those without a text of their own are left out. Undefined for an empty list. */
export function headerList(texts: readonly string[], { entry }: HeaderEncoding): string | undefined {
  const entries = texts.map(entry).filter((text) => text !== undefined);
  return entries.length === 0 ? undefined : entries.join(',');
}

const PLAIN_TEXT = /^[\u0021-\u0024\u0026-\u002b\u002d-\u007e]+$/;

function percentEncoded(text: string, unsafe: RegExp): string | undefined {
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

const NOT_ITSELF = /[\u0000-\u001f\u007f-\u009f]|^ | $/;

function utf8Bytes(text: string): string | undefined {
  if (text === '' || NOT_ITSELF.test(text) || !text.isWellFormed()) return undefined;
  return Buffer.from(text).toString('latin1');
}
