// The provider's part of an end: in the background, bounded, and only what the cause calls for.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createEndAtProvider } from '../../../src/logout/end-at-provider.ts';
import type { Ended } from '../../../src/logout/end-sessions.ts';
import type { StoredSession } from '../../../src/session/session-record.ts';
import { settled } from '../../support/manual-clock.ts';
import { SessionDesk } from '../../support/session-desk.ts';
import { aTokenSet } from '../../support/session-records.ts';

/** The value of a call that must not have been a promise. */
function atOnce<T>(value: T | Promise<T>): T {
  assert.ok(!(value instanceof Promise), 'it is a plain value');
  return value;
}

/** A provider that notes what it is asked for and answers when the test says so. */
class AskedProvider {
  readonly asked: string[] = [];
  readonly answer = Promise.withResolvers<'ended' | 'revoked'>();
  readonly desk: SessionDesk;

  constructor() {
    this.answer.promise.catch(() => {});
    const ask = (what: string) => async (token: string) => {
      this.asked.push(`${what} ${token}`);
      return this.answer.promise;
    };
    const endAtProvider = createEndAtProvider({
      revokeToken: async (token) => void (await ask('revoke')(token)),
      endSession: ask('end'),
      emit: (event) => this.desk.events.push(event),
    });
    this.desk = new SessionDesk({ followUps: [endAtProvider] });
  }

  end(session: StoredSession, atProvider?: 'revoke_token' | 'end_session'): Ended {
    const { handle } = session.record;
    const cause = { reason: 'app_logout' as const, ...(atProvider && { atProvider }) };
    return atOnce(this.desk.ending.endSessions({ by: 'handle', handle }, cause));
  }

  warnings(): { code: string; message: string }[] {
    return this.desk.events.filter((event) => event.event === 'gate.warning');
  }
}

describe('the provider’s part of an end that began here', () => {
  for (const [atProvider, what] of [
    ['revoke_token', 'revoke'],
    ['end_session', 'end'],
  ] as const) {
    it(`${atProvider}: asked for in the background; neither the end nor its account waits for it`, async () => {
      const provider = new AskedProvider();
      const session = provider.desk.signIn();
      const { closed } = provider.end(session, atProvider);
      let over = false;
      void closed.then(() => {
        over = true;
      });
      await settled();
      assert.equal(over, false, 'it belongs to what is still going on');
      assert.deepEqual(provider.asked, [`${what} ${session.record.tokens.refreshToken}`]);
      assert.equal(provider.desk.ended().length, 1);
      provider.answer.resolve('ended');
      await closed;
      assert.deepEqual(provider.warnings(), []);
    });
  }

  it('is nothing where the provider itself ended the session', async () => {
    const provider = new AskedProvider();
    await provider.end(provider.desk.signIn()).closed;
    assert.deepEqual(provider.asked, []);
  });

  it('that fails is an event, which names no token, and the end holds', async () => {
    for (const [atProvider, code] of [
      ['revoke_token', 'revocation_failed'],
      ['end_session', 'sso_not_ended'],
    ] as const) {
      const provider = new AskedProvider();
      const session = provider.desk.signIn();
      provider.answer.reject(new Error(`${session.record.tokens.refreshToken} not accepted`));
      await provider.end(session, atProvider).closed;
      assert.deepEqual(
        provider.warnings().map((warning) => [warning.code, warning.message.includes(session.record.handle)]),
        [[code, true]],
      );
      assert.ok(!JSON.stringify(provider.desk.events).includes(session.record.tokens.refreshToken!));
      assert.equal(provider.desk.isAlive(session), false);
    }
  });

  it('says so where the provider’s own session may live on', async () => {
    const provider = new AskedProvider();
    provider.answer.resolve('revoked');
    await provider.end(provider.desk.signIn(), 'end_session').closed;
    const bare = () => provider.desk.signIn({ tokens: aTokenSet({ refreshToken: undefined }) });
    await provider.end(bare(), 'end_session').closed;
    await provider.end(bare(), 'revoke_token').closed;
    assert.deepEqual(
      provider.warnings().map(({ code }) => code),
      ['sso_not_ended', 'sso_not_ended'],
    );
    assert.equal(provider.asked.length, 1);
  });
});

describe('the provider’s part of a thousand ends', () => {
  it('is asked for a few at a time', async () => {
    let [running, most, told] = [0, 0, 0];
    const endAtProvider = createEndAtProvider({
      revokeToken: async () => {
        most = Math.max(most, ++running);
        await settled();
        running--;
        told++;
      },
      endSession: async () => 'ended',
      emit: () => {},
    });
    const desk = new SessionDesk();
    const sessions = Array.from({ length: 1_000 }, () => desk.signIn());
    await endAtProvider(sessions, { reason: 'operator', atProvider: 'revoke_token' });
    assert.equal(told, 1_000);
    assert.ok(most <= 8, `${most} at once`);
  });
});
