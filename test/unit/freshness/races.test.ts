// Forced interleavings of a proof that is under way with everything else (design: a notice while we wait for Keycloak).
// No test waits for time: what has to be in between is held by a promise and let go by the test.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newSessionHandle, newSessionId } from '../../../src/base/ids.ts';
import { createAdmitSignIn } from '../../../src/logout/admit-sign-in.ts';
import { createReceiveNotice } from '../../../src/logout/receive-notice.ts';
import type { StoredSession } from '../../../src/session/session-record.ts';
import type { EndSelector } from '../../../src/session/session-store.ts';
import { FreshnessDesk, kinds, MINUTE, refreshRefused } from '../../support/freshness-desk.ts';
import { settled } from '../../support/manual-clock.ts';
import { ISSUER } from '../../support/session-records.ts';

/** A desk with one session whose refresh has been sent, and is answered when the test says so. */
async function withARefreshUnderWay(options: { maxSessions?: number } = {}) {
  const desk = new FreshnessDesk(options);
  const session = desk.begin({ sub: 'ada', sid: 'one' });
  const answer = Promise.withResolvers<'tokens' | 'refused'>();
  desk.onRefresh = async ({ claims }) => {
    if ((await answer.promise) === 'refused') throw refreshRefused();
    return { tokens: desk.tokens(), claims };
  };
  desk.freshness.forget(session);
  desk.clock.advance(5 * MINUTE);
  const outcome = Promise.resolve(desk.request(session));
  await settled();
  assert.deepEqual(kinds(desk.asked), ['refresh']);
  return { desk, session, answer, outcome };
}

const notice = (desk: FreshnessDesk, says: { sid?: string; sub?: string }) =>
  createReceiveNotice({
    verifyLogoutToken: async () => ({ issuer: ISSUER, jti: 'jti', issuedAtSeconds: 0, ...says }),
    verifyAdminAction: () => Promise.reject(new Error('not sent here')),
    endSessions: desk.ending.endSessions,
    clock: desk.clock,
    emit: (event) => desk.events.push(event),
  })({
    kind: 'backchannel',
    contentType: 'application/x-www-form-urlencoded',
    body: Buffer.from('logout_token=x'),
  });

function ends(session: StoredSession): EndSelector[] {
  const { handle, issuer, sub, user } = session.record;
  return [
    { by: 'handle', handle },
    { by: 'sid', issuer, sid: 'one' },
    { by: 'sub', issuer, sub },
    { by: 'user', user },
    { by: 'all' },
  ];
}

