// Keycloak's Admin URL notices, once they are found genuine (design: triggers; reference: semantics of Keycloak's adapters).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { settled } from '../../support/manual-clock.ts';
import { NoticeDesk } from '../../support/notice-desk.ts';
import { aRecord, aTokenSet, ISSUER } from '../../support/session-records.ts';

const LOGGED_OUT = { status: 200, body: '{"logged_out":true}' };
const ACCEPTED = { status: 200, body: '{"accepted":true}' };

describe('k_logout with session ids', () => {
  it('ends the sessions that it names, by our handle and by sid, and no other', async () => {
    const desk = new NoticeDesk();
    const [byHandle, bySid, sameSid, other] = [
      desk.signIn(),
      desk.signIn({ sid: 'one' }),
      desk.signIn({ sid: 'one' }),
      desk.signIn(),
    ];
    const answer = await desk.order('k_logout', {
      adapterSessionIds: [byHandle!.record.handle, 's_unknown'],
      keycloakSessionIds: ['one', 'unknown'],
    });
    assert.deepEqual(answer, LOGGED_OUT);
    assert.deepEqual(desk.alive(byHandle!, bySid!, sameSid!, other!), [false, false, false, true]);
    await settled();
    assert.deepEqual(
      desk.ended().map(({ reason, notice }) => [reason, notice]),
      Array(3).fill(['k_logout', 'k_logout']),
    );
    const accepted = desk.events.find(({ event }) => event === 'notice.accepted');
    assert.deepEqual(accepted, {
      event: 'notice.accepted',
      kind: 'k_logout',
      sub: undefined,
      sid: undefined,
      ended: 3,
    });
  });

  for (const list of ['adapterSessionIds', 'keycloakSessionIds'] as const) {
    it(`in ${list} alone ends those`, async () => {
      const desk = new NoticeDesk();
      const [session, other] = [desk.signIn({ sid: 'one' }), desk.signIn()];
      await desk.order('k_logout', { [list]: [list === 'adapterSessionIds' ? session.record.handle : 'one'] });
      assert.deepEqual(desk.alive(session, other), [false, true]);
    });
  }

  it('about a session that we do not know is answered like one that ends sessions', async () => {
    const desk = new NoticeDesk();
    assert.deepEqual(await desk.order('k_logout', { keycloakSessionIds: ['unknown'] }), LOGGED_OUT);
  });

  it('casts doubt on the other sessions of those whom it ends: Keycloak before 26.7 tells a client once for all of them', async () => {
    const desk = new NoticeDesk();
    desk.signIn({ sub: 'ada', sid: 'one' });
    await desk.order('k_logout', { keycloakSessionIds: ['one'] });
    assert.deepEqual(desk.suspected, [`${ISSUER} ada`]);
  });

  it('and a not-before ends those, and whoever has older tokens', async () => {
    const desk = new NoticeDesk();
    const second = desk.second();
    const tokens = aTokenSet({ issuedAtSeconds: second - 1 });
    const [named, older, newer] = [desk.signIn({ sid: 'one' }), desk.signIn({ tokens }), desk.signIn()];
    await desk.order('k_logout', { keycloakSessionIds: ['one'], notBeforeSeconds: second });
    assert.deepEqual(desk.alive(named, older, newer), [false, false, true]);
    await settled();
    assert.deepEqual(
      desk.ended().map(({ reason, notice }) => [reason, notice]),
      [
        ['k_logout', 'k_logout'],
        ['not_before', 'k_logout'],
      ],
    );
  });

  it('refuses a sign-in that had begun its code exchange, and lets one through that begins afterwards', async () => {
    const desk = new NoticeDesk();
    const underWay = [aRecord(desk.store.now(), { sid: 'one' }), aRecord(desk.store.now())];
    const [bySid, byHandle] = underWay as [(typeof underWay)[0], (typeof underWay)[0]];
    await desk.order('k_logout', { adapterSessionIds: [byHandle.handle], keycloakSessionIds: ['one'] });
    assert.deepEqual([desk.store.create(bySid), desk.store.create(byHandle)], ['ended', 'ended']);
    assert.deepEqual(desk.alive(desk.signIn({ sid: 'one' })), [true]);
  });
});

