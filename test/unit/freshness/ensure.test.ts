// What a request is told (design: asking Keycloak whether a session lives; security catalogue SESS-09, SESS-10).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StoredSession } from '../../../src/session/session-record.ts';
import { FreshnessDesk, kinds, MINUTE, providerDown, refreshRefused, SECOND } from '../../support/freshness-desk.ts';
import { settled } from '../../support/manual-clock.ts';
import { aTokenSet } from '../../support/session-records.ts';

describe('a request', () => {
  it('of a session proven a moment ago goes ahead at once and asks nobody', () => {
    const desk = new FreshnessDesk();
    const session = desk.begin();
    assert.equal(desk.freshness.ensure(session), 'fresh');
    desk.clock.advance(3 * MINUTE);
    assert.equal(desk.freshness.ensure(session), 'fresh');
    assert.deepEqual(desk.asked, []);
  });

  it('of a session that nobody has announced is answered all the same', () => {
    const desk = new FreshnessDesk();
    const session = desk.signIn({ tokens: desk.tokens() });
    assert.equal(desk.freshness.ensure(session), 'fresh');
  });

  it('of a session that has ended is told so at once, whatever was known of it', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin();
    desk.freshness.ensure(session);
    await desk.ending.endSessions({ by: 'all' }, { reason: 'operator' });
    assert.equal(desk.freshness.ensure(session), 'ended');
    assert.deepEqual(desk.asked, []);
  });

  it('near the end of the access token goes ahead at once, with a refresh behind it', async () => {
    const desk = new FreshnessDesk({ revalidateMs: 60 * MINUTE, random: () => 0.999 });
    const session = desk.begin();
    desk.clock.advance(5 * MINUTE - 20 * SECOND);
    const old = session.record.tokens;
    assert.equal(desk.freshness.ensure(session), 'fresh');
    await settled();
    assert.deepEqual(kinds(desk.asked), ['refresh']);
    assert.notEqual(session.record.tokens, old);
    assert.equal(session.record.version, 2);
  });

  it('with an expired access token waits for the refresh', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin();
    const answer = Promise.withResolvers<void>();
    desk.onRefresh = async ({ claims }) => {
      await answer.promise;
      return { tokens: desk.tokens(), claims: { ...claims, roles: ['new'] } };
    };
    desk.freshness.forget(session);
    desk.clock.advance(5 * MINUTE);
    const outcome = desk.freshness.ensure(session);
    assert.ok(outcome instanceof Promise);
    answer.resolve();
    assert.equal(await outcome, 'fresh');
    assert.deepEqual(session.record.claims['roles'], ['new']);
    assert.equal(desk.freshness.ensure(session), 'fresh');
  });

  it('of a session whose proof is older than the bound waits for a probe, where the tokens are young enough', async () => {
    const desk = new FreshnessDesk({ revalidateMs: MINUTE });
    desk.lives.accessMs = 60 * MINUTE;
    desk.lives.refreshMs = undefined;
    const session = desk.begin({ createdAt: desk.store.now() });
    desk.freshness.forget(session);
    desk.clock.advance(MINUTE);
    const outcome = desk.freshness.ensure(session);
    assert.ok(outcome instanceof Promise);
    assert.equal(await outcome, 'fresh');
    assert.deepEqual(kinds(desk.asked), ['probe']);
    assert.equal(desk.freshness.ensure(session), 'fresh');
    assert.equal(session.record.provenAt, desk.store.now());
  });

  it('after a long time of an event stream only, kept true by probes, waits for new tokens', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin();
    desk.registry.connect(session, { streams: 1 });
    await desk.clock.pass(14 * MINUTE, SECOND);
    assert.equal(kinds(desk.asked).at(-1), 'probe');
    const asked = desk.asked.length;
    const outcome = desk.freshness.ensure(session);
    assert.ok(outcome instanceof Promise);
    assert.equal(await outcome, 'fresh');
    assert.deepEqual(kinds(desk.asked.slice(asked)), ['refresh']);
    assert.ok(session.record.tokens.accessExpiresAt > desk.clock.now());
  });

  it('is told that the session has ended where the refresh is refused, and the session ends everywhere', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin();
    const owner = desk.registry.connect(session, { websockets: 1 });
    desk.onRefresh = () => Promise.reject(refreshRefused());
    desk.clock.advance(5 * MINUTE);
    assert.equal(await desk.request(session), 'ended');
    assert.deepEqual([desk.isAlive(session), owner.stopped], [false, true]);
    desk.registry.finishClosing();
    await settled();
    assert.deepEqual(
      desk.ended().map(({ reason, notice_missed }) => [reason, notice_missed]),
      [['refresh_refused', true]],
    );
  });

  it('is told that the session has ended where the probe says so, and a notice is counted as missed', async () => {
    const desk = new FreshnessDesk({ revalidateMs: MINUTE });
    desk.lives.accessMs = 60 * MINUTE;
    desk.lives.refreshMs = undefined;
    const session = desk.begin();
    desk.onProbe = async () => 'ended';
    desk.clock.advance(MINUTE);
    assert.equal(await desk.request(session), 'ended');
    await settled();
    assert.deepEqual(
      desk.ended().map(({ reason, notice_missed }) => [reason, notice_missed]),
      [['revalidation', true]],
    );
  });
});

