// What every session store must do with bearer tokens: a session like others, with the same names, whose record may come
// again after its end, because its holder can show the token again (design: a bearer access token whose sid was ended).

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { bearerSessionId } from '../../src/base/ids.ts';
import { bearerRecord } from '../../src/session/bearer-record.ts';
import type { SessionRecord, StoredSession } from '../../src/session/session-record.ts';
import type { EndSelector } from '../../src/session/session-store.ts';
import { ISSUER } from '../support/session-records.ts';
import { type Open, type StoreDesk, storeTests } from './store-desk.ts';

const TOLERANCE_SECONDS = 30;
const CLIENT_ID = 'wiki-gate';

/** Part of the suite of every store. */
export function bearerContract(name: string, open: Open): void {
  describe(`${name}: bearer tokens`, () => bearerTests(storeTests(open)));
}

function bearerTests(test: ReturnType<typeof storeTests>): void {
  test('a bearer token is found by its own id, and coming again it finds the session that is there', async (desk) => {
    const session = await show(desk, {});
    assert.equal(await desk.store.find(session.record.id), session);
    await desk.advance(1_000);
    assert.equal(await desk.store.create(await record(desk, {})), session);
    assert.equal(desk.store.size(), 1);
    assert.equal((await desk.store.end({ by: 'sid', issuer: ISSUER, sid: 'sid-1' })).length, 1);
    assert.equal(await desk.store.find(session.record.id), undefined);
  });

  test('at its expiry it goes and nothing is remembered; an end by its handle is for good', async (desk) => {
    const { record: first } = await show(desk, {});
    const { handle } = first;
    assert.equal((await desk.store.end({ by: 'expired', handle })).length, 1);
    assert.equal(await desk.store.find(first.id), undefined);
    assert.equal((await show(desk, {})).record.handle, handle);
    assert.equal((await desk.store.end({ by: 'handle', handle })).length, 1);
    await desk.advance(60 * 60_000);
    assert.equal(await desk.store.create(first), 'ended');
  });

  for (const selector of selectors()) {
    test(`an end by ${selector.by} refuses the tokens that may be older, shown before or not`, async (desk) => {
      const session = await show(desk, {});
      assert.equal((await desk.store.end(selector)).length, 1);
      assert.equal(session.ended, true);
      // After the end, which a store elsewhere may reach in the second after this one's.
      const at = await seconds(desk);
      assert.equal(await desk.store.create(session.record), 'ended');
      for (const issuedAt of [at - 60, at, at + TOLERANCE_SECONDS]) {
        assert.equal(await desk.store.create(await record(desk, { jti: 'unseen', issuedAt })), 'ended');
      }
      await desk.advance((TOLERANCE_SECONDS + 1) * 1_000);
      await show(desk, { jti: 'later', issuedAt: at + TOLERANCE_SECONDS + 1 });
    });
  }

  const toldOfMany = [
    { by: 'sub', issuer: ISSUER, sub: 'ada' },
    { by: 'client', issuer: ISSUER, clientId: CLIENT_ID },
  ] as const;
  for (const selector of toldOfMany) {
    test(`a notice of a ${selector.by} refuses tokens up to its own second, by the provider's clock alone`, async (desk) => {
      const at = await seconds(desk);
      await desk.advance(2_000);
      await desk.store.end(selector, at + 1);
      for (const issuedAt of [at, at + 1]) {
        assert.equal(await desk.store.create(await record(desk, { jti: 'unseen', issuedAt })), 'ended');
      }
      // The second of the notice's arrival may be the one after the second that it was sent in.
      await desk.advance(2_000);
      await show(desk, { jti: 'later', issuedAt: at + 4 });
    });
  }

  test('a notice of a provider whose clock is ahead refuses the tokens of its second, however late they are shown', async (desk) => {
    const at = await seconds(desk);
    await desk.store.end({ by: 'sub', issuer: ISSUER, sub: 'ada' }, at + 10);
    await desk.advance(20_000);
    assert.equal(await desk.store.create(await record(desk, { issuedAt: at + 10 })), 'ended');
    await show(desk, { jti: 'later', issuedAt: at + 11 });
  });

  for (const by of ['client_tokens', 'sub_tokens'] as const) {
    test(`a not-before by ${by} refuses tokens that were issued before it, and none of its own second`, async (desk) => {
      const at = await seconds(desk);
      const session = await show(desk, { issuedAt: at - 1 });
      const notBefore = { by, issuer: ISSUER, clientId: CLIENT_ID, sub: 'ada', issuedBeforeSeconds: at };
      assert.deepEqual(await desk.store.end(notBefore), [session]);
      assert.equal(await desk.store.create(session.record), 'ended');
      assert.equal(await desk.store.create(await record(desk, { jti: 'unseen', issuedAt: at - 1 })), 'ended');
      await show(desk, { jti: 'later', issuedAt: at });
    });
  }

  test('a notice of a sid refuses what the provider issued for it a moment later', async (desk) => {
    const at = await seconds(desk);
    await desk.store.end({ by: 'sid', issuer: ISSUER, sid: 'sid-1' }, at);
    await desk.advance(10_000);
    assert.equal(await desk.store.create(await record(desk, { issuedAt: at + 10 })), 'ended');
    await show(desk, { sid: 'sid-2', issuedAt: at + 10 });
  });
}

/** Every way to name the token's session but by its handle. */
function selectors(): EndSelector[] {
  return [
    { by: 'sid', issuer: ISSUER, sid: 'sid-1' },
    { by: 'sub', issuer: ISSUER, sub: 'ada' },
    { by: 'user', user: 'ada' },
    { by: 'client', issuer: ISSUER, clientId: CLIENT_ID },
    { by: 'all' },
  ];
}

interface TokenFacts {
  readonly jti?: string;
  readonly sid?: string;
  readonly issuedAt?: number;
}

async function seconds({ store }: StoreDesk): Promise<number> {
  return Math.floor((await store.now()) / 1000);
}

async function record(desk: StoreDesk, { jti = 'one', sid = 'sid-1', issuedAt }: TokenFacts): Promise<SessionRecord> {
  const now = await desk.store.now();
  const issuedAtSeconds = issuedAt ?? Math.floor(now / 1000);
  const token = `header.${Buffer.from(jti).toString('base64url')}.signature`;
  return bearerRecord({
    id: bearerSessionId(token)!,
    token,
    issuer: ISSUER,
    clientId: CLIENT_ID,
    sub: 'ada',
    sid,
    claims: {},
    issuedAtSeconds,
    expiresAtSeconds: issuedAtSeconds + 300,
    now,
    wallNow: now,
    clockToleranceMs: TOLERANCE_SECONDS * 1000,
    address: '192.0.2.1',
    userAgent: 'test',
  });
}

async function show(desk: StoreDesk, facts: TokenFacts): Promise<StoredSession> {
  const session = await desk.store.create(await record(desk, facts));
  assert.ok(session !== 'ended', 'the token is refused');
  return session;
}
