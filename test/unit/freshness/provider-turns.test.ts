// The queue to the provider: bounded, and patient with a provider that is down (security catalogue SESS-10).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProviderTurns } from '../../../src/freshness/provider-turns.ts';
import { ManualClock, settled } from '../../support/manual-clock.ts';

function aQueue() {
  const clock = new ManualClock();
  const turns = new ProviderTurns(clock);
  const calls: PromiseWithResolvers<boolean>[] = [];
  /** A call that is answered when the test resolves it, with whether the provider was up. */
  const ask = () =>
    turns.take(async () => {
      const call = Promise.withResolvers<boolean>();
      calls.push(call);
      return { answered: await call.promise, result: 'made' };
    });
  const fail = async (count: number) => {
    for (let n = 0; n < count; n++) {
      const made = ask();
      await settled();
      calls.at(-1)!.resolve(false);
      await made;
    }
  };
  return { clock, turns, calls, ask, fail };
}

describe('the queue to the provider', () => {
  it('lets 64 calls go at once, and the others in their order as these come back', async () => {
    const { calls, ask } = aQueue();
    const order: number[] = [];
    const made = Array.from({ length: 100 }, (_, n) => ask().then(() => order.push(n)));
    await settled();
    assert.equal(calls.length, 64);
    for (let n = 0; n < 100; n++) {
      calls[n]!.resolve(true);
      await settled();
    }
    await Promise.all(made);
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    );
  });

  it('hands the turn on where a call throws', async () => {
    const { turns, calls, ask } = aQueue();
    for (let n = 0; n < 2; n++)
      await assert.rejects(
        turns.take(() => Promise.reject(new Error('broken'))),
        /broken/,
      );
    void ask();
    await settled();
    assert.equal(calls.length, 1);
  });
});

describe('a provider that failed three times in a row', () => {
  it('is left alone for five seconds; then one call tries, and its answer opens the queue for all', async () => {
    const { clock, turns, calls, ask, fail } = aQueue();
    await fail(2);
    assert.equal(turns.open(), true);
    await fail(1);
    assert.equal(turns.open(), false);
    assert.equal(await ask(), undefined);
    clock.advance(4_999);
    assert.equal(turns.open(), false);
    clock.advance(1);
    assert.equal(turns.open(), true);
    const trial = ask();
    await settled();
    assert.equal(turns.open(), false, 'one is enough');
    calls.at(-1)!.resolve(true);
    assert.equal(await trial, 'made');
    assert.equal(turns.open(), true);
  });

  it('is left alone longer each time a trial fails, up to thirty seconds', async () => {
    const { clock, turns, fail } = aQueue();
    await fail(3);
    const pauses: number[] = [];
    for (let n = 0; n < 5; n++) {
      let pauseMs = 0;
      for (; !turns.open(); pauseMs += 1_000) clock.advance(1_000);
      pauses.push(pauseMs);
      await fail(1);
    }
    assert.deepEqual(pauses, [5_000, 10_000, 20_000, 30_000, 30_000]);
  });

  it('is not left alone longer for the calls that were under way with the third', async () => {
    const { clock, turns, calls, ask } = aQueue();
    const made = Array.from({ length: 20 }, () => ask());
    await settled();
    for (const call of calls) call.resolve(false);
    await Promise.all(made);
    clock.advance(5_000);
    assert.equal(turns.open(), true);
  });

  it('is asked normally again after one answer between failures', async () => {
    const { turns, calls, ask, fail } = aQueue();
    await fail(2);
    const made = ask();
    await settled();
    calls.at(-1)!.resolve(true);
    await made;
    await fail(2);
    assert.equal(turns.open(), true);
  });

  it('lets those go without an answer that waited for a turn', async () => {
    const { calls, ask } = aQueue();
    const made = Array.from({ length: 200 }, () => ask());
    await settled();
    for (const call of calls.splice(0)) call.resolve(false);
    assert.equal((await Promise.all(made)).filter((result) => result === undefined).length, 136);
    assert.equal(calls.length, 0);
  });
});
