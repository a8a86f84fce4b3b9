// As much of RFC 6455 as short frames need, which is all that live connections of a bench send.

import { createHash, randomBytes } from 'node:crypto';

/** The `Sec-WebSocket-Accept` for a key (section 4.2.2). */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** A text frame as a server sends it (section 5.2), of less than 126 bytes. */
export function textFrame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text, 'latin1')]);
}

/** A close frame (section 5.5.1); a client's is masked, a server's is not. */
export function closeFrame(code: number, from: 'client' | 'server'): Buffer {
  const payload = Buffer.from([code >> 8, code & 255]);
  if (from === 'server') return Buffer.concat([Buffer.from([0x88, 2]), payload]);
  const mask = randomBytes(4);
  return Buffer.concat([Buffer.from([0x88, 0x82]), mask, payload.map((byte, i) => byte ^ mask[i]!)]);
}

/** Where the close frame at the end of `bytes` begins, and its code; undefined where there is none. */
export function closeAtEnd(bytes: Buffer): { at: number; code: number } | undefined {
  // A close frame has at most 125 bytes of payload, and nothing follows it.
  for (let at = bytes.length - 4; at >= Math.max(0, bytes.length - 131); at--) {
    if (bytes[at] !== 0x88) continue;
    const second = bytes[at + 1]!;
    const isMasked = (second & 0x80) !== 0;
    const length = second & 0x7f;
    const payloadAt = at + 2 + (isMasked ? 4 : 0);
    if (length < 2 || payloadAt + length !== bytes.length) continue;
    const byte = (i: number) => bytes[payloadAt + i]! ^ (isMasked ? bytes[at + 2 + i]! : 0);
    return { at, code: (byte(0) << 8) | byte(1) };
  }
  return undefined;
}
