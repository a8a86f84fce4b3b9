// When keys are fetched: the times that real sockets cannot show without waiting.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GateEvent } from '../../../src/base/events.ts';
import { parseCompactJws } from '../../../src/oidc/compact-jws.ts';
import { KeySet } from '../../../src/oidc/key-set.ts';
import { ManualClock, settled } from '../../support/manual-clock.ts';
import { newSigningKey, type SigningKey, signJws } from '../../support/signing-key.ts';
import { outcome } from '../../support/test-provider.ts';

const key = newSigningKey('RS256', 'key-1');
const rotated = newSigningKey('RS256', 'key-2');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function setUp() {
  const clock = new ManualClock();
  const events: GateEvent[] = [];
  const asked: number[] = [];
  const published: { keys: SigningKey[] | 'down' } = { keys: [key] };
  const keySet = new KeySet({
    locate: async () => 'https://sso.example.com/jwks',
    fetch: async (_url, init) => {
      asked.push(clock.monotonicMs());
      // Shorter than any other call's: Keycloak waits 5 s for the answer that waits for this.
      assert.equal(init?.signal?.aborted, false, 'a deadline of its own');
      if (published.keys === 'down') throw new TypeError('fetch failed');
      return Response.json({ keys: published.keys.map(({ publicJwk }) => publicJwk) });
    },
    clock,
    timers: clock,
    emit: (event) => events.push(event),
  });
  return { clock, events, asked, published, keySet };
}

const tokenOf = (signer: SigningKey, kid: string | undefined = signer.kid) =>
  parseCompactJws(signJws({ alg: 'RS256', kid }, { a: 1 }, signer), {
    maxBytes: 10_000,
    refuse: (why) => assert.fail(why),
  });

/** The verdict, once every wait it needs has been let pass. */
async function waited(clock: ManualClock, verdict: Promise<unknown>): Promise<unknown> {
  let result: { value: unknown } | undefined;
  const done = outcomeOf(verdict).then((value) => {
    result = { value };
  });
  for (let turn = 0; turn < 50 && !result; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (!result && clock.armed > 0) clock.advance(1_000);
  }
  await done;
  return result?.value;
}

const outcomeOf = (call: Promise<unknown>) => call.catch((error: { code?: string }) => error.code);

