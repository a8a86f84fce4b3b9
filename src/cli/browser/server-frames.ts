// What a WebSocket server sends, as far as somebody needs to know who only listens (RFC 6455 section 5.2).

const CLOSE = 8;
const PING = 9;
/** The code that stands for "no code" (section 7.4.1). */
const NO_CODE = 1005;

/** What was in the bytes of one read. */
export interface Seen {
  /** Application bytes, and how many frames of them began. */
  bytes: number;
  frames: number;
  /** Payloads that must be sent back. */
  readonly pings: Buffer[];
  close: { readonly code: number; readonly reason: string } | undefined;
}

export class ServerFrames {
  /** The beginning of a frame whose head is not whole yet, or of a control frame whose payload is not. */
  #rest: Buffer = Buffer.alloc(0);
  /** Of a data frame's payload, which need not be kept. */
  #bytesLeft = 0;

  /** Takes what was read. Frames may be cut anywhere. */
  take(chunk: Buffer): Seen {
    const seen: Seen = { bytes: 0, frames: 0, pings: [], close: undefined };
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const ofPayload = Math.min(this.#bytesLeft, rest.length);
      seen.bytes += ofPayload;
      this.#bytesLeft -= ofPayload;
      rest = rest.subarray(ofPayload);
      const head = headOf(rest);
      if (head === undefined) break;
      if (head.opcode < CLOSE) {
        seen.frames += 1;
        this.#bytesLeft = head.payloadBytes;
      } else if (rest.length < head.bytes + head.payloadBytes) break;
      else takeControl(seen, head.opcode, rest.subarray(head.bytes, head.bytes + head.payloadBytes));
      rest = rest.subarray(head.bytes + (head.opcode < CLOSE ? 0 : head.payloadBytes));
    }
    this.#rest = rest;
    return seen;
  }
}

/** Undefined where it is not whole. A server's frames are not masked. */
function headOf(bytes: Buffer): { opcode: number; bytes: number; payloadBytes: number } | undefined {
  if (bytes.length < 2) return undefined;
  const opcode = bytes[0]! & 15;
  const length = bytes[1]! & 127;
  if (length < 126) return { opcode, bytes: 2, payloadBytes: length };
  if (length === 126) return bytes.length < 4 ? undefined : { opcode, bytes: 4, payloadBytes: bytes.readUInt16BE(2) };
  return bytes.length < 10 ? undefined : { opcode, bytes: 10, payloadBytes: Number(bytes.readBigUInt64BE(2)) };
}

function takeControl(seen: Seen, opcode: number, payload: Buffer): void {
  if (opcode === PING) seen.pings.push(Buffer.from(payload));
  if (opcode !== CLOSE || seen.close !== undefined) return;
  seen.close =
    payload.length < 2
      ? { code: NO_CODE, reason: '' }
      : { code: payload.readUInt16BE(0), reason: payload.toString('utf8', 2) };
}
