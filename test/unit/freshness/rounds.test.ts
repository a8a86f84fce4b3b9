// What happens to sessions without a request (design: never only a hint; decided cases: activity, idle, last seen).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StoredSession } from '../../../src/session/session-record.ts';
import { FreshnessDesk, kinds, MINUTE, refreshRefused, SECOND } from '../../support/freshness-desk.ts';
import { settled } from '../../support/manual-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';

/** An event stream or a socket that nobody uses. */
function quietStream(desk: FreshnessDesk, session: StoredSession) {
  return desk.registry.connect(session, { streams: 1 });
}

describe('deadlines', () => {
  it('end an idle session, live connections included, at the instant and not before', async () => {
    const desk = new FreshnessDesk();
    desk.lives.refreshMs = 600 * MINUTE;
    const session = desk.begin();
    const owner = quietStream(desk, session);
    await desk.clock.pass(30 * MINUTE - 1, 10 * SECOND);
    assert.deepEqual([desk.isAlive(session), owner.stopped], [true, false]);
    desk.clock.advance(1);
    assert.deepEqual([desk.isAlive(session), owner.stopped], [false, true]);
    desk.registry.finishClosing();
    await settled();
    assert.deepEqual(
      desk.ended().map(({ reason, streams }) => [reason, streams]),
      [['idle_timeout', 1]],
    );
  });

  it('move with the activity of a socket that sends no requests', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin();
    quietStream(desk, session);
    for (let n = 0; n < 40; n++) {
      desk.freshness.active(session);
      await desk.clock.pass(2 * MINUTE, 10 * SECOND);
    }
    assert.equal(desk.isAlive(session), true);
    await desk.clock.pass(28 * MINUTE - 1, 10 * SECOND);
    assert.equal(desk.isAlive(session), true);
    desk.clock.advance(1);
    assert.equal(desk.isAlive(session), false);
  });

  it('are found by a request that comes before the timer does', () => {
    const desk = new FreshnessDesk();
    desk.lives = { accessMs: 600 * MINUTE, refreshMs: undefined };
    const session = desk.begin();
    desk.freshness.forget(session);
    desk.clock.advance(30 * MINUTE);
    assert.equal(desk.freshness.ensure(session), 'ended');
    assert.equal(desk.isAlive(session), false);
  });

  it('end a session at the absolute timeout however active it is', async () => {
    const desk = new FreshnessDesk({ absoluteTimeoutMs: 60 * MINUTE });
    const session = desk.begin();
    for (let minute = 0; minute < 59; minute++) {
      assert.equal(await desk.request(session), 'fresh');
      await desk.clock.pass(MINUTE, 10 * SECOND);
    }
    desk.clock.advance(MINUTE - 1);
    assert.equal(desk.isAlive(session), true);
    desk.clock.advance(1);
    await settled();
    assert.deepEqual(
      desk.ended().map(({ reason }) => reason),
      ['absolute_timeout'],
    );
  });

  it('begin anew with a sign-in over the session', async () => {
    const desk = new FreshnessDesk({ absoluteTimeoutMs: 60 * MINUTE, idleTimeoutMs: 60 * MINUTE });
    desk.lives.refreshMs = 600 * MINUTE;
    const session = desk.begin();
    desk.clock.advance(30 * MINUTE);
    const now = desk.store.now();
    desk.store.update(session, {
      ...session.record,
      createdAt: now,
      provenAt: now,
      version: session.record.version + 1,
    });
    desk.store.touch(session);
    desk.freshness.watch(session);
    await desk.clock.pass(59 * MINUTE, MINUTE);
    assert.equal(desk.isAlive(session), true);
    await desk.clock.pass(MINUTE, MINUTE);
    assert.equal(desk.isAlive(session), false);
  });

  it('ask the store before a session ends as idle, and go by what other replicas have seen', async () => {
    const desk = new FreshnessDesk();
    desk.lives.refreshMs = 600 * MINUTE;
    const session = desk.begin();
    let asked = 0;
    const seenElsewhere = desk.store.now() + 20 * MINUTE;
    desk.store.lastSeenAt = (held) => {
      asked++;
      if (held.lastSeenAt < seenElsewhere) Object.assign(held, { lastSeenAt: seenElsewhere });
      return held.lastSeenAt;
    };
    await desk.clock.pass(50 * MINUTE - 1, 10 * SECOND);
    assert.deepEqual([desk.isAlive(session), asked], [true, 1]);
    desk.clock.advance(1);
    assert.deepEqual([desk.isAlive(session), asked], [false, 2]);
  });

  it('are tried again where the store failed', async () => {
    const desk = new FreshnessDesk();
    desk.lives.refreshMs = 600 * MINUTE;
    const session = desk.begin();
    const { end } = desk.store;
    desk.store.end = () => {
      throw new Error('store down');
    };
    await desk.clock.pass(31 * MINUTE, 10 * SECOND);
    assert.equal(desk.isAlive(session), true);
    assert.ok(desk.events.some((event) => event.event === 'store.failed'));
    desk.store.end = end;
    await desk.clock.pass(5 * SECOND);
    assert.equal(desk.isAlive(session), false);
  });

  it('leave no timer behind, whoever ended the session', async () => {
    const desk = new FreshnessDesk({ maxSessions: 2 });
    const [first] = [desk.begin(), desk.begin(), desk.begin()];
    assert.equal(first.ended, true, 'evicted');
    await desk.ending.endSessions({ by: 'all' }, { reason: 'operator' });
    await settled();
    assert.equal(desk.clock.armed, 0);
  });

  it('cost one timer per session, which is set a few times between two proofs, however many requests it makes', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin();
    let set = 0;
    const { after } = desk.clock;
    desk.clock.after = (delayMs, callback) => {
      set++;
      return after.call(desk.clock, delayMs, callback);
    };
    for (let n = 0; n < 200; n++) {
      await desk.request(session);
      await desk.clock.pass(7 * SECOND);
    }
    assert.equal(desk.clock.armed, 1);
    assert.ok(set <= 4 * desk.asked.length, `${set} timers for ${desk.asked.length} proofs`);
  });

  it('stop with the gate', () => {
    const desk = new FreshnessDesk();
    const session = desk.begin();
    desk.freshness.stop();
    assert.equal(desk.clock.armed, 0);
    desk.clock.advance(60 * MINUTE);
    assert.equal(desk.isAlive(session), true);
  });
});

