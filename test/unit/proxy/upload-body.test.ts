// A request body on its way.

import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import { hasAnnouncedBody, UploadBody } from '../../../src/proxy/upload-body.ts';

class Guard {
  stopped = false;
  moved = 0;

  isStopped(): boolean {
    return this.stopped;
  }

  onUploadMoved(): void {
    this.moved++;
  }
}

function upload() {
  const request = Object.assign(new PassThrough(), { complete: false });
  const guard = new Guard();
  const body = new UploadBody(request as unknown as IncomingMessage, guard);
  const seen: string[] = [];
  body.on('error', () => seen.push('broken'));
  body.on('end', () => seen.push('end'));
  body.on('data', (chunk) => seen.push(String(chunk)));
  return { request, guard, body, seen };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

describe('a request body on its way', () => {
  test('passes on what comes, and its end', async () => {
    const { request, guard, seen } = upload();
    request.write('a');
    await turn();
    request.complete = true;
    request.end('b');
    await turn();
    assert.deepEqual(seen, ['a', 'b', 'end']);
    assert.equal(guard.moved, 2);
  });

  test('after the stop nothing passes, not even what was buffered before it', async () => {
    const { request, guard, body, seen } = upload();
    request.write('a');
    await turn();
    body.pause();
    request.write('b');
    await turn();
    assert.equal(body.isHeldUp, true);
    guard.stopped = true;
    body.resume();
    request.complete = true;
    request.end('c');
    await turn();
    assert.deepEqual(seen, ['a']);
  });

  test('one that breaks off ends with an error, never with an end', async () => {
    const { request, seen } = upload();
    request.write('a');
    await turn();
    request.destroy();
    await turn();
    assert.deepEqual(seen, ['a', 'broken']);
  });

  test('an end without all of its bytes is none', async () => {
    const { request, seen } = upload();
    request.end('a');
    await turn();
    assert.deepEqual(seen, ['a', 'broken']);
  });
});

describe('whether a body follows', () => {
  const cases: [string[], boolean][] = [
    [[], false],
    [['Content-Length', '0'], false],
    [['content-length', '00'], false],
    [['CONTENT-LENGTH', '1'], true],
    [['Transfer-Encoding', 'chunked'], true],
    [['X', '1', 'transfer-encoding', 'Chunked'], true],
    [['Content-Lengthy', '1', 'Transfer-Encodings', 'chunked'], false],
  ];
  for (const [headers, announced] of cases) {
    test(`${JSON.stringify(headers)}: ${announced}`, () => assert.equal(hasAnnouncedBody(headers), announced));
  }
});
