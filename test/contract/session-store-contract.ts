// What every session store must do (src/session/session-store.ts; design: tombstones, never undone). Run by each
// implementation's own test file.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { newSessionId } from '../../src/base/ids.ts';
import type { SessionRecord, StoredSession } from '../../src/session/session-record.ts';
import type { EndSelector, SessionStore } from '../../src/session/session-store.ts';
import { aRecord, aTokenSet, ISSUER } from '../support/session-records.ts';
import { bearerContract } from './bearer-contract.ts';
import { notBeforeContract } from './not-before-contract.ts';
import { later, type Open, storeTests } from './store-desk.ts';

/** Every way to name one session. */
function selectorsOf({ handle, issuer, clientId, sid, sub, user }: SessionRecord): EndSelector[] {
  return [
    { by: 'handle', handle },
    { by: 'sid', issuer, sid: sid! },
    { by: 'sub', issuer, sub },
    { by: 'user', user },
    { by: 'client', issuer, clientId },
    { by: 'all' },
  ];
}

/** Runs the whole suite against stores that `open` makes, a new and empty one for each test. */
export function sessionStoreContract(name: string, open: Open): void {
  const test = storeTests(open);
  notBeforeContract(name, open);
  bearerContract(name, open);

  describe(`${name}: a session from creation to end`, () => {
    test('a created session is found by its id, and by no other', async (desk) => {
      const session = await desk.signIn();
      assert.equal(await desk.store.find(session.record.id), session);
      assert.equal(await desk.store.find(newSessionId()), undefined);
      assert.equal(desk.store.size(), 1);
      assert.equal(desk.store.trouble(), undefined);
    });

    test('store time never goes back and stands later after an end than at it', async (desk) => {
      const before = await desk.store.now();
      await desk.store.end({ by: 'all' });
      const after = await desk.store.now();
      assert.ok(after > before);
      assert.ok(Math.abs(desk.store.estimateNow() - after) < 1_000);
    });

    test('an update puts the next record in place for everybody who holds the session', async (desk) => {
      const session = await desk.signIn();
      const next = later(session.record, { tokens: aTokenSet() });
      assert.equal(await desk.store.update(session, next), 'updated');
      assert.equal(session.record.tokens.accessToken, next.tokens.accessToken);
      assert.equal((await desk.store.find(next.id))?.record.version, 2);
    });

    test('of two updates made from the same record the second is refused', async (desk) => {
      const session = await desk.signIn();
      const base = session.record;
      assert.equal(await desk.store.update(session, later(base, { user: 'first' })), 'updated');
      assert.equal(await desk.store.update(session, later(base, { user: 'second' })), 'changed');
      assert.equal(session.record.user, 'first');
    });

    test('an update that moves a session to other names takes it out of the old ones', async (desk) => {
      const session = await desk.signIn({ user: 'ada' });
      await desk.store.update(session, later(session.record, { user: 'grace' }));
      assert.equal((await desk.store.end({ by: 'user', user: 'ada' })).length, 0);
      assert.equal((await desk.store.end({ by: 'user', user: 'grace' })).length, 1);
    });

    test("an update cannot change the id: that is a new sign-in's to do", async (desk) => {
      const session = await desk.signIn();
      const { id } = session.record;
      const newId = newSessionId();
      assert.equal(await desk.store.update(session, later(session.record, { id: newId })), 'changed');
      assert.deepEqual(await desk.lives(id, newId), [true, false]);
      await desk.store.end({ by: 'all' });
      assert.equal(await desk.store.update(session, later(session.record, { id: newId })), 'ended');
    });

    test('an update is refused that gives the session a name under which it would have been ended', async (desk) => {
      const session = await desk.signIn({ user: 'ada' });
      await desk.store.end({ by: 'user', user: 'grace' });
      assert.equal(await desk.store.update(session, later(session.record, { user: 'grace' })), 'ended');
      assert.equal(session.record.user, 'ada');
    });

    test('touch is activity, and reading or updating is none', async (desk) => {
      const session = await desk.signIn();
      const signedInAt = session.lastSeenAt;
      await desk.advance(1_000);
      await desk.store.find(session.record.id);
      await desk.store.update(session, later(session.record));
      assert.equal(await desk.store.lastSeenAt(session), signedInAt);
      desk.store.touch(session);
      assert.ok((await desk.store.lastSeenAt(session)) >= signedInAt + 1_000);
    });
  });

  describe(`${name}: an end`, () => {
    for (const [index, { by }] of selectorsOf(aRecord(0)).entries()) {
      test(`by ${by} ends the session for its holder and for every reader, and gives it back once`, async (desk) => {
        const session = await desk.signIn();
        const selector = selectorsOf(session.record)[index]!;
        const ended = await desk.store.end(selector);
        assert.deepEqual(
          ended.map(({ record }) => record.id),
          [session.record.id],
        );
        assert.equal(session.ended, true);
        assert.deepEqual(await desk.lives(session.record.id), [false]);
        assert.equal(desk.store.size(), 0);
        assert.deepEqual(await desk.store.end(selector), []);
      });

      test(`by ${by} refuses updates, new ids and touches that were under way`, async (desk) => {
        const session = await desk.signIn();
        const { record, lastSeenAt } = session;
        await desk.store.end(selectorsOf(record)[index]!);
        const newId = newSessionId();
        await desk.advance(10);
        assert.equal(await desk.store.update(session, later(record)), 'ended');
        assert.equal(await desk.store.replaceId(session, later(record, { id: newId })), 'ended');
        desk.store.touch(session);
        assert.equal(session.lastSeenAt, lastSeenAt);
        assert.deepEqual(await desk.lives(record.id, newId), [false, false]);
        assert.equal(desk.store.size(), 0);
        assert.equal((await desk.store.list({}, 10, undefined)).sessions.length, 0);
      });

      test(`by ${by} refuses a sign-in whose code exchange had begun`, async (desk) => {
        const record = await desk.record();
        await desk.advance(5);
        await desk.store.end(selectorsOf(record)[index]!);
        assert.equal(await desk.store.create(record), 'ended');
        assert.deepEqual(await desk.lives(record.id), [false]);
        assert.equal(desk.store.size(), 0);
      });

      test(`by ${by} lets a sign-in through that begins right after it`, async (desk) => {
        const first = await desk.signIn();
        const { sub, sid, user } = first.record;
        await desk.store.end(selectorsOf(first.record)[index]!);
        const second = await desk.signIn({ sub, sid, user });
        assert.deepEqual(await desk.lives(first.record.id, second.record.id), [false, true]);
      });

      test(`by ${by} leaves every other user alone`, async (desk) => {
        const [session, other] = [await desk.signIn(), await desk.signIn()];
        await desk.store.end(selectorsOf(session.record)[index]!);
        const namesAll = by === 'all' || by === 'client';
        assert.deepEqual(await desk.lives(other.record.id), [!namesAll]);
        assert.equal(other.ended, namesAll);
      });
    }

    test('of a sid that three sessions share ends all three', async (desk) => {
      const shared = { sid: 'shared', sub: 'ada' };
      const sessions = [await desk.signIn(shared), await desk.signIn(shared), await desk.signIn(shared)];
      const ended = await desk.store.end({ by: 'sid', issuer: ISSUER, sid: 'shared' });
      assert.equal(ended.length, 3);
      assert.deepEqual(await desk.lives(...sessions.map(({ record }) => record.id)), [false, false, false]);
    });

    test('of one of five sessions of a sub leaves four, which the sub still finds, whichever came last', async (desk) => {
      const sessions: StoredSession[] = [];
      for (const sid of ['one', 'one', 'two', 'two', 'two']) sessions.push(await desk.signIn({ sub: 'ada', sid }));
      const ids = sessions.map(({ record }) => record.id);
      await desk.store.end({ by: 'handle', handle: sessions[0]!.record.handle });
      assert.deepEqual(await desk.lives(...ids), [false, true, true, true, true]);
      assert.equal((await desk.store.end({ by: 'sid', issuer: ISSUER, sid: 'one' })).length, 1);
      assert.deepEqual(await desk.lives(...ids), [false, false, true, true, true]);
      assert.equal((await desk.store.end({ by: 'sub', issuer: ISSUER, sub: 'ada' })).length, 3);
      assert.deepEqual(await desk.lives(...ids), [false, false, false, false, false]);
    });

    test('of a sid or sub of another issuer ends nothing', async (desk) => {
      const session = await desk.signIn();
      const issuer = `${ISSUER}-other`;
      await desk.store.end({ by: 'sid', issuer, sid: session.record.sid! });
      await desk.store.end({ by: 'sub', issuer, sub: session.record.sub });
      assert.equal(session.ended, false);
    });

    test('of a client ends no session of another client or issuer, neither live nor in the making', async (desk) => {
      const theirs = { clientId: 'another-client' };
      const foreign = { issuer: `${ISSUER}-other` };
      const [ours, ...others] = [await desk.signIn(), await desk.signIn(theirs), await desk.signIn(foreign)];
      const begun = [await desk.record(theirs), await desk.record(foreign)];
      const { issuer, clientId } = ours!.record;
      assert.deepEqual(await desk.store.end({ by: 'client', issuer, clientId }, 9_999_999_999), [ours]);
      assert.deepEqual(await desk.lives(...others.map(({ record }) => record.id)), [true, true]);
      for (const record of begun) assert.notEqual(await desk.store.create(record), 'ended');
    });

    test('of a sid does not end a session whose sub reads the same', async (desk) => {
      const session = await desk.signIn({ sub: 'same', sid: undefined });
      await desk.store.end({ by: 'sid', issuer: ISSUER, sid: 'same' });
      assert.equal(session.ended, false);
    });

    test('by a notice refuses logins whose ID token is older than the notice, and no others', async (desk) => {
      const notice = { by: 'sid', issuer: ISSUER, sid: 'reused' } as const;
      await desk.store.end(notice, 1_000);
      const older = await desk.record({ sid: 'reused', idTokenIssuedAtSeconds: 999 });
      assert.equal(await desk.store.create(older), 'ended');
      await desk.signIn({ sid: 'reused', idTokenIssuedAtSeconds: 1_000 });
    });

    test('by an earlier notice that comes late refuses no less than the later one did', async (desk) => {
      const notice = { by: 'sub', issuer: ISSUER, sub: 'ada' } as const;
      await desk.store.end(notice, 1_000);
      await desk.store.end(notice, 500);
      const record = await desk.record({ sub: 'ada', idTokenIssuedAtSeconds: 700 });
      assert.equal(await desk.store.create(record), 'ended');
    });

    test('of a sub whose notice says nothing of a sid refuses a login of that sub under way with a sid', async (desk) => {
      const record = await desk.record({ sub: 'ada', sid: 'new' });
      await desk.store.end({ by: 'sub', issuer: ISSUER, sub: 'ada' });
      assert.equal(await desk.store.create(record), 'ended');
    });

    test('of a sid is remembered with the time of its arrival', async (desk) => {
      const before = await desk.store.now();
      assert.equal(await desk.store.lastEndOf(ISSUER, 'one'), undefined);
      await desk.store.end({ by: 'sid', issuer: ISSUER, sid: 'one' });
      const first = await desk.store.lastEndOf(ISSUER, 'one');
      assert.ok(first !== undefined && first >= before && first < (await desk.store.now()));
      await desk.advance(1_000);
      await desk.store.end({ by: 'sid', issuer: ISSUER, sid: 'one' });
      assert.ok((await desk.store.lastEndOf(ISSUER, 'one'))! >= first + 1_000);
      assert.equal(await desk.store.lastEndOf(`${ISSUER}-other`, 'one'), undefined);
    });

    test('is remembered while a session of the longest life could still be in the making', async (desk) => {
      const record = await desk.record();
      await desk.store.end({ by: 'sub', issuer: ISSUER, sub: record.sub });
      await desk.advance(60 * 60_000);
      await desk.store.end({ by: 'sub', issuer: ISSUER, sub: 'somebody else' });
      assert.equal(await desk.store.create(record), 'ended');
    });
  });

  describe(`${name}: a sign-in over a live session`, () => {
    test('gives it a new id; the old one finds it for 30 s more', async (desk) => {
      const session = await desk.signIn();
      const [oldId, newId] = [session.record.id, newSessionId()];
      assert.equal(await desk.store.replaceId(session, later(session.record, { id: newId })), 'updated');
      assert.equal(await desk.store.find(newId), session);
      await desk.advance(29_000);
      assert.equal(await desk.store.find(oldId), session);
      await desk.advance(2_000);
      assert.deepEqual(await desk.lives(oldId, newId), [false, true]);
      assert.equal(desk.store.size(), 1);
    });

    test('is activity', async (desk) => {
      const session = await desk.signIn();
      const before = session.lastSeenAt;
      await desk.advance(1_000);
      await desk.store.replaceId(session, later(session.record, { id: newSessionId() }));
      assert.ok(session.lastSeenAt > before);
    });

    test('loses to an update that was quicker, and changes nothing then', async (desk) => {
      const session = await desk.signIn();
      const base = session.record;
      await desk.store.update(session, later(base));
      const newId = newSessionId();
      assert.equal(await desk.store.replaceId(session, later(base, { id: newId })), 'changed');
      assert.deepEqual(await desk.lives(base.id, newId), [true, false]);
    });

    test('makes an update lose that was under way', async (desk) => {
      const session = await desk.signIn();
      const base = session.record;
      const newId = newSessionId();
      await desk.store.replaceId(session, later(base, { id: newId }));
      assert.equal(await desk.store.update(session, later(base)), 'changed');
      assert.equal(session.record.id, newId);
    });

    test('leaves no way in under the old id once the session ends', async (desk) => {
      for (const [index] of selectorsOf(aRecord(0)).entries()) {
        const session = await desk.signIn();
        const oldId = session.record.id;
        await desk.store.replaceId(session, later(session.record, { id: newSessionId() }));
        await desk.store.end(selectorsOf(session.record)[index]!);
        assert.deepEqual(await desk.lives(oldId, session.record.id), [false, false]);
      }
    });
  });

  describe(`${name}: the listing`, () => {
    test('shows every session once, newest last, in pages of at most the limit', async (desk) => {
      const handles: string[] = [];
      for (let n = 0; n < 7; n++) handles.push((await desk.signIn()).record.handle);
      assert.deepEqual(await allPages(desk.store, 3), handles);
      assert.equal((await desk.store.list({}, 3, undefined)).sessions.length, 3);
      assert.equal((await desk.store.list({}, 7, undefined)).nextCursor, undefined);
    });

    test('misses and repeats nothing that lives throughout, whatever comes and goes between its pages', async (desk) => {
      const sessions: StoredSession[] = [];
      for (let n = 0; n < 6; n++) sessions.push(await desk.signIn());
      const lasting = sessions.filter((_, index) => index % 2 === 1);
      const seen: string[] = [];
      let cursor: string | undefined;
      let page = 0;
      do {
        const listed = await desk.store.list({}, 2, cursor);
        seen.push(...listed.sessions.map(({ record }) => record.handle));
        cursor = listed.nextCursor;
        const going = sessions[page * 2];
        if (going !== undefined) await desk.store.end({ by: 'handle', handle: going.record.handle });
        for (const session of lasting) {
          await desk.store.replaceId(session, later(session.record, { id: newSessionId() }));
        }
        page++;
      } while (cursor !== undefined);
      for (const { record } of lasting) assert.equal(seen.filter((handle) => handle === record.handle).length, 1);
    });

    test('is narrowed by user, sub and sid, each and together', async (desk) => {
      const first = await desk.signIn({ user: 'ada', sub: 'a', sid: 'one' });
      const second = await desk.signIn({ user: 'ada', sub: 'a', sid: 'two' });
      await desk.signIn({ user: 'grace', sub: 'g', sid: 'three' });
      const handlesOf = async (filter: Parameters<SessionStore['list']>[0]) =>
        (await desk.store.list(filter, 10, undefined)).sessions.map(({ record }) => record.handle);
      assert.deepEqual(await handlesOf({ user: 'ada' }), [first.record.handle, second.record.handle]);
      assert.deepEqual(await handlesOf({ sub: 'a' }), [first.record.handle, second.record.handle]);
      assert.deepEqual(await handlesOf({ sid: 'two' }), [second.record.handle]);
      assert.deepEqual(await handlesOf({ user: 'grace', sub: 'a' }), []);
      assert.deepEqual(await handlesOf({ sid: 'unknown' }), []);
    });

    test('refuses a cursor that is none', async (desk) => {
      await assert.rejects(async () => desk.store.list({}, 10, '../../etc'), { code: 'cursor_invalid', status: 400 });
    });
  });
}

async function allPages(store: SessionStore, limit: number): Promise<string[]> {
  const handles: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.list({}, limit, cursor);
    handles.push(...page.sessions.map(({ record }) => record.handle));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return handles;
}
