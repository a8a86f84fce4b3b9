// The memory of accepted notices: for a while, and not for more of them than fit.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { RecentNotices } from '../../../src/logout/recent-notices.ts';
import { ManualClock } from '../../support/manual-clock.ts';

it('a notice is remembered longer than any logout token is accepted, and then forgotten', () => {
  const clock = new ManualClock();
  const recent = new RecentNotices(clock);
  recent.add('a');
  clock.advance(80 * 60_000 - 1);
  assert.deepEqual([recent.has('a'), recent.has('b')], [true, false]);
  clock.advance(1);
  assert.equal(recent.has('a'), false);
});

it('a flood of notices pushes the oldest out, and nothing grows without bound', () => {
  const clock = new ManualClock();
  const recent = new RecentNotices(clock);
  for (let n = 0; n <= 100_000; n++) recent.add(String(n));
  assert.deepEqual([recent.has('0'), recent.has('1')], [false, true]);
  assert.equal(recent.size, 100_000);
  clock.advance(80 * 60_000);
  recent.add('later');
  assert.equal(recent.size, 1);
});
