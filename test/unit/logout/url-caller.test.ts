// Calls for the sake of a logout: bounded in attempts, in time and in number.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UrlCaller } from '../../../src/logout/url-caller.ts';
import { ManualClock, settled } from '../../support/manual-clock.ts';

type Verdict = number | 'fails' | 'hangs';

/** A caller whose other side answers as the test says; `seen` holds what it was asked. */
function setUp(verdict: (attempt: number) => Verdict) {
  const clock = new ManualClock();
  const seen: { url: string; init: RequestInit; atMs: number }[] = [];
  const hanging: ((status: number) => void)[] = [];
  let most = 0;
  let underWay = 0;
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    seen.push({ url, init, atMs: clock.monotonicMs() });
    most = Math.max(most, ++underWay);
    try {
      const what = verdict(seen.length);
      if (what === 'fails') throw new Error('connect ECONNREFUSED');
      const status = what === 'hangs' ? await hang(init.signal as AbortSignal) : what;
      return new Response(null, { status });
    } finally {
      underWay -= 1;
    }
  };
  const hang = (signal: AbortSignal): Promise<number> =>
    new Promise((resolve, reject) => {
      hanging.push(resolve);
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  const caller = new UrlCaller({ fetch: fetch as typeof globalThis.fetch, clock, timers: clock });
  return { clock, caller, seen, hanging, most: () => most };
}

const CALL = { url: 'http://app/logout', method: 'GET' } as const;

describe('a call for the sake of a logout', () => {
  for (const status of [200, 204, 302, 303]) {
    it(`is done when the other side answers ${status}`, async () => {
      const { caller, seen } = setUp(() => status);
      assert.equal(await caller.call(CALL), 'answered');
      assert.equal(seen.length, 1);
    });
  }

  it('carries the method, the headers and the form that it was given', async () => {
    const { caller, seen } = setUp(() => 200);
    await caller.call({ url: 'http://app/bye', method: 'POST', headers: { Cookie: 'a=1' }, form: { sub: 'a&b' } });
    const [{ url, init }] = seen as [(typeof seen)[0]];
    assert.deepEqual([url, init.method, init.headers], ['http://app/bye', 'POST', { Cookie: 'a=1' }]);
    assert.equal(String(init.body), 'sub=a%26b');
  });

  it('comes again after a failure, later each time, and is done with the first answer', async () => {
    const { clock, caller, seen } = setUp((attempt) => (attempt < 3 ? (attempt === 1 ? 'fails' : 503) : 200));
    const outcome = caller.call(CALL);
    await clock.pass(7_000, 500);
    assert.equal(await outcome, 'answered');
    const pauses = seen.slice(1).map(({ atMs }, at) => atMs - seen[at]!.atMs);
    assert.ok(pauses[0]! >= 500 && pauses[0]! <= 1_000, `${pauses}`);
    assert.ok(pauses[1]! >= 2_500 && pauses[1]! <= 5_000, `${pauses}`);
  });

  it('is given up after four attempts, with the last reason', async () => {
    const { clock, caller, seen } = setUp((attempt) => (attempt < 4 ? 'fails' : 502));
    const outcome = caller.call(CALL);
    await clock.pass(30_000, 500);
    assert.deepEqual(await outcome, { gaveUp: 'it answered 502', attempts: 4 });
    await clock.pass(120_000, 10_000);
    assert.equal(seen.length, 4);
  });

  it('is given up at once where asking again cannot help', async () => {
    for (const status of [400, 401, 404, 405]) {
      const { caller, seen } = setUp(() => status);
      assert.deepEqual(await caller.call(CALL), { gaveUp: `it answered ${status}`, attempts: 1 });
      assert.equal(seen.length, 1);
    }
  });

  it('waits for its turn behind eight others, and those who pause hold nobody up', async () => {
    const { clock, caller, seen, hanging, most } = setUp((attempt) => (attempt <= 8 ? 'hangs' : 200));
    const outcomes = Array.from({ length: 12 }, () => caller.call(CALL));
    await settled();
    assert.equal(seen.length, 8);
    for (const answer of hanging) answer(503);
    await settled();
    assert.equal(seen.length, 12, 'the eight pause, and the four had their turn');
    assert.equal(most(), 8);
    await clock.pass(1_000);
    assert.deepEqual(new Set(await Promise.all(outcomes)), new Set(['answered']));
  });

  it('is given up unasked when its turn comes after a minute', async () => {
    const { clock, caller, seen, hanging } = setUp(() => 'hangs');
    for (let n = 0; n < 8; n++) void caller.call(CALL);
    const late = caller.call(CALL);
    await settled();
    await clock.pass(60_001);
    hanging[0]!(200);
    assert.deepEqual(await late, { gaveUp: 'its turn came too late', attempts: 0 });
    assert.equal(seen.length, 8);
  });

  it('is refused where ten thousand wait already', async () => {
    const { caller } = setUp(() => 'hangs');
    for (let n = 0; n < 10_000; n++) void caller.call(CALL);
    assert.deepEqual(await caller.call(CALL), { gaveUp: '10000 calls are waiting already', attempts: 0 });
  });
});

describe('a gate that stops', () => {
  it('waits for no second attempt', async () => {
    const { caller } = setUp(() => 503);
    const outcome = caller.call(CALL);
    await settled();
    await caller.stop();
    assert.deepEqual(await outcome, { gaveUp: 'it answered 503', attempts: 1 });
  });

  it('lets a call that is under way finish, for two seconds', async () => {
    const { clock, caller, hanging } = setUp(() => 'hangs');
    const [first, second] = [caller.call(CALL), caller.call(CALL)];
    await settled();
    const stopped = caller.stop();
    await clock.pass(1_000);
    hanging[0]!(200);
    assert.equal(await first, 'answered');
    await clock.pass(1_000);
    assert.equal(((await second) as { attempts: number }).attempts, 1);
    await stopped;
  });

  it('waits for nothing where nothing is under way', async () => {
    const { caller } = setUp(() => 200);
    await caller.call(CALL);
    await caller.stop();
  });
});
