// Percent escapes of a path: checked whole, harmless ones undone, those that hide a character kept for the readings
// (RFC 3986 2.4; security catalogue PATH-03, PATH-07, PATH-08, PATH-14).

import { isHidingEscape, isOnlyReading } from './path-characters.ts';

export interface DecodedPath {
  readonly kind: 'decoded';
  /** Bytes outside ASCII, and what can never be written raw, decoded; every `%` left begins an escape of the original. */
  readonly path: string;
  /** An escape hides a character that has a meaning of its own, or one that nobody needs to escape. */
  readonly hides: boolean;
  readonly escapesLeft: boolean;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const ESCAPE = /%([0-9A-Fa-f]{2})/g;
const BROKEN_ESCAPE = /%(?![0-9A-Fa-f]{2})/;
const NOT_ASCII = /[^\u0000-\u007f]/;
// C1 too: U+0085 is a line end to some.
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/;

/** Reads the escapes of `raw`, a path of codes 0x21 to 0xff. Refuses what is no escape, no UTF-8 or a control character. */
export function readEscapes(raw: string): DecodedPath | { readonly kind: 'bad'; readonly why: string } {
  if (BROKEN_ESCAPE.test(raw)) return { kind: 'bad', why: 'an invalid percent escape in the path' };
  let hides = false;
  let escapesLeft = false;
  const bytes = raw.replace(ESCAPE, (written, hex: string) => {
    const byte = Number.parseInt(hex, 16);
    if (byte < 0x20 || byte === 0x7f || isOnlyReading(byte)) return String.fromCharCode(byte);
    escapesLeft = true;
    if (isHidingEscape(byte)) hides = true;
    return written;
  });
  const path = fromUtf8(bytes);
  if (path === undefined) return { kind: 'bad', why: 'the path is not UTF-8' };
  if (CONTROLS.test(path)) return { kind: 'bad', why: 'an escaped control character in the path' };
  return { kind: 'decoded', path, hides, escapesLeft };
}

/** Undoes, once, the escapes that readEscapes left; `all but separators` keeps `%2F` and `%5C` as text. */
export function decodeEscapes(path: string, which: 'all' | 'all but separators'): string {
  return path.replace(ESCAPE, (written, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return which === 'all but separators' && (character === '/' || character === '\\') ? written : character;
  });
}

function fromUtf8(bytes: string): string | undefined {
  if (!NOT_ASCII.test(bytes)) return bytes;
  try {
    return UTF8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return undefined;
  }
}
