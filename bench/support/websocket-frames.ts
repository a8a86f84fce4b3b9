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

/** The close frame in `bytes`, which begin with a whole frame, if there is one: where it begins, and its code. */
export function closeIn(bytes: Buffer): { at: number; code: number } | undefined {
  for (let at = 0; at + 2 <= bytes.length; ) {
    const second = bytes[at + 1]!;
    const isMasked = (second & 0x80) !== 0;
    const payloadAt = at + 2 + (isMasked ? 4 : 0);
    const end = payloadAt + (second & 0x7f);
    if (end > bytes.length) return undefined;
    const byte = (i: number) => bytes[payloadAt + i]! ^ (isMasked ? bytes[at + 2 + i]! : 0);
    if ((bytes[at]! & 0x0f) === 8) return { at, code: (byte(0) << 8) | byte(1) };
    at = end;
  }
  return undefined;
}
