// The file that carries sessions over a restart, as bytes: a line that says what it is, then sealed frames, each behind its
// length. A frame opens at its own place of its own file only, so none can be moved, left out or brought in from another.

import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { ByteSeal } from '../../base/byte-seal.ts';

/** Grows when an older gate could not read what a newer one writes. */
const FORMAT = 1;

const HEAD = /^portcullis sessions (\d+) ([\w-]{16})\n/;
const HEAD_BYTES = 64;
const LENGTH_BYTES = 4;

/** Nobody writes larger ones. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;

/** Seals the frames of one file, in order. */
export class FrameSealer {
  readonly fileId: string;
  readonly #seal: ByteSeal;
  #next: number;

  /** Goes on where another process has stopped, or begins a new file. */
  constructor(seal: ByteSeal, goesOn: { readonly fileId: string; readonly next: number } | undefined) {
    this.#seal = seal;
    this.fileId = goesOn?.fileId ?? randomBytes(12).toString('base64url');
    this.#next = goesOn?.next ?? 0;
  }

  head(): Buffer {
    return Buffer.from(`portcullis sessions ${FORMAT} ${this.fileId}\n`);
  }

  /** `text`: JSON. */
  frame(text: string): Buffer {
    const sealed = this.#seal.seal(Buffer.from(text), labelOf(this.fileId, this.#next++));
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(sealed.length);
    return Buffer.concat([length, sealed]);
  }
}

/** One frame, or what ends the reading: the end of the file, an end within a frame, or a frame that does not open. */
export type ReadFrame = { readonly content: unknown } | 'end' | 'cut off' | 'sealed otherwise';

/** Reads frames one after the other. */
export class FrameReader {
  readonly #handle: FileHandle;
  readonly #seal: ByteSeal;
  readonly fileId: string;
  /** How many frames have been read, and where the last of them ends. */
  count = 0;
  position: number;

  private constructor(handle: FileHandle, seal: ByteSeal, { fileId, size }: { fileId: string; size: number }) {
    this.#handle = handle;
    this.#seal = seal;
    this.fileId = fileId;
    this.position = size;
  }

  /** A reader behind the first line, or what is wrong with that. */
  static async open(handle: FileHandle, seal: ByteSeal): Promise<FrameReader | { wrong: string }> {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const head = HEAD.exec(buffer.toString('latin1', 0, bytesRead));
    if (head === null) return { wrong: 'is no file of sessions' };
    if (Number(head[1]) !== FORMAT) return { wrong: 'was written by another version of the gate' };
    return new FrameReader(handle, seal, { fileId: head[2]!, size: head[0].length });
  }

  async next(): Promise<ReadFrame> {
    const length = await this.#bytes(this.position, LENGTH_BYTES);
    if (length.length < LENGTH_BYTES) return length.length === 0 ? 'end' : 'cut off';
    const size = length.readUInt32BE();
    if (size > MAX_FRAME_BYTES) return 'sealed otherwise';
    const sealed = await this.#bytes(this.position + LENGTH_BYTES, size);
    if (sealed.length < size) return 'cut off';
    const opened = this.#seal.open(sealed, labelOf(this.fileId, this.count));
    if (opened === undefined) return 'sealed otherwise';
    this.count++;
    this.position += LENGTH_BYTES + size;
    // What the seal vouches for, a gate wrote as a whole.
    return { content: JSON.parse(opened.toString()) };
  }

  async #bytes(from: number, length: number): Promise<Buffer> {
    const { buffer, bytesRead } = await this.#handle.read(Buffer.alloc(length), 0, length, from);
    return buffer.subarray(0, bytesRead);
  }
}

function labelOf(fileId: string, index: number): string {
  return `${fileId} ${index}`;
}