describe('k_logout without session ids', () => {
  for (const [what, lists] of [
    ['that has no lists', {}],
    ['whose lists are empty', { adapterSessionIds: [], keycloakSessionIds: [] }],
    ['of which one list is empty', { keycloakSessionIds: [] }],
  ] as const) {
    it(`${what} ends every session of our client, those of the same second included`, async () => {
      const desk = new NoticeDesk();
      const sessions = [desk.signIn(), desk.signIn({ tokens: aTokenSet({ issuedAtSeconds: desk.second() + 1 }) })];
      const underWay = aRecord(desk.store.now());
      const answer = await desk.order('k_logout', { ...lists, notBeforeSeconds: desk.second() });
      assert.deepEqual(answer, LOGGED_OUT);
      assert.deepEqual(desk.alive(...sessions), [false, false]);
      assert.equal(desk.store.create(underWay), 'ended', 'the code exchange under way');
      assert.deepEqual(desk.alive(desk.signIn()), [true], 'a sign-in that begins right after it');
      await settled();
      assert.deepEqual(
        desk.ended().map(({ reason }) => reason),
        ['k_logout', 'k_logout'],
      );
      assert.deepEqual(desk.suspected, [], 'nobody is left to be doubted');
    });
  }

  it('and without a not-before ends every session too', async () => {
    const desk = new NoticeDesk();
    const session = desk.signIn();
    assert.deepEqual(await desk.order('k_logout'), LOGGED_OUT);
    assert.deepEqual(desk.alive(session), [false]);
  });

  it('refuses a later sign-in whose tokens are older than its not-before, and no newer one', async () => {
    const desk = new NoticeDesk();
    const second = desk.second();
    await desk.order('k_logout', { notBeforeSeconds: second });
    const now = desk.store.now();
    assert.equal(desk.store.create(aRecord(now, { idTokenIssuedAtSeconds: second - 1 })), 'ended');
    assert.notEqual(desk.store.create(aRecord(now, { idTokenIssuedAtSeconds: second })), 'ended');
  });

  it('that comes again ends nobody who has signed in since', async () => {
    const desk = new NoticeDesk();
    const body = desk.action('k_logout', { notBeforeSeconds: desk.second() });
    await desk.post('k_logout', body);
    const session = desk.signIn();
    assert.deepEqual(await desk.post('k_logout', body), LOGGED_OUT);
    assert.deepEqual(desk.alive(session), [true]);
  });

  it('leaves the sessions of another client of this gate alone', async () => {
    const desk = new NoticeDesk();
    const [ours, theirs] = [desk.signIn(), desk.signIn({ clientId: 'another-client' })];
    await desk.order('k_logout', { notBeforeSeconds: desk.second() });
    assert.deepEqual(desk.alive(ours, theirs), [false, true]);
  });
});

describe('k_push_not_before', () => {
  it('ends the sessions whose tokens are older, with the reason not_before, and raises what later tokens must be', async () => {
    const desk = new NoticeDesk();
    const second = desk.second();
    const tokens = aTokenSet({ issuedAtSeconds: second - 1 });
    const [older, same] = [desk.signIn({ tokens }), desk.signIn()];
    assert.deepEqual(await desk.order('k_push_not_before', { notBeforeSeconds: second }), ACCEPTED);
    assert.deepEqual(desk.alive(older, same), [false, true]);
    assert.equal(desk.store.create(aRecord(desk.store.now(), { tokens })), 'ended');
    await settled();
    assert.deepEqual(
      desk.ended().map(({ reason, notice }) => [reason, notice]),
      [['not_before', 'k_push_not_before']],
    );
  });

  it('of 0 changes nothing, and takes nothing back that an earlier one has set', async () => {
    const desk = new NoticeDesk();
    const second = desk.second();
    const session = desk.signIn({ tokens: aTokenSet({ issuedAtSeconds: 1 }) });
    assert.deepEqual(await desk.order('k_push_not_before', { notBeforeSeconds: 0 }), ACCEPTED);
    assert.deepEqual(desk.alive(session), [true]);
    await desk.order('k_push_not_before', { notBeforeSeconds: second });
    await desk.order('k_push_not_before', { notBeforeSeconds: 0 });
    await desk.order('k_push_not_before', { notBeforeSeconds: second - 100 });
    const tokens = aTokenSet({ issuedAtSeconds: second - 1 });
    assert.equal(desk.store.create(aRecord(desk.store.now(), { tokens })), 'ended');
  });

  it('that failed works when it comes again', async () => {
    const desk = new NoticeDesk();
    const session = desk.signIn({ tokens: aTokenSet({ issuedAtSeconds: 1 }) });
    const body = desk.action('k_push_not_before', { notBeforeSeconds: desk.second() });
    const { end } = desk.store;
    desk.store.end = () => {
      throw new Error('store down');
    };
    assert.equal((await desk.post('k_push_not_before', body)).status, 400);
    desk.store.end = end;
    assert.deepEqual(await desk.post('k_push_not_before', body), ACCEPTED);
    assert.deepEqual(desk.alive(session), [false]);
  });
});

describe('k_test_available', () => {
  it('is answered 200 and changes nothing', async () => {
    const desk = new NoticeDesk();
    const session = desk.signIn();
    desk.store.end = () => assert.fail('nothing ends');
    assert.deepEqual(await desk.order('k_test_available'), ACCEPTED);
    assert.deepEqual(desk.alive(session), [true]);
  });
});

describe('a body for the Admin URL that is refused', () => {
  it('gets the very answer that a refused logout token gets, and operators are told the kind and why', async () => {
    const desk = new NoticeDesk();
    const answers = [await desk.post('k_logout', 'forged'), await desk.post('k_push_not_before', 'forged')];
    answers.push(await desk.post('k_test_available', 'forged'));
    assert.deepEqual(answers, Array(3).fill(await desk.send('forged')));
    assert.deepEqual(
      desk.events.map((event) => event.event === 'notice.refused' && [event.kind, event.why]),
      [
        ['k_logout', 'no such key'],
        ['k_push_not_before', 'no such key'],
        ['k_test_available', 'no such key'],
        ['backchannel', 'no such key'],
      ],
    );
  });
});