describe('requests at the same time', () => {
  it('50 of one session at its expiry cause exactly one refresh, and all go ahead with its result', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin();
    desk.freshness.forget(session);
    desk.clock.advance(5 * MINUTE + 1);
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => desk.request(session)));
    assert.deepEqual(new Set(outcomes), new Set(['fresh']));
    assert.deepEqual(kinds(desk.asked), ['refresh']);
    assert.deepEqual(desk.events.filter(({ event }) => event === 'session.refreshed').length, 1);
  });

  it('50 of one session whose refresh is refused are all told the end, which is one', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin();
    desk.onRefresh = () => Promise.reject(refreshRefused());
    desk.freshness.forget(session);
    desk.clock.advance(5 * MINUTE);
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => desk.request(session)));
    assert.deepEqual(new Set(outcomes), new Set(['ended']));
    await settled();
    assert.equal(desk.ended().length, 1);
  });

  it('at the old and at the new id of one session share the refresh', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin();
    desk.clock.advance(5 * MINUTE);
    const other = desk.store.find(session.record.id)!;
    await Promise.all([desk.request(session), desk.request(other)]);
    assert.deepEqual(kinds(desk.asked), ['refresh']);
  });
});

describe('a provider that is down', () => {
  it('ends nobody, is not asked for every request, and is asked again after a while', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin();
    desk.freshness.forget(session);
    desk.goDown();
    desk.clock.advance(5 * MINUTE);
    for (let n = 0; n < 20; n++) assert.equal(await desk.request(session), 'fresh');
    assert.equal(desk.freshness.ensure(session), 'fresh', 'nobody waits for it');
    assert.equal(desk.asked.length, 1);
    await desk.clock.pass(4 * SECOND, SECOND);
    assert.equal(desk.asked.length, 1);
    await desk.clock.pass(3 * SECOND, SECOND);
    assert.equal(desk.asked.length, 2);
    desk.onRefresh = async ({ claims }) => ({ tokens: desk.tokens(), claims });
    desk.onProbe = async () => 'alive';
    await desk.clock.pass(40 * SECOND, SECOND);
    assert.equal(kinds(desk.asked).at(-1), 'refresh');
    assert.equal(desk.freshness.ensure(session), 'fresh');
    assert.equal(desk.events.at(-1)?.event, 'session.refreshed');
  });

  it('ends nobody by an answer that is nonsense or an error that nobody foresaw', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin();
    desk.onRefresh = () => Promise.reject(new TypeError('undefined is not a function'));
    desk.clock.advance(5 * MINUTE);
    assert.equal(await desk.request(session), 'fresh');
    assert.equal(desk.isAlive(session), true);
    const [finished] = desk.events.filter((event) => event.event === 'refresh.finished');
    assert.deepEqual([finished?.outcome, finished?.code], ['unavailable', 'internal_error']);
  });

  it('does not save a session from the hard expiry: the end of its refresh token', async () => {
    const desk = new FreshnessDesk();
    desk.lives.refreshMs = 10 * MINUTE;
    const session = desk.begin();
    desk.goDown();
    await desk.clock.pass(10 * MINUTE - SECOND, SECOND);
    assert.equal(await desk.request(session), 'fresh');
    desk.clock.advance(SECOND);
    assert.equal(desk.freshness.ensure(session), 'ended');
    await settled();
    assert.deepEqual(
      desk.ended().map(({ reason }) => reason),
      ['refresh_refused'],
    );
  });

  it('does not save a session from the absolute timeout', async () => {
    const desk = new FreshnessDesk({ absoluteTimeoutMs: 8 * MINUTE });
    const session = desk.begin();
    desk.goDown();
    await desk.clock.pass(8 * MINUTE - 1, 10 * SECOND);
    assert.equal(await desk.request(session), 'fresh');
    desk.clock.advance(1);
    await settled();
    assert.deepEqual(
      desk.ended().map(({ reason }) => reason),
      ['absolute_timeout'],
    );
  });

  it('is asked by one session in turn, not by 10 000, while it is down, and by a few at a time when it is back', async () => {
    const desk = new FreshnessDesk({ maxSessions: 10_000 });
    const sessions = Array.from({ length: 10_000 }, () => desk.begin());
    for (const session of sessions) desk.freshness.forget(session);
    desk.goDown();
    desk.clock.advance(5 * MINUTE);
    const outcomes = await Promise.all(sessions.map((session) => desk.request(session)));
    assert.deepEqual(new Set(outcomes), new Set(['fresh']));
    assert.ok(desk.asked.length <= 64 + 3, `${desk.asked.length} calls`);
    const before = desk.asked.length;
    for (let second = 0; second < 60; second++) {
      await desk.clock.pass(SECOND);
      await Promise.all(sessions.slice(0, 200).map((session) => desk.request(session)));
    }
    assert.ok(desk.asked.length - before <= 10, `${desk.asked.length - before} calls in a minute`);
    desk.onRefresh = async ({ claims }) => {
      await settled();
      return { tokens: desk.tokens(), claims };
    };
    desk.onProbe = async () => 'alive';
    desk.mostInFlight = 0;
    await desk.clock.pass(40 * SECOND, SECOND);
    await Promise.all(sessions.map((session) => desk.request(session)));
    assert.ok(desk.mostInFlight <= 64, `${desk.mostInFlight} calls at once`);
    assert.deepEqual([...new Set(sessions.map((session) => desk.isAlive(session)))], [true]);
  });
});

