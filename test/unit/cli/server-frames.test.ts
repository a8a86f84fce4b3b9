// What a WebSocket server sent, wherever the network cut it.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Seen, ServerFrames } from '../../../src/cli/browser/server-frames.ts';

function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head =
    length < 126
      ? Buffer.from([0x80 | opcode, length])
      : length < 65_536
        ? Buffer.from([0x80 | opcode, 126, length >> 8, length & 255])
        : Buffer.concat([Buffer.from([0x80 | opcode, 127, 0, 0, 0, 0]), u32(length)]);
  return Buffer.concat([head, payload]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

const SENT = Buffer.concat([
  frame(1, Buffer.from('hello')),
  frame(9, Buffer.from('ping')),
  frame(2, Buffer.alloc(300, 7)),
  frame(1, Buffer.alloc(0)),
  frame(0, Buffer.alloc(70_000, 9)),
  frame(8, Buffer.concat([Buffer.from([1008 >> 8, 1008 & 255]), Buffer.from('session ended')])),
]);

/** Everything that was seen, piece after piece. */
function readAll(pieces: readonly Buffer[]): Seen {
  const frames = new ServerFrames();
  const all: Seen = { bytes: 0, frames: 0, pings: [], close: undefined };
  for (const piece of pieces) {
    const { bytes, frames: count, pings, close } = frames.take(piece);
    all.bytes += bytes;
    all.frames += count;
    all.pings.push(...pings);
    all.close ??= close;
  }
  return all;
}

const EXPECTED: Seen = {
  bytes: 70_305,
  frames: 4,
  pings: [Buffer.from('ping')],
  close: { code: 1008, reason: 'session ended' },
};

describe('frames of a server', () => {
  test('in one piece', () => assert.deepEqual(readAll([SENT]), EXPECTED));

  test('byte by byte', () => assert.deepEqual(readAll(Array.from(SENT, (byte) => Buffer.from([byte]))), EXPECTED));

  test('cut in two anywhere', () => {
    for (let at = 0; at <= 400; at++) assert.deepEqual(readAll([SENT.subarray(0, at), SENT.subarray(at)]), EXPECTED);
  });

  test('a close without a code is 1005, and nothing of the application', () => {
    assert.deepEqual(readAll([frame(8, Buffer.alloc(0))]), {
      bytes: 0,
      frames: 0,
      pings: [],
      close: { code: 1005, reason: '' },
    });
  });
});
