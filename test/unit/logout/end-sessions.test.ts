// The order of an end: mark, tell, stop, return; everything else later (design: what happens at the end of a session).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConnectionCounts } from '../../../src/base/events.ts';
import type { Ended } from '../../../src/logout/end-sessions.ts';
import { createEndSessions } from '../../../src/logout/end-sessions.ts';
import { ConnectionRegistry, type LiveConnection } from '../../../src/proxy/connection-registry.ts';
import { MemorySessionStore } from '../../../src/session/memory-session-store.ts';
import type { StoredSession } from '../../../src/session/session-record.ts';
import type { EndSelector } from '../../../src/session/session-store.ts';
import { ManualClock, settled } from '../../support/manual-clock.ts';
import { SessionDesk } from '../../support/session-desk.ts';
import { aRecord, ISSUER } from '../../support/session-records.ts';

/** The value of a call that must not have been a promise. */
function atOnce<T>(value: T | Promise<T>): T {
  assert.ok(!(value instanceof Promise), 'it is a plain value');
  return value;
}

describe('ending sessions', () => {
  it('marks, stops and counts what was live in the same tick, and waits for no close', () => {
    const desk = new SessionDesk();
    const session = desk.signIn();
    const owner = desk.registry.connect(session, { requests: 1, streams: 2, websockets: 3 });
    const ended = atOnce(
      desk.ending.endSessions({ by: 'handle', handle: session.record.handle }, { reason: 'operator' }),
    );
    assert.equal(desk.isAlive(session), false);
    assert.equal(owner.stopped, true);
    assert.deepEqual(ended.sessions, [session]);
    assert.equal(ended.count, 1);
    assert.deepEqual(ended.cut, { requests: 1, streams: 2, websockets: 3 });
    assert.deepEqual(desk.registry.closed, [[owner]], 'closing begins in the tick of the stop, for what is queued');
    assert.deepEqual(desk.events, [], 'the account is given later');
  });

  it('gives one account per session, after the last close, with times since the notice came', async () => {
    const desk = new SessionDesk();
    const sid = { sid: 'shared' };
    const [first, second] = [desk.signIn(sid), desk.signIn(sid)];
    desk.registry.connect(first, { requests: 1 });
    desk.registry.connect(second, { websockets: 2 });
    const receivedAtMonotonicMs = desk.clock.monotonicMs();
    desk.clock.advance(4);
    const { closed } = atOnce(
      desk.ending.endSessions(
        { by: 'sid', issuer: ISSUER, sid: 'shared' },
        { reason: 'backchannel_logout', notice: 'backchannel', receivedAtMonotonicMs },
      ),
    );
    await settled();
    assert.deepEqual(desk.ended(), []);
    desk.clock.advance(3);
    desk.registry.finishClosing();
    await closed;
    const common = {
      event: 'session.ended',
      reason: 'backchannel_logout',
      notice: 'backchannel',
      notice_missed: false,
    };
    const nothing: ConnectionCounts = { requests: 0, streams: 0, websockets: 0 };
    const accountOf = ({ record: { user, sub, sid, handle } }: StoredSession, cut: Partial<ConnectionCounts>) => ({
      ...{ ...common, user, sub, sid, session: handle, stop_ms: 4, close_ms: 7 },
      ...{ ...nothing, ...cut },
    });
    assert.deepEqual(desk.ended(), [accountOf(first, { requests: 1 }), accountOf(second, { websockets: 2 })]);
    assert.deepEqual(desk.forgotten, [first, second]);
  });

  it('gives the account of a session without connections too, but not before it has returned', async () => {
    const desk = new SessionDesk();
    const session = desk.signIn();
    const { closed } = atOnce(desk.ending.endSessions({ by: 'all' }, { reason: 'revalidation', missed: true }));
    assert.deepEqual(desk.events, []);
    await closed;
    assert.deepEqual(
      desk.ended().map((event) => [event.session, event.notice_missed]),
      [[session.record.handle, true]],
    );
  });

  it('is accounted for once, however often and from wherever it comes', async () => {
    const desk = new SessionDesk();
    const session = desk.signIn();
    desk.registry.connect(session, { streams: 1 });
    const { sub, handle } = session.record;
    const first = atOnce(desk.ending.endSessions({ by: 'handle', handle }, { reason: 'logout' }));
    const second = atOnce(desk.ending.endSessions({ by: 'sub', issuer: ISSUER, sub }, { reason: 'operator' }));
    assert.deepEqual([first.count, second.count], [1, 0]);
    desk.registry.finishClosing();
    await Promise.all([first.closed, second.closed]);
    assert.equal(desk.ended().length, 1);
  });

  it('stops nothing of anybody else', () => {
    const desk = new SessionDesk();
    const [session, other] = [desk.signIn(), desk.signIn()];
    const owner = desk.registry.connect(other, { websockets: 1 });
    atOnce(desk.ending.endSessions({ by: 'sid', issuer: ISSUER, sid: session.record.sid! }, { reason: 'operator' }));
    assert.equal(owner.stopped, false);
    assert.equal(desk.isAlive(other), true);
  });

  it('refuses a login whose ID token is older than the notice', () => {
    const desk = new SessionDesk();
    const cause = { reason: 'backchannel_logout', noticeIssuedAtSeconds: 2e9 } as const;
    atOnce(desk.ending.endSessions({ by: 'sub', issuer: ISSUER, sub: 'ada' }, cause));
    assert.equal(desk.store.create(aRecord(desk.store.now(), { sub: 'ada' })), 'ended');
  });

  it('gives the account although closing failed', async () => {
    const desk = new SessionDesk();
    const session = desk.signIn();
    desk.registry.connect(session, { requests: 1 });
    desk.registry.close = () => Promise.reject(new Error('broken'));
    await atOnce(desk.ending.endSessions({ by: 'all' }, { reason: 'operator' })).closed;
    assert.equal(desk.ended().length, 1);
  });

  it('does everything for an evicted session but the mark, which the store has made', async () => {
    const desk = new SessionDesk({ maxSessions: 1 });
    const oldest = desk.signIn();
    const owner = desk.registry.connect(oldest, { streams: 1 });
    desk.signIn();
    assert.equal(owner.stopped, true);
    desk.registry.finishClosing();
    await settled();
    assert.deepEqual(
      desk.ended().map(({ reason, session }) => [reason, session]),
      [['evicted', oldest.record.handle]],
    );
  });

  it('of 100 000 sessions returns soon, and accounts for them in slices that leave room for others', async () => {
    const clock = new ManualClock();
    const store = new MemorySessionStore({ clock, maxSessions: 100_000, maxSessionLifetimeMs: 1e9 });
    for (let n = 0; n < 100_000; n++) store.create(aRecord(store.now()));
    let accounts = 0;
    const ending = createEndSessions({ store, clock, registry: new ConnectionRegistry(), emit: () => accounts++ });
    const started = process.cpuUsage();
    const { count, closed } = atOnce(ending.endSessions({ by: 'all' }, { reason: 'operator' }));
    const usedMs = (process.cpuUsage(started).user + process.cpuUsage(started).system) / 1000;
    assert.equal(count, 100_000);
    // About 25 ms on an idle machine, most of it looking 100 000 times for connections.
    assert.ok(usedMs < 250, `it returned after ${usedMs} ms of processor time`);
    let most = 0;
    let done = false;
    void closed.then(() => {
      done = true;
    });
    for (let before = accounts; !done; before = accounts) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      most = Math.max(most, accounts - before);
    }
    assert.equal(accounts, 100_000);
    assert.ok(most <= 200, `${most} accounts in one turn of the event loop`);
  });
});