describe('an end during a refresh', () => {
  for (const [index, { by }] of ends({ record: {} } as StoredSession).entries()) {
    it(`by ${by} does not wait for it, and its answer brings nothing back`, async () => {
      const { desk, session, answer, outcome } = await withARefreshUnderWay();
      const owner = desk.registry.connect(session, { websockets: 1 });
      const { tokens, id } = session.record;
      const ended = desk.ending.endSessions(ends(session)[index]!, { reason: 'operator' });
      assert.ok(!(ended instanceof Promise), 'it is done at once');
      assert.deepEqual([session.ended, owner.stopped], [true, true]);
      answer.resolve('tokens');
      assert.equal(await outcome, 'ended');
      assert.equal(session.record.tokens, tokens, 'the new tokens are forgotten');
      assert.equal(desk.store.find(id), undefined);
      assert.equal(desk.store.size(), 0);
      desk.registry.finishClosing();
      await settled();
      assert.equal(desk.ended().length, 1);
      assert.equal(desk.clock.armed, 0);
    });
  }

  it('is the same where the refresh is refused: one end, with the reason of the first', async () => {
    const { desk, answer, outcome } = await withARefreshUnderWay();
    assert.equal((await notice(desk, { sid: 'one' })).status, 200);
    answer.resolve('refused');
    assert.equal(await outcome, 'ended');
    await settled();
    assert.deepEqual(
      desk.ended().map(({ reason }) => reason),
      ['backchannel_logout'],
    );
  });

  it('by a notice that the provider sends because of the refresh, before it answers it, holds up neither', async () => {
    const { desk, session, answer, outcome } = await withARefreshUnderWay();
    const received = await notice(desk, { sid: 'one', sub: 'ada' });
    assert.equal(received.status, 200, 'answered while the refresh is still waiting for its answer');
    answer.resolve('tokens');
    assert.equal(await outcome, 'ended');
    assert.equal(session.ended, true);
  });

  it('lets the user sign in again on the same sid at once, and the old answer does not touch the new session', async () => {
    const { desk, session, answer, outcome } = await withARefreshUnderWay();
    await notice(desk, { sid: 'one' });
    const again = desk.begin({ sub: 'ada', sid: 'one' });
    const { tokens } = again.record;
    answer.resolve('refused');
    assert.equal(await outcome, 'ended');
    await settled();
    assert.deepEqual([session.ended, again.ended], [true, false]);
    assert.equal(again.record.tokens, tokens);
  });

  it('by eviction is an end like any other', async () => {
    const { desk, session, answer, outcome } = await withARefreshUnderWay({ maxSessions: 1 });
    const other = desk.begin();
    assert.equal(session.ended, true);
    answer.resolve('tokens');
    assert.equal(await outcome, 'ended');
    assert.deepEqual([desk.isAlive(session), desk.isAlive(other), desk.store.size()], [false, true, 1]);
  });

  it('that waits for its turn at the provider keeps it from being asked at all', async () => {
    const desk = new FreshnessDesk();
    const sessions = Array.from({ length: 65 }, () => desk.begin());
    for (const session of sessions) desk.freshness.forget(session);
    const answer = Promise.withResolvers<void>();
    desk.onRefresh = async ({ claims }) => {
      await answer.promise;
      return { tokens: desk.tokens(), claims };
    };
    desk.clock.advance(5 * MINUTE);
    const outcomes = sessions.map((session) => desk.request(session));
    const last = sessions.at(-1)!;
    void desk.ending.endSessions({ by: 'handle', handle: last.record.handle }, { reason: 'operator' });
    answer.resolve();
    assert.equal((await Promise.all(outcomes)).at(-1), 'ended');
    assert.equal(desk.asked.length, 64);
  });

  it('by its own deadline is an end like any other', async () => {
    const { desk, session, answer } = await withARefreshUnderWay();
    desk.freshness.watch(session);
    desk.clock.advance(30 * MINUTE);
    assert.equal(session.ended, true);
    answer.resolve('tokens');
    await settled();
    assert.deepEqual([desk.store.size(), desk.clock.armed], [0, 0]);
  });
});

describe('an end after a refresh', () => {
  it('ends the session with its new tokens', async () => {
    const { desk, session, answer, outcome } = await withARefreshUnderWay();
    answer.resolve('tokens');
    assert.equal(await outcome, 'fresh');
    assert.equal((await notice(desk, { sid: 'one' })).status, 200);
    assert.equal(desk.isAlive(session), false);
  });

  it('in the very moment between its answer and its store loses nothing', async () => {
    const { desk, session, answer, outcome } = await withARefreshUnderWay();
    const { update } = desk.store;
    desk.store.update = (held, next) => {
      desk.store.update = update;
      void desk.ending.endSessions({ by: 'sid', issuer: ISSUER, sid: 'one' }, { reason: 'backchannel_logout' });
      return update.call(desk.store, held, next);
    };
    answer.resolve('tokens');
    assert.equal(await outcome, 'ended');
    assert.deepEqual([desk.isAlive(session), desk.store.size()], [false, 0]);
  });
});

