// Sessions under suspicion (design: a logout token with sid and sub; a login on a sid that ended a moment ago).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FreshnessDesk, kinds, MINUTE, SECOND } from '../../support/freshness-desk.ts';
import { settled } from '../../support/manual-clock.ts';
import { ISSUER } from '../../support/session-records.ts';

describe('the other sessions of a user whose notice named one sid', () => {
  it('are proven 5 and 30 s later, in use or not, by a probe that keeps nothing alive', async () => {
    const desk = new FreshnessDesk();
    const [mine, alsoMine, other] = [desk.begin({ sub: 'ada' }), desk.begin({ sub: 'ada' }), desk.begin()];
    const foreign = desk.begin({ sub: 'ada', issuer: `${ISSUER}-other` });
    desk.freshness.suspectSiblings(ISSUER, 'ada');
    await desk.clock.pass(5 * SECOND - 1);
    assert.deepEqual(desk.asked, [], 'not at once: the provider may still be about to end them');
    await desk.clock.pass(1);
    const probes = [mine, alsoMine].map(({ record }) => `probe ${record.tokens.refreshToken}`);
    assert.deepEqual(desk.asked, probes);
    await desk.clock.pass(25 * SECOND - 1, SECOND);
    assert.equal(desk.asked.length, 2);
    await desk.clock.pass(1);
    assert.deepEqual(desk.asked, [...probes, ...probes]);
    await desk.clock.pass(2 * MINUTE, SECOND);
    assert.equal(desk.asked.length, 4);
    assert.deepEqual([other.record.version, foreign.record.version], [1, 1]);
  });

  it('are probed although their user is active and a refresh would be due soon: it would prolong what is being ended', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin({ sub: 'ada' });
    await desk.clock.pass(3 * MINUTE, SECOND);
    desk.freshness.active(session);
    desk.freshness.suspectSiblings(ISSUER, 'ada');
    await desk.clock.pass(5 * SECOND);
    assert.deepEqual(kinds(desk.asked), ['probe']);
  });

  it('end where the provider has ended them, and count as missed notices', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin({ sub: 'ada' });
    const owner = desk.registry.connect(session, { websockets: 1 });
    desk.onProbe = async () => 'ended';
    desk.freshness.suspectSiblings(ISSUER, 'ada');
    await desk.clock.pass(5 * SECOND);
    assert.equal(owner.stopped, true);
    desk.registry.finishClosing();
    await settled();
    assert.deepEqual(
      desk.ended().map(({ reason, notice_missed }) => [reason, notice_missed]),
      [['revalidation', true]],
    );
  });

  it('are asked for again where the provider did not answer, until it does', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin({ sub: 'ada' });
    desk.goDown();
    desk.freshness.suspectSiblings(ISSUER, 'ada');
    await desk.clock.pass(20 * SECOND, SECOND);
    const asked = desk.asked.length;
    assert.ok(asked >= 2 && asked <= 5, `${asked} probes in 15 s`);
    desk.onProbe = async () => 'ended';
    await desk.clock.pass(9 * SECOND, SECOND);
    assert.equal(desk.isAlive(session), false);
  });

  it('are asked for again where a proof was under way already: its answer may be older than the doubt', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin({ sub: 'ada' });
    await desk.clock.pass(4 * MINUTE);
    const answer = Promise.withResolvers<void>();
    desk.onRefresh = async ({ claims }) => {
      await answer.promise;
      return { tokens: desk.tokens(), claims };
    };
    desk.freshness.suspectSiblings(ISSUER, 'ada');
    await desk.clock.pass(5 * SECOND - 1, SECOND);
    desk.registry.connect(session, { streams: 1 });
    assert.deepEqual(desk.asked, []);
    desk.clock.advance(4 * MINUTE);
    await settled();
    answer.resolve();
    await desk.clock.pass(SECOND, 100);
    assert.equal(kinds(desk.asked).at(-1), 'probe');
  });

  it('that have ended by then are let be', async () => {
    const desk = new FreshnessDesk();
    desk.begin({ sub: 'ada' });
    desk.freshness.suspectSiblings(ISSUER, 'ada');
    await desk.ending.endSessions({ by: 'all' }, { reason: 'operator' });
    await desk.clock.pass(MINUTE, SECOND);
    assert.deepEqual([desk.asked, desk.clock.armed], [[], 0]);
  });
});

describe('a session on a sid that ended a moment before', () => {
  it('is proven 5, 30 and 120 s after its sign-in', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin();
    desk.freshness.suspect(session);
    const times: number[] = [];
    for (let second = 1; second <= 180; second++) {
      const before = desk.asked.length;
      await desk.clock.pass(SECOND);
      if (desk.asked.length > before) times.push(second);
    }
    assert.deepEqual(times, [5, 30, 120]);
    assert.deepEqual(new Set(kinds(desk.asked)), new Set(['probe']));
  });

  it('is doubted no more once the gate stops', async () => {
    const desk = new FreshnessDesk();
    desk.freshness.suspect(desk.begin());
    desk.freshness.stop();
    await desk.clock.pass(3 * MINUTE, SECOND);
    assert.deepEqual(desk.asked, []);
  });
});
