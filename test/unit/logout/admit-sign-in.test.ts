// From a sign-in to a session (design: decided cases, a sign-in over a live session; security catalogue SESS-01, SESS-11).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newSessionHandle, newSessionId } from '../../../src/base/ids.ts';
import { createAdmitSignIn, type SignIn } from '../../../src/logout/admit-sign-in.ts';
import type { StoredSession } from '../../../src/session/session-record.ts';
import { settled } from '../../support/manual-clock.ts';
import { SessionDesk } from '../../support/session-desk.ts';
import { aTokenSet, ISSUER } from '../../support/session-records.ts';

class CallbackDesk extends SessionDesk {
  readonly watched: StoredSession[] = [];
  readonly suspected: StoredSession[] = [];
  readonly admit = createAdmitSignIn({
    store: this.store,
    endSessions: this.ending.endSessions,
    clientId: 'wiki-gate',
    watch: (session) => this.watched.push(session),
    suspect: (session) => this.suspected.push(session),
  });

  /** A sign-in whose code exchange begins now. */
  begin(who: { sub: string; sid?: string }, current?: StoredSession): SignIn {
    const now = this.store.now();
    return {
      signedIn: {
        issuer: ISSUER,
        ...who,
        claims: { preferred_username: who.sub },
        tokens: aTokenSet(),
        idTokenIssuedAtSeconds: Math.floor(now / 1000),
        probe: 'introspect',
      },
      beganAt: now,
      id: newSessionId(),
      handle: newSessionHandle(),
      current,
      cookieHost: undefined,
      refusedAcr: undefined,
      address: '192.0.2.7',
      userAgent: 'test',
    };
  }

  async signInBy(signIn: SignIn): Promise<StoredSession> {
    const session = await this.admit(signIn);
    assert.ok(session !== 'ended');
    return session;
  }
}

describe('a finished sign-in', () => {
  it('of a browser without a session becomes one, under the id made for it, and is watched', async () => {
    const desk = new CallbackDesk();
    const signIn = desk.begin({ sub: 'ada', sid: 'one' });
    const session = await desk.signInBy(signIn);
    assert.equal(desk.store.find(signIn.id), session);
    assert.equal(session.record.clientId, 'wiki-gate');
    assert.equal(session.record.user, 'ada');
    assert.deepEqual(desk.watched, [session]);
  });

  it('on a sid that ended less than two minutes ago is under suspicion, and no other is', async () => {
    const desk = new CallbackDesk();
    await desk.ending.endSessions({ by: 'sid', issuer: ISSUER, sid: 'one' }, { reason: 'backchannel_logout' });
    await desk.signInBy(desk.begin({ sub: 'ada', sid: 'two' }));
    await desk.signInBy(desk.begin({ sub: 'ada' }));
    assert.deepEqual(desk.suspected, []);
    desk.clock.advance(119_000);
    const session = await desk.signInBy(desk.begin({ sub: 'ada', sid: 'one' }));
    assert.deepEqual(desk.suspected, [session]);
    desk.clock.advance(1_000);
    await desk.signInBy(desk.begin({ sub: 'ada', sid: 'one' }));
    assert.deepEqual(desk.suspected, [session]);
  });

  it('remembers what the provider did not give, over the same SSO session all of it, and nothing once it gives', async () => {
    const desk = new CallbackDesk();
    let session: StoredSession | undefined;
    for (const [refusedAcr, remembered] of [
      [['2'], ['2']],
      [
        ['3', '2'],
        ['2', '3'],
      ],
      [undefined, undefined],
      [['3'], ['3']],
    ]) {
      session = await desk.signInBy({ ...desk.begin({ sub: 'ada', sid: 'one' }, session), refusedAcr });
      assert.deepEqual(session.record.refusedAcr, remembered);
    }
    const other = await desk.signInBy({ ...desk.begin({ sub: 'grace', sid: 'two' }, session), refusedAcr: ['4'] });
    assert.deepEqual(other.record.refusedAcr, ['4'], 'another user’s sign-in inherits nothing');
  });

  it('whose SSO session was ended during the code exchange is refused, and leaves nothing', async () => {
    const desk = new CallbackDesk();
    const signIn = desk.begin({ sub: 'ada', sid: 'one' });
    await desk.ending.endSessions({ by: 'sid', issuer: ISSUER, sid: 'one' }, { reason: 'backchannel_logout' });
    assert.equal(await desk.admit(signIn), 'ended');
    assert.deepEqual([desk.store.size(), desk.watched.length], [0, 0]);
  });
});