describe('a provider that is slow', () => {
  it('holds a request for three seconds at most, and the ones after it not at all', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin();
    const answer = Promise.withResolvers<void>();
    desk.onRefresh = async ({ claims }) => {
      await answer.promise;
      return { tokens: desk.tokens(), claims };
    };
    desk.freshness.forget(session);
    desk.clock.advance(5 * MINUTE);
    let first: string | undefined;
    void desk.request(session).then((outcome) => {
      first = outcome;
    });
    await desk.clock.pass(2_900);
    assert.equal(first, undefined);
    let second: string | undefined;
    void desk.request(session).then((outcome) => {
      second = outcome;
    });
    await desk.clock.pass(100);
    assert.deepEqual([first, second], ['fresh', 'fresh'], 'both waited for the same call, since it began');
    assert.equal(desk.freshness.ensure(session), 'fresh');
    assert.equal(desk.asked.length, 1);
    answer.resolve();
    await settled();
    assert.equal(session.record.version, 2, 'the answer counts, however late');
  });

  it('leaves no timer behind for requests that waited', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin();
    const before = desk.clock.armed;
    desk.clock.advance(5 * MINUTE);
    await Promise.all([desk.request(session), desk.request(session)]);
    assert.equal(desk.clock.armed, before);
  });
});

describe('a refresh whose answer was lost', () => {
  async function afterALostAnswer(probe: 'introspect' | 'refresh') {
    const desk = new FreshnessDesk();
    const session = desk.begin({ probe });
    desk.onRefresh = () => Promise.reject(providerDown());
    desk.clock.advance(5 * MINUTE);
    assert.equal(await desk.request(session), 'fresh');
    desk.onRefresh = async ({ claims }) => ({ tokens: desk.tokens(), claims });
    desk.asked.length = 0;
    return { desk, session, old: session.record.tokens };
  }

  it('is repeated only after the provider has called the token still good', async () => {
    const { desk, session, old } = await afterALostAnswer('introspect');
    await desk.clock.pass(10 * SECOND, SECOND);
    assert.deepEqual(desk.asked, [`probe ${old.refreshToken}`, `refresh ${old.refreshToken}`]);
    assert.notEqual(session.record.tokens, old);
  });

  it('is never repeated where the provider calls the token used up: the session ends, its grant is let be', async () => {
    const { desk, session, old } = await afterALostAnswer('introspect');
    desk.onProbe = async () => 'ended';
    await desk.clock.pass(10 * SECOND, SECOND);
    assert.deepEqual(desk.asked, [`probe ${old.refreshToken}`]);
    assert.equal(desk.isAlive(session), false);
  });

  it('is not repeated while the provider cannot say whether the token is good', async () => {
    const { desk, old } = await afterALostAnswer('introspect');
    desk.onProbe = () => Promise.reject(providerDown());
    await desk.clock.pass(10 * SECOND, SECOND);
    assert.deepEqual(new Set(desk.asked), new Set([`probe ${old.refreshToken}`]));
  });

  it('is repeated once the provider can be asked again, where there is no probe', async () => {
    const { desk, session, old } = await afterALostAnswer('refresh');
    await desk.clock.pass(10 * SECOND, SECOND);
    assert.deepEqual(desk.asked, [`refresh ${old.refreshToken}`]);
    assert.notEqual(session.record.tokens, old);
  });

  it('does not make a new sign-in over the session be asked for first', async () => {
    const { desk, session } = await afterALostAnswer('introspect');
    desk.store.update(session, { ...session.record, tokens: desk.tokens(), provenAt: desk.store.now(), version: 2 });
    desk.clock.advance(5 * MINUTE);
    await desk.request(session);
    assert.deepEqual(kinds(desk.asked), ['refresh']);
  });
});

