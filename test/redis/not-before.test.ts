// Ends of a whole client and not-befores in the shared store: one replica hears them, all hold to them (design: everywhere).

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { StoredSession } from '../../src/session/session-record.ts';
import type { EndSelector } from '../../src/session/session-store.ts';
import { aRecord, aTokenSet, ISSUER } from '../support/session-records.ts';
import { RedisServer } from './redis-server.ts';
import { Replica } from './replica.ts';

/** An instant of the provider's, in the far future: no store finds it too old. */
const T = 9_000_000_000;
const CLIENT = { issuer: ISSUER, clientId: 'wiki-gate' };

const ENDS: readonly EndSelector[] = [
  { by: 'client', ...CLIENT },
  { by: 'client_tokens', ...CLIENT, issuedBeforeSeconds: T },
  { by: 'sub_tokens', issuer: ISSUER, sub: 'ada', issuedBeforeSeconds: T },
];

let server: RedisServer;
let a: Replica;
let b: Replica;
before(async () => {
  server = await RedisServer.start();
});
after(() => server.close());
beforeEach(async () => {
  await server.command('FLUSHALL');
  [a, b] = [await Replica.start(server.port), await Replica.start(server.port)];
});
afterEach(() => Promise.all([a.stop(), b.stop()]));

async function signIn({ store }: Replica, sub: string, issuedAtSeconds: number): Promise<StoredSession> {
  const tokens = aTokenSet({ issuedAtSeconds });
  const session = await store.create(
    aRecord(await store.now(), { sub, tokens, idTokenIssuedAtSeconds: issuedAtSeconds }),
  );
  assert.ok(session !== 'ended');
  return session;
}

/** How many ends have been told so far. */
async function told(): Promise<number> {
  return Number(/(\d+)\D*$/.exec(await server.command('HGET', 'portcullis:{ends}:bus', 'seq'))![1]);
}

describe('of two replicas', () => {
  for (const selector of ENDS) {
    test(`one ends by ${selector.by} what the other holds, and gives it back`, async () => {
      const session = await signIn(a, 'ada', T - 1);
      const handles = (await b.store.end(selector)).map(({ record }) => record.handle);
      assert.deepEqual(handles, [session.record.handle]);
      assert.equal(session.ended, true);
      assert.deepEqual(
        a.stopped.map(({ record }) => record.handle),
        handles,
      );
      assert.equal(await a.store.find(session.record.id), undefined);
    });
  }

  test('one hears a not-before, and the other refuses older tokens from then on', async () => {
    await b.store.end({ by: 'client_tokens', ...CLIENT, issuedBeforeSeconds: T });
    const old = { tokens: aTokenSet({ issuedAtSeconds: T - 1 }), idTokenIssuedAtSeconds: T - 1 };
    assert.equal(await a.store.create(aRecord(await a.store.now(), old)), 'ended');
    await signIn(a, 'ada', T);
  });

  test('neither tells a not-before again that it knows, nor one that is older than any session', async () => {
    const ofAda = { by: 'sub_tokens', issuer: ISSUER, sub: 'ada' } as const;
    await a.store.end({ ...ofAda, issuedBeforeSeconds: T });
    const before = await told();
    for (const { store } of [a, b]) {
      for (const issuedBeforeSeconds of [T, T - 10, 1_000_000_000]) {
        assert.deepEqual(await store.end({ ...ofAda, issuedBeforeSeconds }), []);
        store.endHeld({ ...ofAda, issuedBeforeSeconds });
      }
    }
    await a.store.end({ by: 'sub_tokens', issuer: ISSUER, sub: 'grace', issuedBeforeSeconds: 1_000_000_000 });
    assert.equal(await told(), before);
    await b.store.end({ ...ofAda, issuedBeforeSeconds: T + 1 });
    assert.equal(await told(), before + 1);
  });
});
