// Sessions that were read back from a file: nobody is let through before the provider has said that they live (design:
// decided cases, a restart of the memory store).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StoredSession } from '../../../src/session/session-record.ts';
import { FreshnessDesk, kinds, MINUTE, providerDown, refreshRefused, SECOND } from '../../support/freshness-desk.ts';
import { settled } from '../../support/manual-clock.ts';

function restored(desk: FreshnessDesk, overrides: Parameters<FreshnessDesk['begin']>[0] = {}): StoredSession {
  return desk.begin({ provenAt: 0, ...overrides });
}

describe('a session that was read back', () => {
  it('waits with its first request for the proof, and is like any other then', async () => {
    const desk = new FreshnessDesk();
    const session = restored(desk);
    const answer = Promise.withResolvers<'alive'>();
    desk.onProbe = () => answer.promise;
    const requests = [desk.request(session), desk.request(session)];
    await settled();
    assert.deepEqual(kinds(desk.asked), ['probe']);
    answer.resolve('alive');
    assert.deepEqual(await Promise.all(requests), ['fresh', 'fresh']);
    assert.equal(desk.freshness.ensure(session), 'fresh');
    assert.deepEqual(kinds(desk.asked), ['probe']);
  });

  it('is over where the provider says so, and that counts as no notice that was missed', async () => {
    const desk = new FreshnessDesk();
    const session = restored(desk);
    desk.onProbe = async () => 'ended';
    assert.equal(await desk.request(session), 'ended');
    await settled();
    desk.registry.finishClosing();
    await settled();
    assert.deepEqual(
      desk.ended().map(({ reason, notice_missed }) => [reason, notice_missed]),
      [['revalidation', false]],
    );
  });

  it('lets nobody through while the provider says nothing, is not over for that, and asks again', async () => {
    const desk = new FreshnessDesk();
    const session = restored(desk);
    desk.onProbe = async () => Promise.reject(providerDown());
    const unproven = { code: 'session_unproven', status: 503 };
    await assert.rejects(desk.request(session), unproven);
    // The pause between two tries.
    await assert.rejects(desk.request(session), unproven);
    assert.deepEqual([kinds(desk.asked), session.ended], [['probe'], false]);
    desk.onProbe = async () => 'alive';
    desk.clock.advance(7 * SECOND);
    await settled();
    assert.equal(await desk.request(session), 'fresh');
  });

  it('lets nobody through whom the provider keeps waiting', async () => {
    const desk = new FreshnessDesk();
    const session = restored(desk);
    desk.onProbe = () => new Promise(() => {});
    const request = desk.request(session);
    await settled();
    desk.clock.advance(4 * SECOND);
    await assert.rejects(request, { code: 'session_unproven' });
  });

  it('is asked for with a probe first, though its tokens are due: they may have been used up; then refreshed', async () => {
    const desk = new FreshnessDesk();
    const session = restored(desk);
    desk.clock.advance(6 * MINUTE);
    assert.equal(await desk.request(session), 'fresh');
    desk.clock.advance(2 * SECOND);
    assert.equal(await desk.request(session), 'fresh');
    assert.deepEqual(kinds(desk.asked), ['probe', 'refresh']);
  });

  it('that only a refresh proves is refreshed, and over where that is refused', async () => {
    const desk = new FreshnessDesk();
    const [one, other] = [restored(desk, { probe: 'refresh' }), restored(desk, { probe: 'refresh' })];
    assert.equal(await desk.request(one), 'fresh');
    desk.onRefresh = async () => Promise.reject(refreshRefused());
    assert.equal(await desk.request(other), 'ended');
    assert.deepEqual(kinds(desk.asked), ['refresh', 'refresh']);
  });

  it('is asked for by nobody before its user comes, and ends by its own deadlines meanwhile', async () => {
    const desk = new FreshnessDesk();
    const sessions = Array.from({ length: 3 }, () => restored(desk));
    desk.clock.advance(29 * MINUTE);
    await settled();
    assert.deepEqual(desk.asked, []);
    desk.clock.advance(2 * MINUTE);
    await settled();
    assert.deepEqual(
      sessions.map(({ ended }) => ended),
      [true, true, true],
    );
  });
});