describe('a session without a refresh token', () => {
  it('lives as long as the provider vouched for it, and asks nobody', async () => {
    const desk = new FreshnessDesk({ revalidateMs: MINUTE });
    const tokens = aTokenSet({ refreshToken: undefined, accessExpiresAt: desk.clock.now() + 5 * MINUTE });
    const session = desk.begin({ tokens });
    await desk.clock.pass(5 * MINUTE - 1, SECOND);
    assert.equal(desk.freshness.ensure(session), 'fresh');
    desk.clock.advance(1);
    assert.equal(desk.freshness.ensure(session), 'ended');
    assert.deepEqual(desk.asked, []);
  });
});

describe('a session without a refresh token that its browser asks for', () => {
  const begin = (overdue: StoredSession[]) => {
    const desk = new FreshnessDesk({
      recheck: { afterMs: 10 * MINUTE },
      onOverdue: (session) => overdue.push(session),
    });
    const tokens = aTokenSet({ refreshToken: undefined, accessExpiresAt: desk.clock.now() + 5 * MINUTE });
    return { desk, session: desk.begin({ tokens }) };
  };

  it('lives on after its access token, as long as it is used, and asks nobody itself', async () => {
    const { desk, session } = begin([]);
    for (let i = 0; i < 5; i++) {
      assert.equal(await desk.request(session), 'fresh');
      await desk.clock.pass(20 * MINUTE, MINUTE);
    }
    await desk.clock.pass(10 * MINUTE, MINUTE);
    assert.equal(desk.isAlive(session), false);
    assert.deepEqual(desk.asked, []);
  });

  it('is told of at twice the time, and again as long as it is in use', async () => {
    const overdue: StoredSession[] = [];
    const { desk, session } = begin(overdue);
    desk.registry.connect(session, { websockets: 1 });
    desk.clock.advance(20 * MINUTE - 1);
    assert.deepEqual(overdue, []);
    desk.clock.advance(1);
    assert.deepEqual(overdue, [session]);
    desk.clock.advance(30 * SECOND);
    assert.equal(overdue.length, 3);
    // Nobody looks again for one that nobody uses, until somebody does.
    desk.registry.stop(session.record.handle);
    desk.clock.advance(15 * SECOND);
    const count = overdue.length;
    desk.clock.advance(5 * MINUTE);
    assert.equal(overdue.length, count);
    await desk.request(session);
    desk.clock.advance(15 * SECOND);
    assert.equal(overdue.length, count + 1);
  });

  it('is not told of where it was confirmed in time', async () => {
    const overdue: StoredSession[] = [];
    const { desk, session } = begin(overdue);
    desk.registry.connect(session, { websockets: 1 });
    desk.clock.advance(19 * MINUTE);
    desk.store.update(session, { ...session.record, provenAt: desk.store.now(), version: 2 });
    desk.store.touch(session);
    desk.freshness.watch(session);
    desk.clock.advance(20 * MINUTE - 1);
    assert.deepEqual(overdue, []);
    desk.clock.advance(1);
    assert.deepEqual(overdue, [session]);
  });
});

describe('a wall clock that jumps', () => {
  for (const jumpMs of [-60 * MINUTE, 60 * MINUTE]) {
    it(`by ${jumpMs / MINUTE} minutes moves neither the bound nor a deadline`, async () => {
      const desk = new FreshnessDesk();
      const session = desk.begin();
      desk.clock.advance(MINUTE);
      desk.clock.jumpWall(jumpMs);
      assert.equal(desk.freshness.ensure(session), 'fresh');
      assert.deepEqual(desk.asked, []);
      desk.clock.advance(4 * MINUTE);
      assert.equal(await desk.request(session), 'fresh');
      assert.deepEqual(kinds(desk.asked), ['refresh']);
      assert.equal(desk.freshness.ensure(session), 'fresh');
      assert.equal(desk.asked.length, 1);
    });
  }
});
