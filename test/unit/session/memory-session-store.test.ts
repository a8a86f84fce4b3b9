// What the memory store does beyond the contract of all stores: bounds, recency, clocks, and cost.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newSessionId } from '../../../src/base/ids.ts';
import { MemorySessionStore } from '../../../src/session/memory-session-store.ts';
import type { SessionRecord, StoredSession } from '../../../src/session/session-record.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { aRecord, ISSUER } from '../../support/session-records.ts';

function openStore(maxSessions = 1_000) {
  const clock = new ManualClock();
  const evicted: StoredSession[] = [];
  const onEvicted = (session: StoredSession): void => {
    assert.equal(session.ended, true);
    assert.equal(store.find(session.record.id), undefined);
    assert.equal(store.size() <= maxSessions, true);
    evicted.push(session);
  };
  const store = new MemorySessionStore({ clock, maxSessions, maxSessionLifetimeMs: 10 * 60 * 60_000, onEvicted });
  const signIn = (overrides: Partial<SessionRecord> = {}): StoredSession =>
    store.create(aRecord(store.now(), overrides)) as StoredSession;
  return { clock, store, evicted, signIn };
}

describe('who is told of the marks', () => {
  const onMarked = (): void => {
    throw new Error('the listener fails');
  };

  it('can hold up no end, and no sign-in', () => {
    const store = new MemorySessionStore({
      clock: new ManualClock(),
      maxSessions: 1,
      maxSessionLifetimeMs: 10 * 60 * 60_000,
      onMarked,
    });
    const evicted = store.create(aRecord(store.now())) as StoredSession;
    const session = store.create(aRecord(store.now())) as StoredSession;
    assert.equal(evicted.ended, true);
    assert.deepEqual(store.end({ by: 'handle', handle: session.record.handle }), [session]);
    assert.deepEqual([session.ended, store.find(session.record.id)], [true, undefined]);
  });
});

describe('the bound on sessions', () => {
  it('lets the one go that was idle longest, and tells of it in the same tick', () => {
    const { store, evicted, signIn } = openStore(3);
    const sessions = [signIn(), signIn(), signIn()];
    signIn();
    assert.deepEqual(evicted, [sessions[0]]);
    assert.equal(store.size(), 3);
  });

  it('goes by activity: a session whose socket is in use outlives later sign-ins', () => {
    const { store, evicted, signIn } = openStore(3);
    const [oldest, second, third] = [signIn(), signIn(), signIn()];
    store.touch(oldest);
    signIn();
    store.touch(third);
    signIn();
    assert.deepEqual(evicted, [second, oldest]);
  });

  it('lets bearer tokens go first: whoever has many of them signs nobody out', () => {
    const { store, evicted, signIn } = openStore(3);
    const idle = signIn();
    const tokens = [signIn({ kind: 'bearer' }), signIn({ kind: 'bearer' })];
    store.touch(tokens[0]!);
    signIn({ kind: 'bearer' });
    signIn();
    assert.deepEqual(evicted, [tokens[1], tokens[0]]);
    assert.equal(idle.ended, false);
    assert.equal(store.size(), 3);
  });

  it('does not take a look, a refresh or a listing for activity', () => {
    const { store, evicted, signIn } = openStore(2);
    const [oldest] = [signIn(), signIn()];
    store.find(oldest.record.id);
    store.update(oldest, { ...oldest.record, version: 2 });
    store.list({}, 10, undefined);
    signIn();
    assert.deepEqual(evicted, [oldest]);
  });

  it('takes a new sign-in of the same SSO session for activity', () => {
    const { store, evicted, signIn } = openStore(2);
    const [first, second] = [signIn(), signIn()];
    store.replaceId(first, { ...first.record, id: newSessionId(), version: 2 });
    signIn();
    assert.deepEqual(evicted, [second]);
  });

  it('leaves nothing of an evicted session in any index, and no old id of it', () => {
    const { store, evicted, signIn } = openStore(1);
    const first = signIn({ sub: 'ada', sid: 'one', user: 'ada' });
    const oldId = first.record.id;
    store.replaceId(first, { ...first.record, id: newSessionId(), version: 2 });
    signIn();
    assert.equal(evicted.length, 1);
    assert.equal(store.find(oldId), undefined);
    const { handle } = first.record;
    assert.deepEqual(store.end({ by: 'handle', handle }), []);
    assert.deepEqual(store.end({ by: 'sid', issuer: ISSUER, sid: 'one' }), []);
    assert.deepEqual(store.end({ by: 'sub', issuer: ISSUER, sub: 'ada' }), []);
    assert.deepEqual(store.end({ by: 'user', user: 'ada' }), []);
    assert.equal(store.list({}, 10, undefined).sessions.length, 1);
  });

  it('refuses what was under way for an evicted session', () => {
    const { store, signIn } = openStore(1);
    const first = signIn();
    const base = first.record;
    signIn();
    assert.equal(store.update(first, { ...base, version: 2 }), 'ended');
    assert.equal(store.replaceId(first, { ...base, id: newSessionId(), version: 2 }), 'ended');
    store.touch(first);
    assert.equal(store.size(), 1);
  });

  it('does not stop an evicted user from signing in again', () => {
    const { store, signIn } = openStore(1);
    const { sub, sid, user } = signIn().record;
    signIn();
    assert.equal(store.find(signIn({ sub, sid, user }).record.id)?.record.sub, sub);
  });

  it('holds when the one that is told of an eviction ends sessions itself', () => {
    const clock = new ManualClock();
    const store: MemorySessionStore = new MemorySessionStore({
      clock,
      maxSessions: 2,
      maxSessionLifetimeMs: 1_000,
      onEvicted: ({ record }) => store.end({ by: 'sub', issuer: ISSUER, sub: record.sub }),
    });
    const first = store.create(aRecord(store.now(), { sub: 'ada' })) as StoredSession;
    const second = store.create(aRecord(store.now(), { sub: 'ada' })) as StoredSession;
    const third = store.create(aRecord(store.now())) as StoredSession;
    assert.deepEqual([first.ended, second.ended, third.ended], [true, true, false]);
    assert.equal(store.size(), 1);
  });
});