describe('a session in use', () => {
  it('is proven again in time: by a probe, while only an event stream is open that nobody uses', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin();
    quietStream(desk, session);
    await desk.clock.pass(5 * MINUTE, SECOND);
    assert.deepEqual(kinds(desk.asked), ['refresh'], 'the sign-in itself was activity');
    await desk.clock.pass(20 * MINUTE, SECOND);
    assert.deepEqual(new Set(kinds(desk.asked.slice(1))), new Set(['probe']));
    assert.ok(desk.asked.length >= 5);
  });

  it("with a stream that nobody uses ends where its refresh token does: idle time is the provider's to judge", async () => {
    const desk = new FreshnessDesk({ idleTimeoutMs: 600 * MINUTE });
    const session = desk.begin();
    quietStream(desk, session);
    await desk.clock.pass(40 * MINUTE, 10 * SECOND);
    assert.equal(desk.isAlive(session), false);
    assert.equal(kinds(desk.asked).filter((kind) => kind === 'refresh').length, 1);
  });

  it('is refreshed ahead of need while its user is active', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin();
    for (let n = 0; n < 60; n++) {
      assert.equal(desk.freshness.ensure(session), 'fresh', 'no request ever waits');
      desk.freshness.active(session);
      await desk.clock.pass(30 * SECOND, 10 * SECOND);
    }
    assert.deepEqual(new Set(kinds(desk.asked)), new Set(['refresh']));
    assert.ok(desk.asked.length >= 6 && desk.asked.length <= 9, `${desk.asked.length} refreshes in 30 minutes`);
  });

  it('is refreshed for the frames of its socket, which are activity too', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin();
    quietStream(desk, session);
    for (let n = 0; n < 120; n++) {
      desk.freshness.active(session);
      await desk.clock.pass(30 * SECOND, 10 * SECOND);
    }
    assert.equal(desk.isAlive(session), true);
    assert.deepEqual(new Set(kinds(desk.asked)), new Set(['refresh']));
  });

  it('is always refreshed where no probe proved right at sign-in', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin({ probe: 'refresh' });
    quietStream(desk, session);
    await desk.clock.pass(25 * MINUTE, 10 * SECOND);
    assert.deepEqual(new Set(kinds(desk.asked)), new Set(['refresh']));
    assert.equal(desk.isAlive(session), true);
  });

  it('ends within the bound, streams included, when the provider ended it and told nobody', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin();
    const owner = quietStream(desk, session);
    await desk.clock.pass(12 * MINUTE, SECOND);
    const provenAt = session.record.provenAt;
    desk.onProbe = async () => 'ended';
    desk.onRefresh = () => Promise.reject(refreshRefused());
    await desk.clock.pass(provenAt + 5 * MINUTE - desk.store.now(), SECOND);
    assert.deepEqual([desk.isAlive(session), owner.stopped], [false, true]);
    desk.registry.finishClosing();
    await settled();
    assert.deepEqual(
      desk.ended().map(({ reason, notice_missed }) => [reason, notice_missed]),
      [['revalidation', true]],
    );
  });

  it("goes by the access token's lifetime where that is shorter than the bound", async () => {
    const desk = new FreshnessDesk();
    desk.lives.accessMs = 60 * SECOND;
    const session = desk.begin();
    quietStream(desk, session);
    await desk.clock.pass(10 * MINUTE, SECOND);
    assert.ok(desk.asked.length >= 10, `${desk.asked.length} proofs in ten minutes`);
  });

  it('is not asked for more than once a second, however short its tokens live', async () => {
    const desk = new FreshnessDesk();
    desk.lives.accessMs = 1;
    const session = desk.begin();
    for (let n = 0; n < 300; n++) {
      await desk.request(session);
      await desk.clock.pass(100);
    }
    assert.ok(desk.asked.length <= 45, `${desk.asked.length} proofs in 30 seconds`);
  });

  it('keeps an active user signed in where access tokens outlive the SSO idle time', async () => {
    const desk = new FreshnessDesk();
    desk.lives = { accessMs: 60 * MINUTE, refreshMs: 30 * MINUTE };
    const session = desk.begin();
    for (let n = 0; n < 180; n++) {
      assert.equal(await desk.request(session), 'fresh');
      await desk.clock.pass(MINUTE, 10 * SECOND);
    }
    assert.ok(kinds(desk.asked).includes('probe') && kinds(desk.asked).includes('refresh'));
  });

  it('is refreshed too where the provider does not say how long its refresh tokens live', async () => {
    const desk = new FreshnessDesk();
    desk.lives.refreshMs = undefined;
    const session = desk.begin();
    for (let n = 0; n < 60; n++) {
      assert.equal(desk.freshness.ensure(session), 'fresh', 'no request ever waits');
      desk.freshness.active(session);
      await desk.clock.pass(30 * SECOND, 10 * SECOND);
    }
    assert.deepEqual(new Set(kinds(desk.asked)), new Set(['refresh']));
  });

  describe('that becomes one after its proof was due, with the provider down at its only request', () => {
    /** A session nobody used when its proof was due at seven minutes; `minutes` later. */
    async function dormant(minutes: number) {
      const desk = new FreshnessDesk({ random: () => 0 });
      const session = desk.begin();
      await desk.clock.pass(7 * MINUTE + minutes * MINUTE, SECOND);
      assert.deepEqual(kinds(desk.asked), ['refresh']);
      assert.ok(session.record.provenAt < desk.store.now() - 3.5 * MINUTE);
      return { desk, session };
    }

    async function endsWhenTheProviderIsBack(desk: FreshnessDesk, session: StoredSession): Promise<void> {
      quietStream(desk, session);
      await desk.clock.pass(2 * SECOND);
      desk.onProbe = async () => 'ended';
      desk.onRefresh = () => Promise.reject(refreshRefused());
      await desk.clock.pass(10 * SECOND, SECOND);
      assert.equal(desk.isAlive(session), false);
    }

    it('is proven again when it is back, where the request did not have to wait', async () => {
      const { desk, session } = await dormant(1);
      desk.goDown();
      assert.equal(desk.freshness.ensure(session), 'fresh');
      desk.freshness.active(session);
      await endsWhenTheProviderIsBack(desk, session);
    });

    it('is proven again when it is back, where the request waited', async () => {
      const { desk, session } = await dormant(2);
      desk.goDown();
      assert.equal(await desk.request(session), 'fresh');
      await endsWhenTheProviderIsBack(desk, session);
    });

    it('is proven again when it is back, where nobody was asked because others had failed', async () => {
      const { desk, session } = await dormant(2);
      desk.goDown();
      for (let n = 0; n < 3; n++) {
        const other = desk.begin({ provenAt: 1 });
        assert.equal(await desk.request(other), 'fresh');
        await desk.ending.endSessions({ by: 'handle', handle: other.record.handle }, { reason: 'operator' });
      }
      const asked = desk.asked.length;
      assert.equal(desk.freshness.ensure(session), 'fresh');
      assert.equal(desk.asked.length, asked);
      await endsWhenTheProviderIsBack(desk, session);
    });
  });
});

