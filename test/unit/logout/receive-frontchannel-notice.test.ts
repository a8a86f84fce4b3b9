// Front-channel notices against sign-ins under way, and against whoever makes sids up.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GatewayError } from '../../../src/base/gateway-error.ts';
import { createReceiveFrontchannelNotice } from '../../../src/logout/receive-frontchannel-notice.ts';
import { SessionDesk } from '../../support/session-desk.ts';
import { aRecord, ISSUER } from '../../support/session-records.ts';

function setUp(list?: () => never) {
  const desk = new SessionDesk();
  let marks = 0;
  const receive = createReceiveFrontchannelNotice({
    issuer: ISSUER,
    store: list === undefined ? desk.store : { list },
    endSessions: (selector, cause) => {
      marks += 1;
      return desk.ending.endSessions(selector, cause);
    },
    clock: desk.clock,
    emit: (event) => desk.events.push(event),
  });
  return { desk, marks: () => marks, notify: (sid: string) => receive({ iss: [ISSUER], sid: [sid] }) };
}

describe('a front-channel notice', () => {
  test('refuses the sign-in that had begun, and no later one', async () => {
    const { desk, notify } = setUp();
    const beganAt = desk.store.now();
    assert.equal(await notify('of-alice'), 'accepted');
    assert.equal(desk.store.create(aRecord(beganAt, { sid: 'of-alice' })), 'ended');
    assert.notEqual(desk.store.create(aRecord(desk.store.now(), { sid: 'of-alice' })), 'ended');
  });

  test('that names nobody is remembered a hundred times at once, then ten times a minute', async () => {
    const { desk, marks, notify } = setUp();
    for (let n = 0; n < 1_000; n++) assert.equal(await notify(`made-up-${n}`), 'accepted');
    assert.equal(marks(), 100);
    await desk.clock.pass(60_000, 60_000);
    for (let n = 0; n < 1_000; n++) await notify(`made-up-again-${n}`);
    assert.equal(marks(), 110);
  });

  test('ends here whom it names while the store cannot say who that is; beyond the measure it is refused', async () => {
    const { desk, marks, notify } = setUp(() => {
      throw new GatewayError('store_unavailable', { status: 503, message: 'the store is down' });
    });
    const session = desk.signIn({ sid: 'of-alice' });
    await notify('of-alice');
    assert.equal(desk.isAlive(session), false);
    for (let n = 1; n < 100; n++) await notify(`made-up-${n}`);
    assert.equal(await notify('one-more'), 'refused');
    assert.equal(marks(), 100);
  });

  test('ends whom it names all the same, however many named nobody', async () => {
    const { desk, notify } = setUp();
    const session = desk.signIn({ sid: 'of-alice' });
    for (let n = 0; n < 1_000; n++) await notify(`made-up-${n}`);
    await notify('of-alice');
    assert.equal(desk.isAlive(session), false);
  });
});
