// The not-before that comes with a refresh, and one that is pushed while a refresh is under way (design: triggers; a notice
// while we wait for Keycloak).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StoredSession } from '../../../src/session/session-record.ts';
import { FreshnessDesk, MINUTE } from '../../support/freshness-desk.ts';
import { settled } from '../../support/manual-clock.ts';
import { ISSUER } from '../../support/session-records.ts';

/** When the tokens of the next refresh are issued, and what the provider says beside them. */
function answerRefreshes(desk: FreshnessDesk, issuedAtSeconds: number, notBeforeSeconds?: number): void {
  desk.onRefresh = async ({ claims }) => ({
    tokens: { ...desk.tokens(), issuedAtSeconds },
    claims,
    ...(notBeforeSeconds !== undefined && { notBeforeSeconds }),
  });
}

/** Time passes in which nobody looks at these sessions: their next request asks for new tokens. */
function sleep(desk: FreshnessDesk, ...sessions: StoredSession[]): void {
  for (const session of sessions) desk.freshness.forget(session);
  desk.clock.advance(5 * MINUTE);
}

async function refresh(desk: FreshnessDesk, session: StoredSession): Promise<'fresh' | 'ended'> {
  const outcome = await desk.request(session);
  await settled();
  return outcome;
}

function reasons(desk: FreshnessDesk): string[] {
  return desk.ended().map(({ reason }) => reason);
}

describe('a refresh whose answer carries a not-before', () => {
  it("lives on its new tokens, and ends the user's other sessions with older ones, and nobody else's", async () => {
    const desk = new FreshnessDesk();
    const [session, older] = [desk.begin({ sub: 'ada' }), desk.begin({ sub: 'ada' })];
    const other = desk.begin({ sub: 'grace' });
    sleep(desk, session, older, other);
    const second = Math.floor(desk.clock.now() / 1000);
    answerRefreshes(desk, second, second);
    assert.equal(await refresh(desk, session), 'fresh');
    assert.deepEqual([session.ended, older.ended, other.ended], [false, true, false]);
    assert.deepEqual(reasons(desk), ['not_before']);
  });

  it('of a time before all of them ends nobody', async () => {
    const desk = new FreshnessDesk();
    const [session, older] = [desk.begin({ sub: 'ada' }), desk.begin({ sub: 'ada' })];
    const second = Math.floor(desk.clock.now() / 1000);
    sleep(desk, session, older);
    answerRefreshes(desk, second + 300, second);
    assert.equal(await refresh(desk, session), 'fresh');
    assert.deepEqual([session.ended, older.ended], [false, false]);
  });

  it('that is later than its own tokens ends it', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin({ sub: 'ada' });
    sleep(desk, session);
    const second = Math.floor(desk.clock.now() / 1000);
    answerRefreshes(desk, second, second + 1);
    assert.equal(await refresh(desk, session), 'ended');
    assert.deepEqual(reasons(desk), ['not_before']);
    assert.ok(!desk.events.some(({ event }) => event === 'session.refreshed'));
  });
});

describe('a not-before pushed during a refresh', () => {
  it('that spares the tokens at hand ends the session when the refresh comes back with older ones', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin({ sub: 'ada' });
    sleep(desk, session);
    const { issuedAtSeconds } = session.record.tokens;
    const answer = Promise.withResolvers<void>();
    answerRefreshes(desk, issuedAtSeconds - 1);
    const { onRefresh } = desk;
    desk.onRefresh = async (asked) => {
      await answer.promise;
      return onRefresh(asked);
    };
    const outcome = refresh(desk, session);
    await settled();
    const client = { issuer: ISSUER, clientId: session.record.clientId };
    await desk.ending.endSessions(
      { by: 'client_tokens', ...client, issuedBeforeSeconds: issuedAtSeconds },
      { reason: 'not_before', notice: 'k_push_not_before' },
    );
    assert.equal(session.ended, false);
    answer.resolve();
    assert.equal(await outcome, 'ended');
    assert.equal(desk.store.size(), 0);
  });

  it('that voids the tokens at hand ends the session at once, and newer tokens do not bring it back', async () => {
    const desk = new FreshnessDesk();
    const session = desk.begin({ sub: 'ada' });
    sleep(desk, session);
    const second = Math.floor(desk.clock.now() / 1000);
    const answer = Promise.withResolvers<void>();
    answerRefreshes(desk, second + 10);
    const { onRefresh } = desk;
    desk.onRefresh = async (asked) => {
      await answer.promise;
      return onRefresh(asked);
    };
    const outcome = refresh(desk, session);
    await settled();
    const client = { issuer: ISSUER, clientId: session.record.clientId };
    const selector = { by: 'client_tokens', ...client, issuedBeforeSeconds: second } as const;
    assert.equal((await desk.ending.endSessions(selector, { reason: 'not_before' })).count, 1);
    answer.resolve();
    assert.equal(await outcome, 'ended');
    assert.equal(desk.store.size(), 0);
    assert.deepEqual(reasons(desk), ['not_before']);
  });
});