describe('ending sessions with other replicas', () => {
  /** A store as replicas share it: what is held ends at once, the mark takes until `marked` is settled. */
  function shared(desk: SessionDesk, marked: Promise<void>): void {
    const { store } = desk;
    const end = store.end.bind(store);
    let held: readonly StoredSession[] = [];
    Object.assign(store, {
      endHeld: (selector: EndSelector) => {
        held = end(selector);
        return held;
      },
      end: () => marked.then(() => held),
    });
  }

  it('stops its own connections while the others are being told, and answers when they have stopped', async () => {
    const told = Promise.withResolvers<void>();
    const desk = new SessionDesk();
    shared(desk, told.promise);
    const session = desk.signIn();
    const owner = desk.registry.connect(session, { streams: 1 });
    const answers: Ended[] = [];
    const answer = Promise.resolve(desk.ending.endSessions({ by: 'all' }, { reason: 'operator' })).then((value) => {
      answers.push(value);
    });
    assert.equal(owner.stopped, true);
    await settled();
    assert.equal(answers.length, 0);
    told.resolve();
    await answer;
    assert.equal(answers[0]?.count, 1);
    assert.deepEqual(answers[0]?.cut, { requests: 0, streams: 1, websockets: 0 });
    desk.registry.finishClosing();
    await answers[0]?.closed;
    assert.equal(desk.ended().length, 1);
  });

  it('stops its own connections and accounts for them though the store fails, and passes that on', async () => {
    const desk = new SessionDesk();
    shared(desk, Promise.reject(new Error('store down')));
    const session = desk.signIn();
    const owner = desk.registry.connect(session, { streams: 1 });
    const answer = Promise.resolve(desk.ending.endSessions({ by: 'all' }, { reason: 'operator' }));
    assert.equal(owner.stopped, true);
    await assert.rejects(answer, /store down/);
    desk.registry.finishClosing();
    await settled();
    assert.equal(desk.ended()[0]?.streams, 1);
  });

  it('stops what another replica has ended, says so where something ran, and leaves the account to that replica', async () => {
    const desk = new SessionDesk();
    const [busy, quiet] = [desk.signIn(), desk.signIn()];
    const owner = desk.registry.connect(busy, { websockets: 1 });
    desk.ending.follow([busy, quiet]);
    assert.equal(owner.stopped, true);
    desk.registry.finishClosing();
    await settled();
    const { user, sub, sid, handle } = busy.record;
    const counts = { requests: 0, streams: 0, websockets: 1 };
    assert.deepEqual(desk.events, [{ event: 'session.stopped', user, sub, sid, session: handle, ...counts }]);
    assert.deepEqual(desk.forgotten, [busy, quiet]);
  });

  it('passes on that the store has failed, so that no notice is answered 200', async () => {
    const desk = new SessionDesk();
    desk.store.end = () => {
      throw new Error('store down');
    };
    assert.throws(() => desk.ending.endSessions({ by: 'all' }, { reason: 'operator' }), /store down/);
    await settled();
    assert.deepEqual(desk.events, []);
  });
});

