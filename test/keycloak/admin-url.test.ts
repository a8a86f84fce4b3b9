// Keycloak's Admin URL against the real Keycloak: a client that has nothing else is told the end of one session, of all
// sessions, and its not-before (design: triggers). In 26.7.4, "Sign out all active sessions" sends nothing but this.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { BrowserClient } from '../support/browser-client.ts';
import { instant } from '../support/instant.ts';
import type { HttpRelay, RelayedExchange } from './http-relay.ts';
import { KeycloakServer } from './keycloak-server.ts';
import { LiveSet } from './live-set.ts';
import { setWithRelay } from './set-with-relay.ts';
import { Stage } from './stage.ts';

const now = () => Math.floor(Date.now() / 1000);

describe('a client with an Admin URL alone', () => {
  let keycloak: KeycloakServer;
  let stage: Stage;
  /** Between the gate and Keycloak's token endpoint. */
  let tokens: HttpRelay;

  before(async () => {
    keycloak = await KeycloakServer.use();
    const client = (base: string) => ({ adminUrl: base, attributes: { 'backchannel.logout.url': '' } });
    ({ stage, relay: tokens } = await setWithRelay(keycloak, { client, accessTokenSeconds: 60 }));
  });

  after(async () => {
    await stage.close();
    await tokens.close();
    await keycloak.stop();
  });

  // Each test is told its own notices only.
  beforeEach(() => stage.relay.exchanges.splice(0));

  const told = (endpoint: string): Promise<RelayedExchange> =>
    stage.relay.answered(({ path }) => path === `/_gate/${endpoint}`);

  const claimsOf = ({ body }: RelayedExchange): Record<string, unknown> =>
    JSON.parse(Buffer.from(body.split('.')[1] ?? '', 'base64url').toString());

  const status = async (browser: BrowserClient) => (await browser.request(`${stage.url}/echo`)).status;

  async function signedIn(user: string): Promise<BrowserClient> {
    const browser = stage.browser();
    assert.equal((await stage.signIn(browser, user)).status, 200);
    return browser;
  }

  /** What the gate sent with its last token request, and what Keycloak answered. */
  function lastExchange(): { sent: URLSearchParams; answer: Record<string, unknown> } {
    const { body, answer } = tokens.exchanges.findLast(({ path }) => path.endsWith('/token'))!;
    return { sent: new URLSearchParams(body), answer: JSON.parse(answer) };
  }

  async function nextSecond(): Promise<number> {
    const second = now();
    while (now() === second) await new Promise((resolve) => setTimeout(resolve, 20));
    return now();
  }

  test('is called when an administrator tests whether it can be reached', async () => {
    await keycloak.admin.testNodes(stage.realm, 'gate');
    const { status: answered } = await told('k_test_available');
    assert.equal(answered, 200);
    await stage.gate.event('notice.accepted', ({ kind }) => kind === 'k_test_available');
  });

  test('is told by name when one session is signed out: that one is cut, the same user’s other one lives', async () => {
    const browser = await signedIn('alice');
    const name = lastExchange().sent.get('client_session_state');
    const sid = await stage.onlySid('alice');
    const [other, bob] = [await signedIn('alice'), await signedIn('bob')];
    const live = await LiveSet.open(stage, browser, 'alice-1');
    const others = [await LiveSet.open(stage, other, 'alice-2'), await LiveSet.open(stage, bob, 'bob')];
    await keycloak.admin.deleteSession(stage.realm, sid);
    const notice = await told('k_logout');
    assert.equal(notice.status, 200);
    const { adapterSessionIds, keycloakSessionIds, notBefore } = claimsOf(notice);
    assert.deepEqual([adapterSessionIds, keycloakSessionIds, notBefore], [[name], [sid], 0]);
    await live.assertCut(notice.answeredAt);
    assert.equal(await status(browser), 401);
    for (const each of others) await each.assertLive(notice.answeredAt);
    const ended = await stage.gate.event('session.ended', ({ reason }) => reason === 'k_logout');
    assert.deepEqual([ended?.['session'], ended?.['notice']], [name, 'k_logout']);
  });

  test('is pushed the not-before: older sessions end, one of the same second lives, and a push of 0 takes nothing back', async () => {
    const older = await signedIn('carol');
    const live = await LiveSet.open(stage, older, 'carol');
    const second = await nextSecond();
    const same = await signedIn('dave');
    await keycloak.admin.changeRealm(stage.realm, { notBefore: second });
    await keycloak.admin.pushRevocation(stage.realm);
    const notice = await told('k_push_not_before');
    assert.deepEqual([notice.status, claimsOf(notice)['notBefore']], [200, second]);
    await live.assertCut(notice.answeredAt);
    assert.deepEqual([await status(older), await status(same)], [401, 200]);
    await stage.gate.event('session.ended', ({ user, reason }) => user === 'carol' && reason === 'not_before');
    await signedIn('carol');
    stage.relay.exchanges.splice(0);
    await keycloak.admin.changeRealm(stage.realm, { notBefore: 0 });
    await keycloak.admin.pushRevocation(stage.realm);
    assert.deepEqual([claimsOf(await told('k_push_not_before'))['notBefore'], await status(same)], [0, 200]);
  });

  test('hears "Sign out all active sessions": everybody is cut, whoever signed in a moment before included', async () => {
    const browsers = [await signedIn('alice'), await signedIn('bob')];
    const live = await Promise.all(browsers.map((browser, i) => LiveSet.open(stage, browser, `all-${i}`)));
    const last = await signedIn('erin');
    await keycloak.admin.logoutAll(stage.realm);
    const notice = await told('k_logout');
    assert.equal(notice.status, 200);
    const claims = claimsOf(notice);
    assert.deepEqual(['adapterSessionIds' in claims, 'keycloakSessionIds' in claims], [false, false]);
    for (const each of live) await each.assertCut(notice.answeredAt);
    assert.deepEqual(await Promise.all([...browsers, last].map(status)), [401, 401, 401]);
    assert.ok(notice.answeredAt - notice.receivedAt < 1_000);
    // Keycloak refuses the tokens of this very second itself.
    await nextSecond();
    assert.equal(await status(await signedIn('alice')), 200, 'signing in again');
  });

  test('and a user’s own not-before, which comes with that user’s tokens, ends nobody else', async () => {
    const bob = await signedIn('bob');
    const frank = await signedIn('frank');
    const before = Number(lastExchange().answer['not-before-policy']);
    const second = await nextSecond();
    await keycloak.admin.logoutUser(stage.realm, 'frank');
    await told('k_logout');
    assert.equal(await status(frank), 401);
    await nextSecond();
    const again = await signedIn('frank');
    const policy = Number(lastExchange().answer['not-before-policy']);
    assert.ok(before < second && policy >= second, `the policy was ${before} and is ${policy}`);
    assert.deepEqual([await status(again), await status(bob)], [200, 200]);
    const since = instant();
    const refreshed = () =>
      tokens.exchanges.find(({ body, receivedAt, answeredAt }) => {
        return receivedAt > since && answeredAt > 0 && body.includes('grant_type=refresh_token');
      });
    while (refreshed() === undefined) {
      assert.equal(await status(bob), 200);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    assert.equal(JSON.parse(refreshed()!.answer)['not-before-policy'], before, 'what comes with Bob’s tokens');
    assert.equal(await status(bob), 200);
  });
});

test('a client whose Admin URL is the origin is told at the root, where the gate listens if it is told to', async (context) => {
  const keycloak = await KeycloakServer.use();
  context.after(() => keycloak.stop());
  const stage = await Stage.set(keycloak, {
    logout: { keycloak_admin_url: 'root' },
    client: (base) => ({ adminUrl: new URL(base).origin, attributes: { 'backchannel.logout.url': '' } }),
  });
  context.after(() => stage.close());
  const browser = stage.browser();
  await stage.signIn(browser, 'alice');
  const live = await LiveSet.open(stage, browser, 'alice');
  await keycloak.admin.deleteSession(stage.realm, await stage.onlySid('alice'));
  const notice = await stage.relay.answered(({ path }) => path === '/k_logout');
  assert.equal(notice.status, 200);
  await live.assertCut(notice.answeredAt);
  assert.deepEqual(stage.app.seen('/k_logout'), [], 'the application hears nothing of it');
});
