// The memory of accepted notices: for a while, and not for more of them than fit.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { RecentNotices } from '../../../src/logout/recent-notices.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { ISSUER } from '../../support/session-records.ts';

const aNotice = (jti: string) => ({ issuer: ISSUER, sid: 'one', issuedAtSeconds: 1, jti });

it('a notice is remembered longer than any logout token is accepted, and then forgotten', () => {
  const clock = new ManualClock();
  const recent = new RecentNotices(clock);
  recent.add(aNotice('a'));
  clock.advance(10 * 60_000);
  assert.equal(recent.has(aNotice('a')), true);
  assert.equal(recent.has({ ...aNotice('a'), issuer: `${ISSUER}-2` }), false);
  clock.advance(5 * 60_000);
  assert.equal(recent.has(aNotice('a')), false);
});

it('a flood of notices pushes the oldest out, and nothing grows without bound', () => {
  const clock = new ManualClock();
  const recent = new RecentNotices(clock);
  for (let n = 0; n <= 100_000; n++) recent.add(aNotice(String(n)));
  assert.deepEqual([recent.has(aNotice('0')), recent.has(aNotice('1'))], [false, true]);
  assert.equal(recent.size, 100_000);
  clock.advance(15 * 60_000);
  recent.add(aNotice('later'));
  assert.equal(recent.size, 1);
});
