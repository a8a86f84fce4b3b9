// The close frame for a client is final, unmasked and says 1008 session ended.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeFrame, GOING_AWAY, maskedCloseFrame, SESSION_ENDED } from '../../../src/proxy/farewell.ts';
import { FrameScanner } from '../../../src/proxy/frame-scanner.ts';

test('the close frame for a client is final, unmasked and says 1008 session ended', () => {
  assert.deepEqual(
    closeFrame(SESSION_ENDED),
    Buffer.concat([Buffer.from([0x88, 15, 0x03, 0xf0]), Buffer.from('session ended')]),
  );
});

test('the close frame for an upstream is masked with a fresh key and says the same', () => {
  const frame = maskedCloseFrame(GOING_AWAY);
  assert.equal(frame[0], 0x88);
  assert.equal(frame[1], 0x80 | 12);
  const key = frame.subarray(2, 6);
  const payload = frame.subarray(6).map((byte, i) => byte ^ key[i % 4]!);
  assert.deepEqual(Buffer.from(payload), Buffer.concat([Buffer.from([0x03, 0xe9]), Buffer.from('going away')]));
  assert.notDeepEqual(maskedCloseFrame(GOING_AWAY), frame);
});

test('both are one whole frame', () => {
  for (const frame of [closeFrame(SESSION_ENDED), maskedCloseFrame(SESSION_ENDED)]) {
    const scanner = new FrameScanner();
    scanner.scan(frame.subarray(0, -1));
    assert.equal(scanner.atBoundary, false);
    scanner.scan(frame.subarray(-1));
    assert.equal(scanner.atBoundary && scanner.sawClose, true);
  }
});
