// The frame scanner.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FrameScanner } from '../../../src/proxy/frame-scanner.ts';

function frame(opcode: number, length: number, masked: 'masked' | 'plain' = 'plain'): Buffer {
  const mask = masked === 'masked' ? 0x80 : 0;
  const head =
    length < 126
      ? [0x80 | opcode, mask | length]
      : length < 65_536
        ? [0x80 | opcode, mask | 126, length >> 8, length & 0xff]
        : [
            0x80 | opcode,
            mask | 127,
            0,
            0,
            0,
            0,
            (length >>> 24) & 0xff,
            (length >>> 16) & 0xff,
            (length >>> 8) & 0xff,
            length & 0xff,
          ];
  // Payload bytes that would be frame heads, were they read as such.
  return Buffer.concat([Buffer.from(head), Buffer.alloc((mask ? 4 : 0) + length, 0x88)]);
}

const TEXT = 1;
const PING = 9;
const PONG = 10;
const CLOSE = 8;

describe('the frame scanner', () => {
  test('nothing scanned yet is a boundary', () => {
    assert.equal(new FrameScanner().atBoundary, true);
  });

  for (const length of [0, 1, 125, 126, 127, 65_535, 65_536, 70_000]) {
    for (const masked of ['masked', 'plain'] as const) {
      test(`a ${masked} frame of ${length} bytes has its boundary exactly at its end, however it is cut`, () => {
        const bytes = Buffer.concat([frame(TEXT, length, masked), frame(PING, 3, masked)]);
        const first = frame(TEXT, length, masked).length;
        const steps = length > 300 ? [1, 2, 3, 4, 5, 9, 10, 11, 14, first - 1, first, first + 1] : [...bytes.keys()];
        for (const at of steps) {
          const scanner = new FrameScanner();
          scanner.scan(bytes.subarray(0, at));
          assert.equal(scanner.atBoundary, at === 0 || at === first || at === bytes.length, `after ${at} bytes`);
          scanner.scan(bytes.subarray(at));
          assert.equal(scanner.atBoundary, true);
        }
        const single = new FrameScanner();
        const bounds: number[] = [];
        for (let i = 0; i < bytes.length; i++) {
          single.scan(bytes.subarray(i, i + 1));
          if (single.atBoundary) bounds.push(i + 1);
        }
        assert.deepEqual(bounds, [first, bytes.length]);
      });
    }
  }

  test('data frames are activity, once per look; ping, pong and close are not', () => {
    const scanner = new FrameScanner();
    scanner.scan(Buffer.concat([frame(PING, 4), frame(PONG, 4), frame(PONG, 0)]));
    assert.equal(scanner.takeActivity(), false);
    scanner.scan(frame(TEXT, 1));
    assert.equal(scanner.takeActivity(), true);
    assert.equal(scanner.takeActivity(), false);
    scanner.scan(frame(0, 0));
    assert.equal(scanner.takeActivity(), true, 'an empty continuation');
    scanner.scan(frame(CLOSE, 2));
    assert.equal(scanner.takeActivity(), false);
  });

  test('a data frame is activity for as long as its bytes come', () => {
    const scanner = new FrameScanner();
    const bytes = frame(2, 1_000);
    scanner.scan(bytes.subarray(0, 10));
    scanner.takeActivity();
    scanner.scan(bytes.subarray(10, 20));
    assert.equal(scanner.takeActivity(), true);
  });

  test('a close frame is seen with its first byte', () => {
    const scanner = new FrameScanner();
    scanner.scan(frame(TEXT, 130));
    assert.equal(scanner.sawClose, false, 'payload is not read');
    scanner.scan(Buffer.from([0x88]));
    assert.equal(scanner.sawClose, true);
    assert.equal(scanner.atBoundary, false);
  });

  test('a length beyond all numbers never ends', () => {
    const scanner = new FrameScanner();
    scanner.scan(Buffer.from([0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255]));
    scanner.scan(Buffer.alloc(100_000));
    assert.equal(scanner.atBoundary, false);
  });

  test('a frame of 5 GiB ends where it says', () => {
    const scanner = new FrameScanner();
    scanner.scan(Buffer.from([0x82, 127, 0, 0, 0, 1, 0x40, 0, 0, 0]));
    const piece = Buffer.alloc(64 * 1024 * 1024);
    for (let i = 0; i < 80; i++) {
      assert.equal(scanner.atBoundary, false);
      scanner.scan(piece);
    }
    assert.equal(scanner.atBoundary, true);
  });
});
