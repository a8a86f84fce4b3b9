// Where one direction of a WebSocket stands between frames (RFC 6455 section 5.2), so that a close frame can be put in at a
// boundary. It reads frame heads only, skips payloads by arithmetic, copies nothing, and judges nothing.

const CLOSE = 0x8;
/** Opcodes 0 to 7 carry data (continuation, text, binary, reserved); 8 to 15 are control frames. */
const FIRST_CONTROL = 0x8;
/** Beyond it a length is no exact number any more; such a frame ends after everything else. */
const MAX_HIGH_WORD = 0x1f_ffff;

export class FrameScanner {
  /** A close frame has begun. */
  sawClose = false;
  #sawBytes = false;
  /** Bytes of the frame's mask key and payload that are still to come. */
  #left = 0;
  /** Bytes of the frame's head that are still to come after its first two; -2 and -1: those two themselves. */
  #head = -2;
  #opcode = 0;
  #high = 0;
  #low = 0;
  #masked = false;

  /** True where the bytes scanned so far end with a whole frame, or are none. */
  get atBoundary(): boolean {
    return this.#head === -2 && this.#left === 0;
  }

  /** True once after bytes of a data frame passed: what counts as a person's activity; pings and pongs do not. */
  takeActivity(): boolean {
    const saw = this.#sawBytes;
    this.#sawBytes = false;
    return saw;
  }

  scan(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, chunk.length - at);
        this.#left -= skipped;
        at += skipped;
        if (this.#opcode < FIRST_CONTROL) this.#sawBytes = true;
      } else this.#headByte(chunk[at++]!);
    }
  }

  #headByte(byte: number): void {
    if (this.#head === -2) {
      this.#opcode = byte & 0x0f;
      if (this.#opcode === CLOSE) this.sawClose = true;
      if (this.#opcode < FIRST_CONTROL) this.#sawBytes = true;
      this.#head = -1;
      return;
    }
    if (this.#head === -1) this.#firstLength(byte);
    else {
      // Big-endian; the upper half first where there are eight bytes.
      if (this.#head > 4) this.#high = this.#high * 256 + byte;
      else this.#low = this.#low * 256 + byte;
      this.#head--;
    }
    if (this.#head === 0) this.#beginPayload();
  }

  #firstLength(byte: number): void {
    const length = byte & 0x7f;
    this.#masked = (byte & 0x80) !== 0;
    this.#high = 0;
    this.#low = length < 126 ? length : 0;
    this.#head = length < 126 ? 0 : length === 126 ? 2 : 8;
  }

  #beginPayload(): void {
    const length = this.#high > MAX_HIGH_WORD ? Number.POSITIVE_INFINITY : this.#high * 0x1_0000_0000 + this.#low;
    this.#left = length + (this.#masked ? 4 : 0);
    this.#head = -2;
  }
}
