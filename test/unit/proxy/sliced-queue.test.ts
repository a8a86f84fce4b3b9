// Work in slices: all of it, in order, with turns of the event loop in between, and nothing that is done is kept.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SlicedQueue } from '../../../src/proxy/sliced-queue.ts';

/** Longer than a slice. */
function work(): void {
  const end = performance.now() + 3;
  while (performance.now() < end);
}

describe('a sliced queue', () => {
  test('does everything in order, what is pushed meanwhile and what comes after it was empty too', async () => {
    const queue = new SlicedQueue();
    const done: number[] = [];
    for (let at = 0; at < 5; at++) {
      queue.push(() => {
        done.push(at);
        work();
        if (at === 4) queue.push(() => void done.push(5));
      });
    }
    while (done.length < 6) await new Promise(setImmediate);
    await new Promise(setImmediate);
    await new Promise<void>((resolve) => queue.push(resolve));
    assert.deepEqual(done, [0, 1, 2, 3, 4, 5]);
  });

  test('leaves the event loop its turns between slices', async () => {
    const queue = new SlicedQueue();
    let turns = 0;
    const done: number[] = [];
    const count = () => {
      turns += 1;
      if (done.length < 4) setImmediate(count);
    };
    setImmediate(count);
    for (let at = 0; at < 4; at++) {
      queue.push(() => {
        work();
        done.push(turns);
      });
    }
    while (done.length < 4) await new Promise(setImmediate);
    assert.equal(new Set(done).size, 4, `slices in turns ${done}`);
  });

  test('goes by the clock that it is given: where that stands still, everything is done in one slice', async () => {
    const queue = new SlicedQueue(() => 0);
    const done: number[] = [];
    for (let at = 0; at < 4; at++) {
      queue.push(() => {
        work();
        done.push(at);
      });
    }
    await new Promise(setImmediate);
    assert.deepEqual(done, [0, 1, 2, 3]);
  });

  test('keeps nothing of what is done, also where it is never empty', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const queue = new SlicedQueue();
    let left = 2_000;
    let first: WeakRef<object> | undefined;
    const push = () => {
      const held = { what: 'a request' };
      first ??= new WeakRef(held);
      queue.push(() => {
        // One slice is over with each of a hundred: a queue that is emptied within one shows nothing.
        if (left % 100 === 0) work();
        if (held.what !== '' && left-- > 0) push();
      });
    };
    push();
    push();
    while (left > 500) await new Promise(setImmediate);
    collect();
    assert.equal(first?.deref(), undefined);
    while (left > 0) await new Promise(setImmediate);
  });
});
