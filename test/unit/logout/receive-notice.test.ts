// Receiving logout notices (design: receiving a logout token; security catalogue BCL-01, 02, 14, 15, 16).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatewayError } from '../../../src/base/gateway-error.ts';
import { settled } from '../../support/manual-clock.ts';
import { NoticeDesk } from '../../support/notice-desk.ts';
import { aRecord, ISSUER } from '../../support/session-records.ts';

describe('a logout notice', () => {
  it('with sid and sub ends the sessions of the sid, and leaves the other sessions of the sub', async () => {
    const desk = new NoticeDesk();
    const [one, two] = [desk.signIn({ sub: 'ada', sid: 'one' }), desk.signIn({ sub: 'ada', sid: 'two' })];
    assert.equal((await desk.notify({ sub: 'ada', sid: 'one' })).status, 200);
    assert.deepEqual(desk.alive(one, two), [false, true]);
  });

  it('with sid and sub casts doubt on the other sessions of the sub; one with a sub alone, or about nobody, does not', async () => {
    const desk = new NoticeDesk();
    await desk.notify({ sub: 'ada', sid: 'one' });
    await desk.notify({ sub: 'ada' });
    await desk.notify({ sid: 'one' });
    assert.deepEqual(desk.suspected, [`${ISSUER} ada`]);
  });

  it('with a sid casts doubt on the other sessions of those whom it ends, under the sub that we know', async () => {
    const desk = new NoticeDesk();
    desk.signIn({ sub: 'pairwise', sid: 'one' });
    desk.signIn({ sub: 'pairwise', sid: 'one' });
    await desk.notify({ sid: 'one' });
    assert.deepEqual(desk.suspected, [`${ISSUER} pairwise`]);
  });

  it('ends the sid although its sub is another than the one we know: older Keycloaks send an internal one', async () => {
    const desk = new NoticeDesk();
    const session = desk.signIn({ sub: 'pairwise', sid: 'one' });
    await desk.notify({ sub: 'internal', sid: 'one' });
    assert.deepEqual(desk.alive(session), [false]);
  });

  it('with a sid alone ends all three sessions of the sid', async () => {
    const desk = new NoticeDesk();
    const sessions = [1, 2, 3].map(() => desk.signIn({ sid: 'one' }));
    await desk.notify({ sid: 'one' });
    assert.deepEqual(desk.alive(...sessions), [false, false, false]);
  });

  it('with a sub alone ends all that is left of its five sessions, when the oldest was ended before', async () => {
    const desk = new NoticeDesk();
    const sessions = ['one', 'one', 'one', 'two', 'two'].map((sid) => desk.signIn({ sub: 'ada', sid }));
    const other = desk.signIn();
    await desk.ending.endSessions({ by: 'handle', handle: sessions[0]!.record.handle }, { reason: 'operator' });
    await desk.notify({ sub: 'ada' });
    assert.deepEqual(desk.alive(...sessions, other), [false, false, false, false, false, true]);
    assert.deepEqual(
      desk.events.filter((event) => event.event === 'notice.accepted'),
      [{ event: 'notice.accepted', kind: 'backchannel', sub: 'ada', sid: undefined, ended: 4 }],
    );
  });

  it('about nobody is answered like one that ends sessions', async () => {
    const desk = new NoticeDesk();
    desk.signIn({ sid: 'one' });
    const known = await desk.notify({ sid: 'one' });
    const unknown = await desk.notify({ sid: 'never seen' });
    const again = await desk.notify({ sid: 'one' });
    assert.deepEqual([unknown, again], [known, known]);
    assert.deepEqual(known, { status: 200, body: '{"logged_out":true}' });
  });

  it('is answered while the closes are still going on, and the account says which notice it was', async () => {
    const desk = new NoticeDesk();
    const session = desk.signIn({ sid: 'one' });
    const owner = desk.registry.connect(session, { websockets: 1 });
    assert.equal((await desk.notify({ sid: 'one' })).status, 200);
    assert.equal(owner.stopped, true);
    desk.registry.finishClosing();
    await settled();
    const [account] = desk.ended();
    assert.deepEqual([account?.reason, account?.notice], ['backchannel_logout', 'backchannel']);
  });

  it('of the same second as a new login does not refuse it, and one of a later second does', async () => {
    const desk = new NoticeDesk();
    const second = Math.floor(desk.clock.now() / 1000);
    await desk.notify({ sid: 'one', issuedAtSeconds: second });
    const now = desk.store.now();
    assert.notEqual(desk.store.create(aRecord(now, { sid: 'one', idTokenIssuedAtSeconds: second })), 'ended');
    assert.equal(desk.store.create(aRecord(now, { sid: 'one', idTokenIssuedAtSeconds: second - 1 })), 'ended');
  });
});

