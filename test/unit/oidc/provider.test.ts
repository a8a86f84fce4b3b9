// How often the provider is looked for, and what is said about it meanwhile.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ManualClock, settled } from '../../support/manual-clock.ts';
import { newSigningKey } from '../../support/signing-key.ts';
import { testProvider } from '../../support/test-provider.ts';

const issuer = 'https://sso.example.com/realms/acme';
const { publicJwk } = newSigningKey('RS256');

function setUp() {
  const clock = new ManualClock();
  const asked: number[] = [];
  const state = { up: true, issuer, hold: Promise.resolve() };
  const fetch = (async (input: string) => {
    const { pathname } = new URL(input);
    if (pathname.endsWith('/certs')) return Response.json({ keys: [publicJwk] });
    asked.push(clock.monotonicMs());
    await state.hold;
    if (!state.up)
      throw Object.assign(new TypeError('fetch failed'), {
        cause: Object.assign(new Error('x'), { code: 'ENOTFOUND' }),
      });
    const at = (path: string) => `${issuer}/protocol/openid-connect/${path}`;
    return Response.json({
      issuer: state.issuer,
      authorization_endpoint: at('auth'),
      token_endpoint: at('token'),
      jwks_uri: at('certs'),
    });
  }) as typeof globalThis.fetch;
  const { provider, events } = testProvider({ issuer, fetch }, { clock, timers: clock });
  const pass = async (ms: number) => {
    await flushed();
    clock.advance(ms);
    await flushed();
  };
  return { clock, asked, state, provider, events, pass };
}

/** Response bodies need a few turns more than promises. */
async function flushed(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await settled();
}

describe('a provider', () => {
  test('that is there is ready after one look, and looked at again every hour', async () => {
    const { asked, provider, events, pass } = setUp();
    assert.deepEqual(provider.readiness(), { ready: false, why: 'the provider has not been asked yet' });
    provider.start();
    await pass(3_599_000);
    assert.deepEqual(provider.readiness(), { ready: true });
    assert.deepEqual(asked, [0]);
    await pass(1_000);
    assert.equal(asked.length, 2);
    assert.deepEqual(
      events.map(({ event }) => event),
      ['keys.fetched', 'provider.ready'],
    );
  });

  test('that is down is looked for at growing distances, never more than 30 s, for ever', async () => {
    const { asked, state, provider, pass } = setUp();
    state.up = false;
    provider.start();
    for (let second = 0; second < 4 * 300; second++) await pass(250);
    const gaps = asked.slice(1).map((time, at) => time - asked[at]!);
    for (const [at, gap] of gaps.entries()) {
      const longest = Math.min(1_000 * 2 ** at, 30_000);
      assert.ok(gap >= longest / 2 && gap <= longest + 250, `gap ${at}: ${gap}`);
    }
    assert.ok(gaps.length >= 12, `${gaps.length}`);
    assert.ok(new Set(gaps.slice(-6)).size > 1, 'no two replicas in step');
  });

  test('that is down is told once with why, and once when it is back', async () => {
    const { state, provider, events, pass } = setUp();
    state.up = false;
    provider.start();
    for (let second = 0; second < 120; second++) await pass(1_000);
    const why = `discovery (${issuer}/.well-known/openid-configuration) cannot be reached: ENOTFOUND`;
    assert.deepEqual(events, [{ event: 'provider.unavailable', issuer, why }]);
    assert.deepEqual(provider.readiness(), { ready: false, why });
    state.issuer = 'https://evil.example';
    state.up = true;
    for (let second = 0; second < 31; second++) await pass(1_000);
    assert.equal(events.length, 2, 'another reason is told');
    state.issuer = issuer;
    for (let second = 0; second < 31; second++) await pass(1_000);
    assert.deepEqual(events.at(-1), { event: 'provider.ready', issuer });
    assert.deepEqual(provider.readiness(), { ready: true });
  });

  test('that changes its issuer later is told, and what was discovered stays', async () => {
    const { state, provider, events, pass } = setUp();
    provider.start();
    await pass(0);
    state.issuer = 'https://evil.example';
    await pass(3_600_000);
    assert.equal(events.at(-1)?.event, 'provider.unavailable');
    assert.deepEqual(provider.readiness(), { ready: true });
    assert.equal(provider.discovered()?.serverMetadata().issuer, issuer);
    state.issuer = issuer;
    for (let second = 0; second < 3; second++) await pass(1_000);
    assert.equal(events.at(-1)?.event, 'provider.ready');
  });

  test('that is stopped leaves no timer and says nothing more', async () => {
    const { clock, asked, state, provider, events, pass } = setUp();
    state.up = false;
    provider.start();
    await pass(0);
    provider.stop();
    assert.equal(clock.armed, 0);
    const told = events.length;
    await pass(3_600_000);
    assert.equal(events.length, told);
    assert.equal(asked.length, 1);
  });

  test('that is stopped during its look leaves no timer either', async () => {
    const { clock, provider, events, pass } = setUp();
    provider.start();
    provider.stop();
    await pass(0);
    assert.equal(clock.armed, 0);
    assert.ok(!events.some(({ event }) => event === 'provider.ready'));
  });
});

describe('reaching for a provider', () => {
  test('asks it again, and what it says of itself now counts from now on', async () => {
    const { asked, provider, pass } = setUp();
    provider.start();
    await pass(10_000);
    const before = provider.discovered();
    const reached = provider.reach(600);
    await pass(0);
    assert.notEqual(await reached, before);
    assert.equal(provider.discovered(), await reached);
    assert.deepEqual(asked, [0, 10_000]);
  });

  test('is one call however many do, and believes an answer of a moment ago', async () => {
    const { asked, provider, pass } = setUp();
    const all = Array.from({ length: 100 }, () => provider.reach(600));
    await pass(0);
    assert.equal(new Set(await Promise.all(all)).size, 1);
    await pass(199);
    assert.ok(await provider.reach(600));
    assert.deepEqual(asked, [0]);
    await pass(1);
    await provider.reach(600);
    assert.deepEqual(asked, [0, 200]);
  });

  test('finds nobody where nobody answers in time, and the late answer still counts', async () => {
    const { state, provider, pass } = setUp();
    const hold = Promise.withResolvers<void>();
    state.hold = hold.promise;
    const reached = provider.reach(600);
    await pass(600);
    assert.equal(await reached, undefined);
    hold.resolve();
    await pass(0);
    assert.ok(await provider.reach(600));
  });

  test('finds nobody where the provider is down, although it was there before, and asks once a second', async () => {
    const { asked, state, provider, pass } = setUp();
    provider.start();
    await pass(10_000);
    state.up = false;
    for (let time = 0; time < 20; time++) {
      const reached = provider.reach(600);
      await pass(100);
      assert.equal(await reached, undefined);
    }
    assert.deepEqual(asked, [0, 10_000, 11_000]);
    assert.ok(provider.discovered(), 'what was discovered stays for everybody else');
  });

  test('makes a gate ready that was not', async () => {
    const { state, provider, pass } = setUp();
    state.up = false;
    provider.start();
    for (let second = 0; second < 20; second++) await pass(1_000);
    state.up = true;
    void provider.reach(600);
    await pass(0);
    assert.deepEqual(provider.readiness(), { ready: true });
  });

  test('leaves no timer behind', async () => {
    const { clock, provider, pass } = setUp();
    const reached = provider.reach(600);
    await pass(0);
    await reached;
    provider.stop();
    await pass(0);
    assert.equal(clock.armed, 0);
  });
});
