// The bounds of what is remembered of ends; what tombstones refuse is in the contract of the stores.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Tombstones } from '../../../src/session/tombstones.ts';
import { aRecord, ISSUER } from '../../support/session-records.ts';

it('tombstones go when the longest session could have ended, a few with each new one', () => {
  const tombstones = new Tombstones({ lifetimeMs: 1_000 });
  for (let n = 0; n < 100; n++) tombstones.add({ by: 'handle', handle: `s_${n}` }, n, 0);
  assert.equal(tombstones.size, 100);
  tombstones.add({ by: 'handle', handle: 'late' }, 10_000, 0);
  assert.equal(tombstones.size, 93, 'one end does not pay for all that went before');
  for (let n = 1; n < 20; n++) tombstones.add({ by: 'handle', handle: `late_${n}` }, 10_000, 0);
  assert.equal(tombstones.size, 20);
});

it('a tombstone that is renewed lives on from then', () => {
  const tombstones = new Tombstones({ lifetimeMs: 1_000 });
  const selector = { by: 'sub', issuer: ISSUER, sub: 'ada' } as const;
  tombstones.add(selector, 0, 0);
  tombstones.add({ by: 'handle', handle: 's_1' }, 500, 0);
  tombstones.add(selector, 900, 0);
  tombstones.add({ by: 'handle', handle: 's_2' }, 1_800, 0);
  assert.equal(tombstones.refuses(aRecord(900, { sub: 'ada' })), true);
  assert.equal(tombstones.refuses(aRecord(901, { sub: 'ada' })), false);
});

it('names that would read the same when joined are kept apart', () => {
  const tombstones = new Tombstones({ lifetimeMs: 1_000 });
  tombstones.add({ by: 'sid', issuer: 'https://a","b', sid: 'c' }, 10, 0);
  assert.equal(tombstones.refuses(aRecord(5, { issuer: 'https://a', sid: 'b","c' })), false);
});

it('a tombstone that is renewed does not keep older ones from going', () => {
  const tombstones = new Tombstones({ lifetimeMs: 1_000 });
  const selector = { by: 'sub', issuer: ISSUER, sub: 'ada' } as const;
  tombstones.add(selector, 0, 0);
  tombstones.add({ by: 'handle', handle: 's_1' }, 1, 0);
  tombstones.add(selector, 900, 0);
  tombstones.add({ by: 'handle', handle: 's_2' }, 1_500, 0);
  assert.equal(tombstones.size, 2);
});

it('a not-before says nothing new where one as late is known, or where it is older than the longest session', () => {
  const tombstones = new Tombstones({ lifetimeMs: 10_000 });
  const notBefore = (seconds: number) =>
    ({ by: 'sub_tokens', issuer: ISSUER, sub: 'ada', issuedBeforeSeconds: seconds }) as const;
  const now = 100_000;
  assert.equal(tombstones.covers(notBefore(95), now), false);
  tombstones.add(notBefore(95), now, 95);
  assert.deepEqual(
    [94, 95, 96].map((seconds) => tombstones.covers(notBefore(seconds), now)),
    [true, true, false],
  );
  assert.equal(tombstones.covers({ ...notBefore(95), sub: 'grace' }, now), false);
  assert.equal(tombstones.covers({ ...notBefore(89), sub: 'grace' }, now), true);
  assert.equal(tombstones.covers({ by: 'sub', issuer: ISSUER, sub: 'ada' }, now), false);
});