describe('a sign-in over the session during a refresh', () => {
  async function signInOver(desk: FreshnessDesk, current: StoredSession) {
    const admit = createAdmitSignIn({
      store: desk.store,
      endSessions: desk.ending.endSessions,
      clientId: 'wiki-gate',
      watch: desk.freshness.watch.bind(desk.freshness),
    });
    const tokens = desk.tokens();
    const signedIn = { issuer: ISSUER, sub: 'ada', sid: 'one', claims: {}, tokens, probe: 'introspect' as const };
    const admitted = await admit({
      signedIn: { ...signedIn, idTokenIssuedAtSeconds: Math.floor(desk.clock.now() / 1000) },
      beganAt: desk.store.now(),
      id: newSessionId(),
      handle: newSessionHandle(),
      current,
      cookieHost: undefined,
      refusedAcr: undefined,
      address: '192.0.2.1',
      userAgent: 'test',
    });
    assert.equal(admitted, current);
    return tokens;
  }

  it('keeps its own tokens when the answer comes', async () => {
    const { desk, session, answer, outcome } = await withARefreshUnderWay();
    const tokens = await signInOver(desk, session);
    answer.resolve('tokens');
    assert.equal(await outcome, 'fresh');
    assert.equal(session.record.tokens, tokens);
  });

  it('is not ended because the old tokens are refused', async () => {
    const { desk, session, answer, outcome } = await withARefreshUnderWay();
    await signInOver(desk, session);
    answer.resolve('refused');
    assert.equal(await outcome, 'fresh');
    assert.equal(desk.isAlive(session), true);
  });

  it('is not ended because a probe of the old tokens says that they are over', async () => {
    const desk = new FreshnessDesk({ revalidateMs: MINUTE });
    desk.lives = { accessMs: 60 * MINUTE, refreshMs: undefined };
    const session = desk.begin({ sub: 'ada', sid: 'one' });
    const answer = Promise.withResolvers<'ended'>();
    desk.onProbe = () => answer.promise;
    desk.clock.advance(MINUTE);
    const outcome = desk.request(session);
    await signInOver(desk, session);
    answer.resolve('ended');
    assert.equal(await outcome, 'fresh');
    assert.equal(desk.isAlive(session), true);
  });
});

describe('a change of the record during a refresh', () => {
  it('that leaves the tokens as they are does not lose the new ones: a rotated token is never dropped', async () => {
    const { desk, session, answer, outcome } = await withARefreshUnderWay();
    desk.store.update(session, { ...session.record, user: 'renamed', version: session.record.version + 1 });
    const { tokens } = session.record;
    answer.resolve('tokens');
    assert.equal(await outcome, 'fresh');
    assert.notEqual(session.record.tokens, tokens);
    assert.equal(session.record.version, 3);
  });

  it('by activity is no change of the record', async () => {
    const { desk, session, answer, outcome } = await withARefreshUnderWay();
    desk.freshness.active(session);
    answer.resolve('tokens');
    assert.equal(await outcome, 'fresh');
    assert.equal(session.record.version, 2);
  });
});

describe('new claims', () => {
  it('are told of once they are stored, and not where the session had ended by then', async () => {
    const renewed: StoredSession[] = [];
    const onRenewed = (session: StoredSession) => {
      assert.equal(desk.store.find(session.record.id)?.record.version, 2);
      renewed.push(session);
    };
    const desk = new FreshnessDesk({ onRenewed });
    const [session, ended] = [desk.begin(), desk.begin()];
    desk.onRefresh = async ({ tokens, claims }) => {
      if (tokens === ended.record.tokens)
        await desk.ending.endSessions({ by: 'sid', issuer: ISSUER, sid: ended.record.sid! }, { reason: 'operator' });
      return { tokens: desk.tokens(), claims };
    };
    desk.clock.advance(5 * MINUTE);
    assert.deepEqual(await Promise.all([desk.request(session), desk.request(ended)]), ['fresh', 'ended']);
    assert.deepEqual(renewed, [session]);
  });
});

describe('a request that goes away', () => {
  it('leaves the refresh that it began to the next one', async () => {
    const { desk, session, answer } = await withARefreshUnderWay();
    // Nobody looks at the first outcome any more; the session's own proof goes on.
    const next = desk.request(session);
    answer.resolve('tokens');
    assert.equal(await next, 'fresh');
    assert.deepEqual(kinds(desk.asked), ['refresh']);
    assert.equal(session.record.version, 2);
  });
});

describe('a store that fails while an answer is being stored', () => {
  it('ends nobody, and the session is proven again later', async () => {
    const { desk, session, answer, outcome } = await withARefreshUnderWay();
    const { update } = desk.store;
    desk.store.update = () => {
      throw new Error('store down');
    };
    answer.resolve('tokens');
    assert.equal(await outcome, 'fresh');
    assert.ok(desk.events.some((event) => event.event === 'store.failed'));
    desk.store.update = update;
    await desk.clock.pass(10_000, 1_000);
    assert.equal(desk.isAlive(session), true);
    assert.equal(session.record.provenAt > desk.store.now() - 10_000, true);
  });
});