describe('with the real registry', () => {
  it('every connection of the session is cut, and none of another session', async () => {
    const clock = new ManualClock();
    const store = new MemorySessionStore({ clock, maxSessions: 10, maxSessionLifetimeMs: 1e9 });
    const registry = new ConnectionRegistry();
    const { endSessions } = createEndSessions({ store, clock, registry, emit: () => {} });
    const cut: string[] = [];
    const connect = (session: StoredSession, name: string): void => {
      const owner = registry.owner(session.record.handle);
      const connection: LiveConnection = {
        kind: 'websocket',
        tag: name,
        hasBacklog: () => false,
        cut: () => {
          cut.push(name);
          owner.delete(connection);
        },
      };
      owner.add(connection);
    };
    const session = store.create(aRecord(store.now())) as StoredSession;
    const other = store.create(aRecord(store.now())) as StoredSession;
    for (const name of ['a', 'b', 'c']) connect(session, name);
    connect(other, 'other');
    const ended = atOnce(endSessions({ by: 'handle', handle: session.record.handle }, { reason: 'logout' }));
    assert.equal(ended.cut.websockets, 3);
    await ended.closed;
    assert.deepEqual(cut.sort(), ['a', 'b', 'c']);
    assert.equal(registry.isLive(other.record.handle), true);
  });
});