describe('keys are fetched', () => {
  test('when the first token needs them, and not again for the next', async () => {
    const { clock, asked, keySet } = setUp();
    assert.equal(keySet.known, false);
    assert.equal(await waited(clock, keySet.verify(tokenOf(key))), 'valid');
    assert.equal(await waited(clock, keySet.verify(tokenOf(key))), 'valid');
    assert.equal(asked.length, 1);
    assert.deepEqual([keySet.known, keySet.hasKeyFor('RS256'), keySet.hasKeyFor('ES256')], [true, true, false]);
  });

  test('once for all who ask at the same time', async () => {
    const { clock, asked, keySet } = setUp();
    const verdicts = Array.from({ length: 100 }, () => keySet.verify(tokenOf(key)));
    assert.deepEqual(new Set(await Promise.all(verdicts)), new Set(['valid']));
    assert.equal(asked.length, 1);
    assert.equal(clock.armed, 0);
  });

  test('at once for an unknown kid, when the last fetch is a second old', async () => {
    const { clock, asked, published, keySet } = setUp();
    await keySet.verify(tokenOf(key));
    clock.advance(1_000);
    published.keys = [key, rotated];
    assert.equal(await keySet.verify(tokenOf(rotated)), 'valid');
    assert.deepEqual(asked, [0, 1_000]);
  });

  test('a second after the last fetch for an unknown kid that comes sooner', async () => {
    const { clock, asked, published, keySet } = setUp();
    await keySet.verify(tokenOf(key));
    clock.advance(400);
    published.keys = [key, rotated];
    const verdict = keySet.verify(tokenOf(rotated));
    await settled();
    assert.equal(asked.length, 1);
    clock.advance(599);
    await settled();
    assert.equal(asked.length, 1);
    clock.advance(1);
    assert.equal(await verdict, 'valid');
    assert.deepEqual(asked, [0, 1_000]);
  });

  test('never more than once a second, whatever comes', async () => {
    const { clock, asked, keySet } = setUp();
    await keySet.verify(tokenOf(key));
    const flood: Promise<unknown>[] = [];
    for (let step = 0; step < 40; step++) {
      flood.push(outcomeOf(keySet.verify(tokenOf(rotated, `forged ${step}`))));
      await new Promise((resolve) => setTimeout(resolve, 1));
      clock.advance(250);
    }
    await waited(clock, Promise.all(flood));
    assert.ok(asked.length >= 9 && asked.length <= 12, `${asked.length}`);
    for (const [at, time] of asked.entries()) if (at > 0) assert.ok(time - asked[at - 1]! >= 1_000);
    assert.equal(clock.armed, 0);
  });

  test('not again for an unknown kid, when they were fetched for this very token', async () => {
    const { clock, asked, keySet } = setUp();
    assert.equal(await keySet.verify(tokenOf(rotated)), 'unknown_key');
    assert.equal(asked.length, 1);
    assert.equal(clock.armed, 0);
  });

  test('not for a bad signature under a known kid', async () => {
    const { clock, asked, keySet } = setUp();
    await keySet.verify(tokenOf(key));
    clock.advance(5_000);
    assert.equal(await keySet.verify(tokenOf(rotated, 'key-1')), 'invalid');
    assert.equal(asked.length, 1);
  });

  test('in the background when they are ten minutes old: nobody waits, and a withdrawn key stops being good', async () => {
    const { clock, asked, published, keySet } = setUp();
    await keySet.verify(tokenOf(key));
    published.keys = [rotated];
    clock.advance(10 * MINUTE);
    assert.equal(await keySet.verify(tokenOf(key)), 'valid');
    assert.equal(asked.length, 1);
    clock.advance(1);
    assert.equal(await keySet.verify(tokenOf(key)), 'valid');
    await settled();
    assert.equal(asked.length, 2);
    clock.advance(1_000);
    assert.equal(await keySet.verify(tokenOf(key)), 'unknown_key');
  });

  test('at most every 30 s in the background while the provider is down', async () => {
    const { clock, asked, published, keySet } = setUp();
    await keySet.verify(tokenOf(key));
    published.keys = 'down';
    clock.advance(11 * MINUTE);
    for (let step = 0; step < 60; step++) {
      assert.equal(await keySet.verify(tokenOf(key)), 'valid');
      await settled();
      clock.advance(1_000);
    }
    assert.ok(asked.length >= 2 && asked.length <= 4, `${asked.length}`);
  });
});

describe('with the provider down, keys at hand are good', () => {
  test('for 24 hours and no longer', async () => {
    const { clock, published, keySet } = setUp();
    await keySet.verify(tokenOf(key));
    published.keys = 'down';
    clock.advance(24 * HOUR);
    assert.equal(await keySet.verify(tokenOf(key)), 'valid');
    await settled();
    clock.advance(2_000);
    assert.equal((await outcome(keySet.verify(tokenOf(key)))).code, 'provider_unavailable');
    published.keys = [key];
    clock.advance(2_000);
    assert.equal(await keySet.verify(tokenOf(key)), 'valid');
  });
});

test('a fetch tells its outcome, and why it failed', async () => {
  const { clock, events, published, keySet } = setUp();
  published.keys = 'down';
  assert.equal((await outcome(keySet.refetch())).code, 'provider_unavailable');
  published.keys = [key];
  clock.advance(1_000);
  await keySet.refetch();
  assert.deepEqual(events, [
    {
      event: 'keys.fetched',
      outcome: 'failed',
      why: 'the key set (https://sso.example.com/jwks): the request failed',
    },
    { event: 'keys.fetched', outcome: 'fetched', why: undefined },
  ]);
});

test('stopping ends a wait at once, leaves no timer, and no later wait begins', async () => {
  const { clock, asked, keySet } = setUp();
  await keySet.verify(tokenOf(key));
  clock.advance(100);
  const waiting = outcome(keySet.verify(tokenOf(rotated)));
  await settled();
  assert.equal(clock.armed, 1);
  keySet.stop();
  assert.equal(clock.armed, 0);
  assert.equal((await waiting).code, 'provider_unavailable');
  assert.equal((await outcome(keySet.verify(tokenOf(rotated)))).code, 'provider_unavailable');
  assert.equal(clock.armed, 0);
  assert.equal(asked.length, 1);
});