describe('a sign-in whose token answer carries a not-before', () => {
  const SECOND = 1_900_000_000;

  /** A sign-in with tokens of SECOND, from a provider that accepts none of this user that are older than `notBefore`. */
  function begin(desk: CallbackDesk, notBeforeSeconds: number, current?: StoredSession): SignIn {
    const signIn = desk.begin({ sub: 'ada', sid: 'two' }, current);
    const tokens = aTokenSet({ issuedAtSeconds: SECOND });
    return { ...signIn, signedIn: { ...signIn.signedIn, tokens, notBeforeSeconds } };
  }

  it("lives, and ends the user's sessions with older tokens, and nobody else's", async () => {
    const desk = new CallbackDesk();
    const tokens = aTokenSet({ issuedAtSeconds: SECOND - 1 });
    const [older, same, other] = [
      desk.signIn({ sub: 'ada', tokens }),
      desk.signIn({ sub: 'ada', tokens: aTokenSet({ issuedAtSeconds: SECOND }) }),
      desk.signIn({ sub: 'grace', tokens }),
    ];
    const session = await desk.signInBy(begin(desk, SECOND));
    assert.deepEqual([older!, same!, other!, session].map(desk.isAlive, desk), [false, true, true, true]);
    assert.deepEqual(desk.watched, [session]);
    await settled();
    assert.deepEqual(
      desk.ended().map(({ reason, notice, notice_missed }) => [reason, notice, notice_missed]),
      [['not_before', undefined, true]],
    );
  });

  it('goes on with the live session of the browser, whose tokens it renews', async () => {
    const desk = new CallbackDesk();
    const current = desk.signIn({ sub: 'ada', sid: 'two', tokens: aTokenSet({ issuedAtSeconds: SECOND - 1 }) });
    assert.equal(await desk.signInBy(begin(desk, SECOND, current)), current);
    assert.equal(desk.isAlive(current), true);
  });

  it('is refused where its own tokens are older', async () => {
    const desk = new CallbackDesk();
    assert.equal(await desk.admit(begin(desk, SECOND + 1)), 'ended');
    assert.deepEqual([desk.store.size(), desk.watched.length], [0, 0]);
  });
});

describe('a logout that comes when the session is there and its cookie is not', () => {
  it('has no cookie sent for a session that is over', async () => {
    const desk = new CallbackDesk();
    const { lastEndOf } = desk.store;
    desk.store.lastEndOf = (issuer, sid) => {
      void desk.ending.endSessions({ by: 'sid', issuer, sid }, { reason: 'backchannel_logout' });
      return lastEndOf.call(desk.store, issuer, sid);
    };
    assert.equal(await desk.admit(desk.begin({ sub: 'ada', sid: 'one' })), 'ended');
    assert.equal(desk.store.size(), 0);
  });
});

describe('a sign-in over a live session of the same (iss, sub, sid)', () => {
  it('keeps its handle and cuts nothing; the new tokens and the new id hold, the old id for 30 s more', async () => {
    const desk = new CallbackDesk();
    const current = await desk.signInBy(desk.begin({ sub: 'ada', sid: 'one' }));
    const owner = desk.registry.connect(current, { websockets: 1 });
    const { id: oldId, handle } = current.record;
    desk.clock.advance(60_000);
    const signIn = desk.begin({ sub: 'ada', sid: 'one' }, current);
    assert.equal(await desk.signInBy(signIn), current);
    assert.deepEqual([current.record.id, current.record.handle], [signIn.id, handle]);
    assert.equal(current.record.tokens, signIn.signedIn.tokens);
    assert.equal(desk.store.find(oldId), current);
    assert.equal(owner.stopped, false);
    await settled();
    assert.deepEqual(desk.ended(), []);
  });

  it('begins the absolute timeout anew', async () => {
    const desk = new CallbackDesk();
    const current = await desk.signInBy(desk.begin({ sub: 'ada', sid: 'one' }));
    desk.clock.advance(60_000);
    await desk.signInBy(desk.begin({ sub: 'ada', sid: 'one' }, current));
    assert.equal(current.record.createdAt, desk.store.now());
  });

  it('wins over a refresh that changed the record meanwhile', async () => {
    const desk = new CallbackDesk();
    const current = await desk.signInBy(desk.begin({ sub: 'ada', sid: 'one' }));
    const { update, replaceId } = desk.store;
    let refreshed = 0;
    desk.store.replaceId = (session, next) => {
      // A refresh stores its answer between the look at the record and the write, the first two times.
      if (refreshed++ < 2) update.call(desk.store, session, { ...session.record, version: session.record.version + 1 });
      return replaceId.call(desk.store, session, next);
    };
    const signIn = desk.begin({ sub: 'ada', sid: 'one' }, current);
    await desk.signInBy(signIn);
    assert.equal(current.record.tokens, signIn.signedIn.tokens);
    assert.equal(refreshed, 3);
  });

  it('loses to a logout that ended the session during the code exchange, by whatever name', async () => {
    for (const by of ['handle', 'sid', 'sub', 'all'] as const) {
      const desk = new CallbackDesk();
      const current = await desk.signInBy(desk.begin({ sub: 'ada', sid: 'one' }));
      const signIn = desk.begin({ sub: 'ada', sid: 'one' }, current);
      const { handle, issuer, sub } = current.record;
      await desk.ending.endSessions({ by, handle, issuer, sub, sid: 'one' } as never, { reason: 'logout' });
      assert.equal(await desk.admit(signIn), 'ended');
      assert.equal(desk.store.size(), 0);
    }
  });
});