describe('a session that nobody uses', () => {
  it('is not asked for', async () => {
    const desk = new FreshnessDesk();
    desk.begin();
    await desk.clock.pass(29 * MINUTE, 10 * SECOND);
    assert.equal(desk.asked.length, 1, 'once, for the activity of the sign-in');
  });
});

describe('the schedule', () => {
  it('spreads the sessions of one moment between 70 and 95 % of the bound', async () => {
    const desk = new FreshnessDesk({ random: seededRandom(7) });
    for (let n = 0; n < 500; n++) desk.begin();
    const perSlice: number[] = [];
    for (let from = 0; from < 300; from += 15) {
      const before = desk.asked.length;
      await desk.clock.pass(15 * SECOND, SECOND);
      perSlice.push(desk.asked.length - before);
    }
    assert.equal(
      perSlice.slice(0, 14).reduce((sum, n) => sum + n),
      0,
    );
    assert.equal(
      perSlice.slice(14, 19).reduce((sum, n) => sum + n),
      500,
    );
    assert.ok(Math.max(...perSlice) < 150, String(perSlice));
  });

  it('keeps few calls under way, and a request of a session that waits in it overtakes', async () => {
    const desk = new FreshnessDesk();
    const sessions = Array.from({ length: 100 }, () => desk.begin());
    const answers = Promise.withResolvers<void>();
    desk.onRefresh = async ({ claims }) => {
      await answers.promise;
      return { tokens: desk.tokens(), claims };
    };
    await desk.clock.pass(5 * MINUTE, SECOND);
    assert.equal(desk.inFlight, 16);
    const last = sessions.at(-1)!;
    const outcome = desk.freshness.ensure(last);
    await settled();
    assert.equal(desk.inFlight, 17);
    answers.resolve();
    assert.equal(await outcome, 'fresh');
    await settled();
    assert.equal(desk.asked.length, 100, 'and nobody is asked for twice');
    assert.equal(desk.mostInFlight, 17);
  });

  it('goes on after a provider was down', async () => {
    const desk = new FreshnessDesk();
    const sessions = Array.from({ length: 40 }, () => desk.begin());
    for (const session of sessions) quietStream(desk, session);
    desk.goDown();
    await desk.clock.pass(10 * MINUTE, SECOND);
    assert.ok(desk.asked.length < 100, `${desk.asked.length} calls to a dead provider in six minutes`);
    desk.onProbe = async () => 'alive';
    desk.onRefresh = async ({ claims }) => ({ tokens: desk.tokens(), claims });
    const downUntil = desk.store.now();
    await desk.clock.pass(MINUTE, SECOND);
    for (const { record } of sessions) assert.ok(record.provenAt > downUntil, 'every session in use is proven again');
  });
});
