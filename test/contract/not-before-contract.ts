// The not-before in the contract of the session stores (src/session/session-store.ts; design: triggers, Keycloak revocation
// push): tokens that the provider issued before it are void, whatever happens in which order.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { newSessionId } from '../../src/base/ids.ts';
import type { SessionRecord } from '../../src/session/session-record.ts';
import type { NotBeforeSelector } from '../../src/session/session-store.ts';
import { aTokenSet, ISSUER } from '../support/session-records.ts';
import { later, type Open, type StoreDesk, storeTests } from './store-desk.ts';

/** The instant of most of these tests, by the provider's clock: in the far future, so that no store finds it too old. */
const T = 9_000_000_000;
const ADA = { issuer: ISSUER, clientId: 'wiki-gate', sub: 'ada' };

const KINDS: Readonly<Record<NotBeforeSelector['by'], (seconds: number) => NotBeforeSelector>> = {
  client_tokens: (seconds) => {
    return { by: 'client_tokens', issuer: ISSUER, clientId: ADA.clientId, issuedBeforeSeconds: seconds };
  },
  sub_tokens: (seconds) => ({ by: 'sub_tokens', issuer: ISSUER, sub: ADA.sub, issuedBeforeSeconds: seconds }),
};

/** A session of Ada's whose tokens, those of its sign-in too, are of this second. */
function issuedAt(seconds: number): Partial<SessionRecord> {
  return { ...ADA, idTokenIssuedAtSeconds: seconds, tokens: aTokenSet({ issuedAtSeconds: seconds }) };
}

/** Part of the suite of every store. */
export function notBeforeContract(name: string, open: Open): void {
  const test = storeTests(open);

  for (const [by, notBefore] of Object.entries(KINDS)) {
    describe(`${name}: a not-before by ${by}`, () => {
      test('ends the sessions with older tokens, once, and none with tokens of the same second', async (desk) => {
        const [older, same] = [await desk.signIn(issuedAt(T - 1)), await desk.signIn(issuedAt(T))];
        assert.deepEqual(await desk.store.end(notBefore(T)), [older]);
        assert.deepEqual([older.ended, same.ended], [true, false]);
        assert.deepEqual(await desk.lives(older.record.id, same.record.id), [false, true]);
        assert.deepEqual(await desk.store.end(notBefore(T)), []);
      });

      test('judges the tokens that a session has now, not those of its sign-in', async (desk) => {
        const session = await desk.signIn(issuedAt(T - 1));
        await desk.store.update(session, later(session.record, { tokens: aTokenSet({ issuedAtSeconds: T + 1 }) }));
        assert.deepEqual(await desk.store.end(notBefore(T)), []);
        assert.equal(session.ended, false);
      });

      test('refuses a sign-in with older tokens, whenever it began, and no other', async (desk) => {
        const begunBefore = await desk.record(issuedAt(T - 1));
        const begunBeforeToo = await desk.record(issuedAt(T));
        await desk.store.end(notBefore(T));
        assert.equal(await desk.store.create(begunBefore), 'ended');
        assert.notEqual(await desk.store.create(begunBeforeToo), 'ended');
        assert.equal(await desk.store.create(await desk.record(issuedAt(T - 1))), 'ended');
        await desk.signIn(issuedAt(T));
      });

      test('refuses an update and a new id with older tokens, and changes nothing then', async (desk) => {
        const session = await desk.signIn(issuedAt(T));
        await desk.store.end(notBefore(T));
        const tokens = aTokenSet({ issuedAtSeconds: T - 1 });
        assert.equal(await desk.store.update(session, later(session.record, { tokens })), 'ended');
        const id = newSessionId();
        assert.equal(await desk.store.replaceId(session, later(session.record, { id, tokens })), 'ended');
        assert.equal(session.record.tokens.issuedAtSeconds, T);
        assert.deepEqual(await desk.lives(session.record.id, id), [true, false]);
      });

      test('never moves back: an earlier one and 0 change nothing', async (desk) => {
        await desk.store.end(notBefore(T));
        await desk.store.end(notBefore(T - 100));
        await desk.store.end(notBefore(0));
        assert.equal(await desk.store.create(await desk.record(issuedAt(T - 1))), 'ended');
        await desk.signIn(issuedAt(T));
      });

      test('moves on: a later one ends what the earlier one spared', async (desk) => {
        await desk.store.end(notBefore(T));
        const session = await desk.signIn(issuedAt(T));
        assert.deepEqual(await desk.store.end(notBefore(T + 1)), [session]);
      });

      test('is nothing to another issuer, and to nobody whom it does not name', async (desk) => {
        const other = by === 'sub_tokens' ? { sub: 'grace' } : { clientId: 'another-client' };
        const foreign = { issuer: `${ISSUER}-other` };
        const sessions = await signInEach(desk, [other, foreign]);
        assert.deepEqual(await desk.store.end(notBefore(T)), []);
        sessions.push(...(await signInEach(desk, [other, foreign])));
        assert.deepEqual(await desk.lives(...sessions), [true, true, true, true]);
      });

      test('is remembered as long as a session may live, whatever ends meanwhile', async (desk) => {
        const seconds = Math.floor((await desk.store.now()) / 1000);
        await desk.store.end(notBefore(seconds));
        await desk.advance(60 * 60_000);
        await desk.store.end({ by: 'sub', issuer: ISSUER, sub: 'somebody else' });
        assert.equal(await desk.store.create(await desk.record(issuedAt(seconds - 1))), 'ended');
      });
    });
  }

  describe(`${name}: not-befores of a client and of a user`, () => {
    test('stand beside each other: the later one counts', async (desk) => {
      await desk.store.end(KINDS.client_tokens(T));
      await desk.store.end(KINDS.sub_tokens(T + 10));
      assert.equal(await desk.store.create(await desk.record(issuedAt(T + 9))), 'ended');
      await desk.signIn({ ...issuedAt(T + 9), sub: 'grace' });
      assert.equal(await desk.store.create(await desk.record({ ...issuedAt(T - 1), sub: 'grace' })), 'ended');
    });
  });
}

async function signInEach(desk: StoreDesk, whose: readonly Partial<SessionRecord>[]): Promise<SessionRecord['id'][]> {
  const sessions = await Promise.all(whose.map((each) => desk.signIn({ ...issuedAt(T - 1), ...each })));
  return sessions.map(({ record }) => record.id);
}
