// What Keycloak's Admin URL notices and its not-before end, in a whole gate, against everything that may be under way
// (design: triggers; never undone). Each race is forced: one side is held still while the other runs to its end.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { BrowserClient } from '../../support/browser-client.ts';
import { PATHS } from '../../support/embedded-provider.ts';
import type { Answer } from '../../support/hooked-server.ts';
import { instant } from '../../support/instant.ts';
import { TestGate, type TestGateOptions } from '../../support/test-gate.ts';

let gate: TestGate;
const start = async (options: TestGateOptions = {}) => {
  gate = await TestGate.start(options);
};
afterEach(() => gate.close());

const now = () => Math.floor(Date.now() / 1000);

/** Posts what Keycloak would; the instant at which it was answered. */
async function order(action: 'LOGOUT' | 'PUSH_NOT_BEFORE', claims: Record<string, unknown>): Promise<number> {
  const endpoint = action === 'LOGOUT' ? 'k_logout' : 'k_push_not_before';
  const response = await fetch(gate.url(`/_gate/${endpoint}`), {
    method: 'POST',
    headers: { 'content-type': 'text/plain; charset=ISO-8859-1' },
    body: gate.provider.adminAction('gate', action, claims),
  });
  await response.arrayBuffer();
  assert.equal(response.status, 200);
  return instant();
}

const fetchStatus = async (browser: BrowserClient) => (await browser.request(gate.url('/echo'))).status;

/** What the gate called the session in its token requests, oldest first. */
const sentNames = () =>
  gate.provider.received(PATHS.token).map(({ body }) => new URLSearchParams(body).get('client_session_state'));

/** A provider that says with every token answer what it accepts no older tokens than. */
function announce(notBefore: () => unknown): () => void {
  return gate.provider.mutate(PATHS.token, (answer: Answer) => {
    const body = JSON.parse(String(answer.body));
    return { ...answer, body: JSON.stringify({ ...body, 'not-before-policy': notBefore() }) };
  });
}

/** Until the second that tokens are stamped with is another one. */
async function nextSecond(): Promise<number> {
  const before = now();
  while (now() === before) await new Promise((resolve) => setTimeout(resolve, 10));
  return now();
}