describe('a notice that comes again', () => {
  it('is answered 200 and ends nothing: whoever signed in since is let be, in the same second too', async () => {
    const desk = new NoticeDesk();
    const before = desk.signIn({ sub: 'ada' });
    const token = desk.token({ sub: 'ada' });
    const first = await desk.send(token);
    const after = desk.signIn({ sub: 'ada' });
    assert.deepEqual(await desk.send(token), first);
    assert.deepEqual(desk.alive(before, after), [false, true]);
  });

  it('works after its first attempt has failed', async () => {
    const desk = new NoticeDesk();
    const session = desk.signIn({ sid: 'one' });
    const token = desk.token({ sid: 'one' });
    const { end } = desk.store;
    desk.store.end = () => {
      throw new Error('store down');
    };
    assert.equal((await desk.send(token)).status, 400);
    desk.store.end = end;
    assert.equal((await desk.send(token)).status, 200);
    assert.deepEqual(desk.alive(session), [false]);
  });

  it('twice at once is carried out once and answered twice', async () => {
    const desk = new NoticeDesk();
    const session = desk.signIn({ sid: 'one' });
    const token = desk.token({ sid: 'one' });
    const answers = await Promise.all([desk.send(token), desk.send(token)]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200],
    );
    await settled();
    assert.deepEqual(desk.alive(session), [false]);
    assert.equal(desk.ended().length, 1);
  });

  it('is another notice where only the jti is the same', async () => {
    const desk = new NoticeDesk();
    const [one, two] = [desk.signIn({ sid: 'one' }), desk.signIn({ sid: 'two' })];
    await desk.notify({ sid: 'one', jti: 'same' });
    await desk.notify({ sid: 'two', jti: 'same' });
    assert.deepEqual(desk.alive(one, two), [false, false]);
  });
});

describe('a notice that is refused', () => {
  const BODY = '{"error":"invalid_request","error_description":"The logout request was not carried out."}';

  it('ends nothing, and says the same whatever was wrong; only operators hear why', async () => {
    const desk = new NoticeDesk();
    const session = desk.signIn({ sid: 'one' });
    const answers = [await desk.send('forged'), await desk.notify({}), await desk.send('')];
    desk.store.end = () => {
      throw new GatewayError('store_unavailable', { status: 503, message: 'the store is down' });
    };
    answers.push(await desk.notify({ sid: 'one' }));
    assert.deepEqual(answers, Array(4).fill({ status: 400, body: BODY }));
    assert.deepEqual(desk.alive(session), [true]);
    assert.deepEqual(
      desk.events.map((event) => (event.event === 'notice.refused' ? event.why : event.event)),
      ['no such key', 'the token names neither a sid nor a sub', 'logout_token is empty', 'the store is down'],
    );
  });

  it('because of an error of ours tells nobody what that error said', async () => {
    const desk = new NoticeDesk();
    desk.store.end = () => {
      throw new Error('secret of the store');
    };
    assert.equal((await desk.notify({ sid: 'one' })).status, 400);
    assert.ok(!JSON.stringify(desk.events).includes('secret'));
  });
});

describe('a notice and a sign-in', () => {
  it('that had begun its code exchange when the notice came is refused, though the SSO session was unknown then', async () => {
    const desk = new NoticeDesk();
    const underWay = aRecord(desk.store.now(), { sid: 'one', sub: 'ada' });
    await desk.notify({ sid: 'one', sub: 'ada' });
    assert.equal(desk.store.create(underWay), 'ended');
    assert.equal(desk.store.size(), 0);
  });

  it('that begins while the keys for the notice are still being fetched loses too: it existed when the end arrived', async () => {
    const desk = new NoticeDesk();
    const keys = Promise.withResolvers<void>();
    desk.keys = keys.promise;
    const answer = desk.notify({ sid: 'one' });
    await settled();
    const session = desk.signIn({ sid: 'one' });
    keys.resolve();
    assert.equal((await answer).status, 200);
    assert.deepEqual(desk.alive(session), [false]);
  });

  it('of a sub-only notice loses under whatever sid it comes', async () => {
    const desk = new NoticeDesk();
    const underWay = aRecord(desk.store.now(), { sid: 'brand new', sub: 'ada' });
    await desk.notify({ sub: 'ada' });
    assert.equal(desk.store.create(underWay), 'ended');
  });

  it('that begins in the same second, right after a sub-only notice, stays', async () => {
    const desk = new NoticeDesk();
    await desk.notify({ sub: 'ada' });
    assert.deepEqual(desk.alive(desk.signIn({ sub: 'ada' })), [true]);
  });
});