describe('the clock of the store', () => {
  it('does not let a session that was ended come back when the wall clock is set back', () => {
    const { clock, store } = openStore();
    const underWay = aRecord(store.now());
    clock.jumpWall(-3_600_000);
    store.end({ by: 'sid', issuer: ISSUER, sid: underWay.sid! });
    assert.equal(store.create(underWay), 'ended');
  });

  it('does not refuse new logins for an hour when the wall clock is set back by one', () => {
    const { clock, store, signIn } = openStore();
    store.end({ by: 'sub', issuer: ISSUER, sub: 'ada' });
    clock.jumpWall(-3_600_000);
    assert.equal(signIn({ sub: 'ada' }).ended, false);
  });
});

describe('a session object that the store did not make', () => {
  it('is changed by nobody, though another store made it', () => {
    const { store, clock } = openStore();
    const foreign = openStore().signIn();
    const { record, lastSeenAt } = foreign;
    clock.advance(1_000);
    assert.equal(store.update(foreign, { ...record, version: 2 }), 'ended');
    assert.equal(store.replaceId(foreign, { ...record, id: newSessionId(), version: 2 }), 'ended');
    store.touch(foreign);
    assert.deepEqual([foreign.record, foreign.lastSeenAt, store.size()], [record, lastSeenAt, 0]);
  });

  it('is changed by nobody', () => {
    const { store } = openStore();
    const foreign: StoredSession = { record: aRecord(store.now()), lastSeenAt: 0, ended: false };
    assert.equal(store.update(foreign, { ...foreign.record, version: 2 }), 'ended');
    store.touch(foreign);
    assert.equal(foreign.lastSeenAt, 0);
  });
});

describe('with 100 000 sessions', () => {
  function full() {
    const opened = openStore(100_000);
    const now = opened.store.now();
    for (let n = 0; n < 100_000; n++) opened.store.create(aRecord(now, { sid: `sid-${n}`, sub: `sub-${n % 25_000}` }));
    assert.equal(opened.store.size(), 100_000);
    return opened;
  }

  it('an end by sid costs microseconds, and one of everything does not block', () => {
    const { store } = full();
    const eachMs = processorMs(() => {
      for (let n = 0; n < 1_000; n++) store.end({ by: 'sid', issuer: ISSUER, sid: `sid-${n * 7}` });
    });
    assert.ok(eachMs / 1_000 < 0.5, `an end by sid took ${eachMs} us`);
    const holder = store.list({}, 1, undefined).sessions[0]!;
    let count = 0;
    const allMs = processorMs(() => {
      count = store.end({ by: 'all' }).length;
    });
    assert.equal(count, 99_000);
    assert.equal(holder.ended, true);
    assert.equal(store.size(), 0);
    // 2 ms on a fast and idle machine, 25 to 50 on a slow one, the collection of garbage included.
    assert.ok(allMs < 250, `the end of everything took ${allMs} ms`);
  });
});

/** Processor time and not the wall's: other tests run beside this one. */
function processorMs(run: () => void): number {
  const started = process.cpuUsage();
  run();
  const used = process.cpuUsage(started);
  return (used.user + used.system) / 1000;
}