describe('k_logout', () => {
  test('without session ids cuts everybody, and nothing moves any more when it is answered', async () => {
    await start();
    const browsers = [await gate.signedIn('alice'), await gate.signedIn('bob')];
    const live = await Promise.all(
      browsers.map(async (browser) => {
        const [socket, stream] = [browser.openWebSocket(gate.url('/ws')), browser.download(gate.url('/events'))];
        await Promise.all([socket.opened, stream.moreBytes()]);
        return { socket, stream };
      }),
    );
    const answeredAt = await order('LOGOUT', { notBefore: now() });
    for (const { socket, stream } of live) {
      assert.equal((await socket.closed).code, 1008);
      assert.equal(await stream.ended, 'cut');
      for (const { ticks } of [{ ticks: socket.ticks() }, { ticks: stream.ticks() }]) {
        assert.ok(ticks.every((tickAt) => tickAt <= answeredAt));
      }
    }
    assert.deepEqual(await Promise.all(browsers.map(fetchStatus)), [401, 401]);
    for (const user of ['alice', 'bob']) {
      const { reason, notice, websockets, streams } = await gate.event('session.ended', { user });
      assert.deepEqual([reason, notice, websockets, streams], ['k_logout', 'k_logout', 1, 1]);
    }
    assert.equal((await gate.event('notice.accepted', { kind: 'k_logout' }))['ended'], 2);
    assert.equal((await browsers[0]!.navigate(gate.url('/echo'))).status, 200, 'signing in again, in the same second');
  });

  test('with what we called the session in its token request ends that one alone', async () => {
    await start();
    const [alice, bob] = [await gate.signedIn('alice'), await gate.signedIn('bob')];
    const [ofAlice, ofBob] = sentNames();
    const listed = (await gate.admin('GET', '/api/sessions')).body['sessions'] as { handle: string; user: string }[];
    assert.deepEqual(new Set(listed.map(({ handle }) => handle)), new Set([ofAlice, ofBob]));
    assert.notEqual(alice.cookies.value('portcullis', gate.url('/')), ofAlice);
    await order('LOGOUT', { adapterSessionIds: [ofAlice], keycloakSessionIds: [], notBefore: 0 });
    assert.deepEqual([await fetchStatus(alice), await fetchStatus(bob)], [401, 200]);
  });

  test('finds a session that was signed in anew: by its sid at once, by its name from the next refresh on', async () => {
    await start({ provider: { lifetimes: { accessTokenSeconds: 2 } } });
    const alice = await gate.signedIn('alice');
    await alice.navigate(gate.url('/_gate/login?return_to=/echo'));
    const [first, second] = sentNames();
    const [session] = (await gate.admin('GET', '/api/sessions')).body['sessions'] as { handle: string; sid: string }[];
    assert.equal(session?.handle, first, 'it keeps its name');
    assert.notEqual(second, first, 'a name that is not known to be its own is never sent for it');
    while (sentNames().length < 3) {
      assert.equal(await fetchStatus(alice), 200);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.equal(sentNames()[2], first);
    await order('LOGOUT', { adapterSessionIds: [second], keycloakSessionIds: [session?.sid], notBefore: 0 });
    assert.equal(await fetchStatus(alice), 401);
  });

  for (const [what, claims] of [
    ['without session ids', () => ({ notBefore: now() })],
    ['with session ids', () => ({ adapterSessionIds: sentNames(), notBefore: 0 })],
  ] as const) {
    test(`${what} between the code and the session leaves no session behind`, async () => {
      await start();
      const browser = gate.browser();
      const form = await browser.navigate(gate.url('/echo'));
      const hold = gate.provider.hold(PATHS.token, 'answer');
      const arriving = browser.submit(form, { username: 'alice' });
      await hold.arrived;
      await order('LOGOUT', claims());
      hold.release();
      const page = await arriving;
      assert.equal(page.status, 400, page.text.slice(0, 300));
      assert.match(page.text, /signed out while you were signing in/i);
      assert.equal(await fetchStatus(browser), 401);
      assert.equal((await browser.navigate(gate.url('/echo'))).status, 200, 'signing in again works at once');
    });
  }
});

describe('k_push_not_before', () => {
  test('ends the sessions whose tokens are older, live connections included, and spares those of its own second', async () => {
    await start();
    const alice = await gate.signedIn('alice');
    const socket = alice.openWebSocket(gate.url('/ws'));
    await socket.opened;
    const second = await nextSecond();
    const bob = await gate.signedIn('bob');
    await order('PUSH_NOT_BEFORE', { notBefore: second });
    assert.equal((await socket.closed).code, 1008);
    assert.deepEqual([await fetchStatus(alice), await fetchStatus(bob)], [401, 200]);
    const { reason, notice } = await gate.event('session.ended', { user: 'alice' });
    assert.deepEqual([reason, notice], ['not_before', 'k_push_not_before']);
  });

  test('refuses a sign-in whose tokens are older, though it comes back afterwards', async () => {
    await start();
    const browser = gate.browser();
    const form = await browser.navigate(gate.url('/echo'));
    const hold = gate.provider.hold(PATHS.token, 'answer');
    const arriving = browser.submit(form, { username: 'alice' });
    await hold.arrived;
    await order('PUSH_NOT_BEFORE', { notBefore: await nextSecond() });
    hold.release();
    assert.match((await arriving).text, /signed out while you were signing in/i);
    assert.equal(await fetchStatus(browser), 401);
    // An earlier one does not take it back, nor does the 0 that Keycloak pushes where none is set.
    await order('PUSH_NOT_BEFORE', { notBefore: 0 });
    await order('PUSH_NOT_BEFORE', { notBefore: 1 });
    assert.equal((await browser.navigate(gate.url('/echo'))).status, 200, 'newer tokens are good');
  });

  test('during a refresh: neither waits, and the tokens that come back revive nothing', async () => {
    await start({ provider: { lifetimes: { accessTokenSeconds: 3 } } });
    const browser = await gate.signedIn('alice');
    const hold = gate.provider.hold(PATHS.token, 'answer');
    let arrived = false;
    void hold.arrived.then(() => (arrived = true));
    const requests: Promise<number>[] = [];
    while (!arrived) {
      requests.push(fetchStatus(browser));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await order('PUSH_NOT_BEFORE', { notBefore: now() });
    assert.equal(await fetchStatus(browser), 401, 'while the refresh is still under way');
    hold.release();
    await Promise.all(requests);
    assert.equal(await fetchStatus(browser), 401);
    assert.ok(!gate.log.some(({ event }) => event === 'session.refreshed'));
  });
});

describe('the not-before in a token answer', () => {
  test('ends the older sessions of this user, and of nobody else; the session that it came with lives', async () => {
    await start();
    const [alice, bob] = [await gate.signedIn('alice'), await gate.signedIn('bob')];
    const second = await nextSecond();
    announce(() => second);
    const again = await gate.signedIn('alice');
    assert.deepEqual([await fetchStatus(alice), await fetchStatus(again), await fetchStatus(bob)], [401, 200, 200]);
    const { reason, notice, notice_missed } = await gate.event('session.ended', { user: 'alice' });
    assert.deepEqual([reason, notice, notice_missed], ['not_before', undefined, true]);
  });

  test('that its own tokens are older than refuses the sign-in', async () => {
    await start();
    announce(() => now() + 10);
    const page = await gate.signIn(gate.browser(), 'alice');
    assert.equal(page.status, 400);
    assert.match(page.text, /signed out while you were signing in/i);
  });

  for (const value of [0, null, '1795239316', -1, 1e300, {}, 9_999_999_999]) {
    test(`of ${JSON.stringify(value)} is none`, async () => {
      await start();
      announce(() => value);
      const sessions = [await gate.signedIn('alice'), await gate.signedIn('alice')];
      assert.deepEqual(await Promise.all(sessions.map(fetchStatus)), [200, 200]);
    });
  }
});
