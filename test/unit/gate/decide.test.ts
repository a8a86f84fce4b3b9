// The decision looks at the session again after every wait.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileRouteTable } from '../../../src/access/route-table.ts';
import { createDecide, type RequestFacts } from '../../../src/gate/decide.ts';
import type { GateRoute } from '../../../src/gate/gate-route.ts';
import type { SessionIdentity } from '../../../src/gate/session-identity.ts';
import type { SessionRecord, StoredSession } from '../../../src/session/session-record.ts';

const ROUTE = {
  name: 'app',
  unauthenticated: 'deny',
  websocket: { enabled: true, origins: [] },
  access: [{ path: '/staff', groups: ['staff'] }],
} as unknown as GateRoute;

const FACTS = { host: 'a', method: 'GET', target: '/staff', websocket: false } as RequestFacts;

interface TestSession {
  record: SessionRecord;
  lastSeenAt: number;
  ended: boolean;
}

function decideWith(session: TestSession, identity: SessionIdentity) {
  const active: StoredSession[] = [];
  const decide = createDecide({
    routes: compileRouteTable([ROUTE]),
    identify: () => session,
    identifyBearer: () => ({ refused: 'no token' }),
    noteActivity: (each) => active.push(each),
    identity,
  });
  return { decide, active };
}

const recordWith = (groups: string[]) => ({ claims: { groups } }) as unknown as SessionRecord;

describe('a decision that waits for a signature', () => {
  it('lets nobody through whose session ended meanwhile', async () => {
    const session = { record: recordWith(['staff']), lastSeenAt: 0, ended: false };
    const signature = Promise.withResolvers<readonly string[]>();
    const { decide, active } = decideWith(session, () => signature.promise);
    const decision = decide(FACTS);
    session.ended = true;
    signature.resolve([]);
    assert.equal((await decision).kind, 'unauthenticated');
    assert.deepEqual(active, []);
  });

  it('goes by the claims that the session has by then, and sends what is made of those', async () => {
    const session = { record: recordWith(['staff']), lastSeenAt: 0, ended: false };
    const signature = Promise.withResolvers<readonly string[]>();
    const later = recordWith(['staff', 'ops']);
    const { decide } = decideWith(session, (_, record) =>
      record === later ? ['X-Assertion', 'later'] : signature.promise,
    );
    const decision = decide(FACTS);
    session.record = later;
    signature.resolve(['X-Assertion', 'stale']);
    const settled = await decision;
    assert.deepEqual(settled.kind === 'allow' && settled.identity, ['X-Assertion', 'later']);
    session.record = recordWith([]);
    assert.equal((await decide(FACTS)).kind, 'forbidden');
  });

  it('is "unavailable" where no signature can be made', async () => {
    const session = { record: recordWith(['staff']), lastSeenAt: 0, ended: false };
    const { decide } = decideWith(session, () => Promise.reject(new Error('no key')));
    assert.equal((await decide(FACTS)).kind, 'unavailable');
  });
});