describe('a sign-in over a live session of somebody or something else', () => {
  for (const [what, who] of [
    ['another user', { sub: 'grace', sid: 'two' }],
    ['another user on the same sid', { sub: 'grace', sid: 'one' }],
    ['the same user on another sid', { sub: 'ada', sid: 'two' }],
    ['the same user without a sid', { sub: 'ada' }],
  ] as const) {
    it(`ends the old session before the new one begins: ${what}`, async () => {
      const desk = new CallbackDesk();
      const current = await desk.signInBy(desk.begin({ sub: 'ada', sid: 'one' }));
      const owner = desk.registry.connect(current, { streams: 1 });
      const { create } = desk.store;
      desk.store.create = (record) => {
        assert.deepEqual([current.ended, owner.stopped], [true, true]);
        return create.call(desk.store, record);
      };
      const session = await desk.signInBy(desk.begin(who, current));
      assert.notEqual(session, current);
      assert.deepEqual([desk.isAlive(current), desk.isAlive(session)], [false, true]);
      desk.registry.finishClosing();
      await settled();
      assert.deepEqual(
        desk.ended().map(({ reason }) => reason),
        ['replaced'],
      );
    });
  }

  it('that asked nothing of its user takes the place of the old one, and makes it no younger', async () => {
    const desk = new CallbackDesk();
    const current = await desk.signInBy(desk.begin({ sub: 'ada', sid: 'one' }));
    desk.store.update(current, { ...current.record, refusedAcr: ['2'], version: 2 });
    const { createdAt, handle } = current.record;
    desk.clock.advance(60_000);
    const signIn = { ...desk.begin({ sub: 'ada', sid: 'one' }, current), isSilent: true };
    assert.equal(await desk.signInBy(signIn), current);
    const { record } = current;
    assert.deepEqual([record.id, record.handle, record.createdAt], [signIn.id, handle, createdAt]);
    assert.deepEqual([record.provenAt, record.beganAt], [signIn.beganAt, signIn.beganAt]);
    assert.deepEqual(record.refusedAcr, ['2']);
    // Another user's session is as old as it is.
    const other = await desk.signInBy({ ...desk.begin({ sub: 'grace' }, current), isSilent: true });
    assert.deepEqual([current.ended, other.record.createdAt > createdAt], [true, true]);
  });

  it('that asked nothing of its user is none where the old one has ended meanwhile, on whatever SSO session', async () => {
    for (const who of [{ sub: 'ada', sid: 'two' }, { sub: 'grace' }]) {
      const desk = new CallbackDesk();
      const current = await desk.signInBy(desk.begin({ sub: 'ada', sid: 'one' }));
      const signIn = { ...desk.begin(who, current), isSilent: true };
      await desk.ending.endSessions({ by: 'handle', handle: current.record.handle }, { reason: 'logout' });
      assert.equal(await desk.admit(signIn), 'ended');
      assert.equal(desk.store.size(), 0);
    }
  });

  it('is a new session where the old one ended by itself meanwhile', async () => {
    const desk = new CallbackDesk();
    const current = await desk.signInBy(desk.begin({ sub: 'ada', sid: 'one' }));
    const signIn = desk.begin({ sub: 'grace', sid: 'two' }, current);
    await desk.ending.endSessions({ by: 'handle', handle: current.record.handle }, { reason: 'idle_timeout' });
    assert.equal(desk.isAlive(await desk.signInBy(signIn)), true);
    await settled();
    assert.deepEqual(
      desk.ended().map(({ reason }) => reason),
      ['idle_timeout'],
    );
  });
});
