// The provider's part of an end: in the background, bounded, and only what the cause calls for.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatewayError } from '../../../src/base/gateway-error.ts';
import { createEndAtProvider } from '../../../src/logout/end-at-provider.ts';
import type { Ended } from '../../../src/logout/end-sessions.ts';
import { Pauses } from '../../../src/logout/pauses.ts';
import type { StoredSession } from '../../../src/session/session-record.ts';
import { ManualClock, settled } from '../../support/manual-clock.ts';
import { SessionDesk } from '../../support/session-desk.ts';
import { aTokenSet } from '../../support/session-records.ts';

/** The value of a call that must not have been a promise. */
function atOnce<T>(value: T | Promise<T>): T {
  assert.ok(!(value instanceof Promise), 'it is a plain value');
  return value;
}

/** Time that nobody moves. */
function idle(): { clock: ManualClock; pauses: Pauses } {
  const clock = new ManualClock();
  return { clock, pauses: new Pauses(clock) };
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
      ...idle(),
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

describe('a session to be ended at a provider that is down', () => {
  const down = new GatewayError('provider_unavailable', { status: 503, message: 'the provider is down' });

  function setUp(answer: (attempt: number) => 'ended' | GatewayError) {
    const clock = new ManualClock();
    const pauses = new Pauses(clock);
    const asked: number[] = [];
    const desk = new SessionDesk();
    const ask = async (): Promise<'ended'> => {
      const answered = answer(asked.push(clock.monotonicMs()));
      if (answered !== 'ended') throw answered;
      return answered;
    };
    const endAtProvider = createEndAtProvider({
      revokeToken: async () => void (await ask()),
      endSession: ask,
      clock,
      pauses,
      emit: (event) => desk.events.push(event),
    });
    const end = (atProvider: 'revoke_token' | 'end_session' = 'end_session') =>
      endAtProvider([desk.signIn()], { reason: 'logout', atProvider });
    return { clock, pauses, asked, desk, end };
  }

  const codes = (desk: SessionDesk) =>
    desk.events.map((event) => (event.event === 'gate.warning' ? event.code : event.event));

  it('is ended when it is back', async () => {
    const { clock, asked, desk, end } = setUp((attempt) => (attempt < 3 ? down : 'ended'));
    const done = end();
    await clock.pass(12_000, 500);
    await done;
    assert.equal(asked.length, 3);
    assert.deepEqual(codes(desk), ['sso_not_ended', 'sso_ended_late']);
  });

  it('is given up after five attempts within five minutes, with an event', async () => {
    const { clock, asked, desk, end } = setUp(() => down);
    const done = end();
    await clock.pass(300_000, 1_000);
    await done;
    assert.equal(asked.length, 5);
    assert.deepEqual(codes(desk), ['sso_not_ended', 'sso_not_ended']);
    assert.match(JSON.stringify(desk.events), /the provider is down\. It is tried again.*not tried again/);
  });

  it('is asked for once where the provider refuses, and that is told once', async () => {
    const refused = new GatewayError('provider_refused', { status: 503, message: 'the provider said no' });
    const { asked, desk, end } = setUp(() => refused);
    await end();
    assert.equal(asked.length, 1);
    assert.deepEqual(codes(desk), ['sso_not_ended']);
    assert.match(JSON.stringify(desk.events), /the provider said no\. It is not tried again; the user may still be/);
  });

  it('waits for nothing when the gate stops', async () => {
    const { pauses, asked, desk, end } = setUp(() => down);
    const done = end();
    await settled();
    pauses.stop();
    await done;
    assert.equal(asked.length, 2, 'one last attempt, and no pause');
    assert.deepEqual(codes(desk), ['sso_not_ended', 'sso_not_ended']);
  });

  it('is not asked for again where only a token was to be revoked', async () => {
    const { asked, end } = setUp(() => down);
    await end('revoke_token');
    assert.equal(asked.length, 1);
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
      ...idle(),
      emit: () => {},
    });
    const desk = new SessionDesk();
    const sessions = Array.from({ length: 1_000 }, () => desk.signIn());
    await endAtProvider(sessions, { reason: 'operator', atProvider: 'revoke_token' });
    assert.equal(told, 1_000);
    assert.ok(most <= 8, `${most} at once`);
  });
});
