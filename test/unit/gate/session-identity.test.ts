// Identity headers are made once, signatures renewed in time, and what needs none never waits.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Assertion, GateRoute } from '../../../src/gate/gate-route.ts';
import { createSessionIdentity } from '../../../src/gate/session-identity.ts';
import type { SessionRecord } from '../../../src/session/session-record.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const RECORD = {} as SessionRecord;

function routeWith(assertion?: GateRoute['assertion']): GateRoute {
  return { identityHeaders: () => ['X-User', 'alice'], assertion } as unknown as GateRoute;
}

describe('the identity headers of a session', () => {
  it('are a plain value, and the same one, where nothing is signed', () => {
    const identity = createSessionIdentity(new ManualClock());
    const route = routeWith();
    const headers = identity(route, RECORD);
    assert.deepEqual(headers, ['X-User', 'alice']);
    assert.equal(identity(route, RECORD), headers);
  });

  it('requests at once wait for one signature, and later ones have it at hand until it is renewed', async () => {
    const clock = new ManualClock();
    const identity = createSessionIdentity(clock);
    let signed = 0;
    const route = routeWith(async (): Promise<Assertion> => {
      signed++;
      return { headers: ['X-Assertion', String(signed)], renewAtMs: clock.monotonicMs() + 60_000 };
    });
    const [one, other] = await Promise.all([identity(route, RECORD), identity(route, RECORD)]);
    assert.deepEqual([one, other], Array(2).fill(['X-User', 'alice', 'X-Assertion', '1']));
    assert.equal(identity(route, RECORD), one);
    clock.advance(59_999);
    assert.equal(identity(route, RECORD), one);
    clock.advance(1);
    assert.deepEqual(await identity(route, RECORD), ['X-User', 'alice', 'X-Assertion', '2']);
    assert.equal(signed, 2);
  });

  it('another record is signed for itself', async () => {
    const clock = new ManualClock();
    const identity = createSessionIdentity(clock);
    let signed = 0;
    const route = routeWith(async () => ({ headers: ['X-Assertion', String(++signed)], renewAtMs: 60_000 }));
    await identity(route, RECORD);
    assert.deepEqual(await identity(route, {} as SessionRecord), ['X-User', 'alice', 'X-Assertion', '2']);
  });

  it('a signature that cannot be made is a rejection, and is tried again', async () => {
    const identity = createSessionIdentity(new ManualClock());
    let attempts = 0;
    const route = routeWith(async () => {
      if (++attempts === 1) throw new Error('no key');
      return { headers: ['X-Assertion', 'a'], renewAtMs: 60_000 };
    });
    await assert.rejects(Promise.resolve(identity(route, RECORD)), /no key/);
    assert.deepEqual(await identity(route, RECORD), ['X-User', 'alice', 'X-Assertion', 'a']);
  });
});
