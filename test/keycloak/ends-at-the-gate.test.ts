// Ends that begin at the gate: an operator's, the gate's own clock, and another user in the same browser (design: what ends
// a session, triggers). Keycloak is asked nothing and, but for a logout, told nothing.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BrowserClient } from '../support/browser-client.ts';
import { instant } from '../support/instant.ts';
import { PASSWORD } from './keycloak-realm.ts';
import { KeycloakServer } from './keycloak-server.ts';
import { LiveSet } from './live-set.ts';
import { assertRefused, holderOfCookie } from './play-end.ts';
import { Stage } from './stage.ts';

const IDLE_SECONDS = 8;
const ABSOLUTE_SECONDS = 20;
// A timer comes late on two busy cores, never early.
const LATE_MS = 2_000;

/** How an operator can name sessions; each for a user of its own. */
const OPERATORS: readonly {
  title: string;
  user: string;
  query(facts: { sid: string; handle: string; sub: string }): string;
}[] = [
  { title: 'one session by its handle', user: 'operated-1', query: ({ handle }) => `/${handle}` },
  { title: 'a sid', user: 'operated-2', query: ({ sid }) => `?sid=${encodeURIComponent(sid)}` },
  { title: 'a sub', user: 'operated-3', query: ({ sub }) => `?sub=${encodeURIComponent(sub)}` },
  { title: 'a user', user: 'operated-4', query: () => '?user=operated-4' },
];

describe('at the gate', { concurrency: true }, () => {
  let keycloak: KeycloakServer;
  let stage: Stage;

  before(async () => {
    keycloak = await KeycloakServer.use();
    stage = await Stage.set(keycloak, { users: OPERATORS.map(({ user }) => user) });
  });

  after(async () => {
    await stage.close();
    await keycloak.stop();
  });

  for (const { title, user, query } of OPERATORS) {
    test(`an operator who ends ${title} cuts what is live and touches no other user`, async () => {
      const [browser, stranger] = [stage.browser(), stage.browser()];
      await stage.signIn(browser, user);
      await stage.signIn(stranger, 'bob');
      const live = await LiveSet.open(stage, browser, user);
      const other = await LiveSet.open(stage, stranger, `${user}-bob`);
      const old = holderOfCookie(stage, browser);
      const signedIn = await stage.gate.event('login.succeeded', (line) => line['user'] === user);
      const { sid, sub, session } = signedIn as unknown as { sid: string; sub: string; session: string };
      const answer = await stage.operate('DELETE', `/api/sessions${query({ sid, sub, handle: session })}`);
      const answeredAt = instant();
      assert.deepEqual(JSON.parse(answer.text), { ended: 1, cut: { requests: 3, streams: 1, websockets: 1 } });
      await live.assertCut(answeredAt);
      await assertRefused(stage, old);
      await other.assertLive(answeredAt);
      assert.equal((await keycloak.admin.sessions(stage.realm, user)).length, 1, 'the SSO session is not ours to end');
    });
  }

  test('an operator who ends everything cuts everybody', async (context) => {
    const whole = await Stage.set(keycloak);
    context.after(() => whole.close());
    const browsers = [whole.browser(), whole.browser()];
    await whole.signIn(browsers[0]!, 'alice');
    await whole.signIn(browsers[1]!, 'bob');
    const lives = await Promise.all(browsers.map((browser, at) => LiveSet.open(whole, browser, `everybody-${at}`)));
    assert.equal((await whole.operate('DELETE', '/api/sessions')).status, 400, 'without a filter');
    const answer = await whole.operate('DELETE', '/api/sessions?all=true');
    const answeredAt = instant();
    assert.deepEqual(JSON.parse(answer.text), { ended: 2, cut: { requests: 6, streams: 2, websockets: 2 } });
    for (const live of lives) await live.assertCut(answeredAt);
  });

  test('another user who signs in with the same browser ends what the first one had running', async () => {
    const browser = stage.browser();
    await stage.signIn(browser, 'alice');
    const live = await LiveSet.open(stage, browser, 'replaced');
    const old = holderOfCookie(stage, browser);
    // Keycloak has forgotten the first user in this browser; the gate's session is still there.
    const form = await old.navigate(`${stage.url}/_gate/login?return_to=/echo`);
    const arrived = await old.submit(form, { username: 'carol', password: PASSWORD }, 'login-actions');
    const arrivedAt = instant();
    assert.equal(arrived.url, `${stage.url}/echo`);
    await live.assertCut(arrivedAt);
    await assertRefused(stage, holderOfCookie(stage, browser));
    const ended = await stage.gate.event('session.ended', ({ user }) => user === 'alice');
    assert.equal(ended?.['reason'], 'replaced');
  });

  describe('by the clock', { concurrency: true }, () => {
    let timed: Stage;

    before(async () => {
      const [idle_timeout, absolute_timeout] = [`${IDLE_SECONDS}s`, `${ABSOLUTE_SECONDS}s`];
      timed = await Stage.set(keycloak, { session: { idle_timeout, absolute_timeout } });
    });

    after(() => timed.close());

    async function endOf(user: string, since: number): Promise<{ reason: unknown; missed: unknown; afterMs: number }> {
      const ended = await timed.gate.event('session.ended', (line) => line['user'] === user);
      return { reason: ended?.['reason'], missed: ended?.['notice_missed'], afterMs: instant() - since };
    }

    function assertAfter(afterMs: number, seconds: number): void {
      assert.ok(afterMs > seconds * 1_000 - 500 && afterMs < seconds * 1_000 + LATE_MS, `ended after ${afterMs} ms`);
    }

    async function signedIn(user: string): Promise<{ browser: BrowserClient; at: number }> {
      const browser = timed.browser();
      await timed.signIn(browser, user);
      return { browser, at: instant() };
    }

    test('a session that nobody uses ends at its idle timeout, with the event stream and the WebSocket that it has open', async () => {
      const { browser } = await signedIn('alice');
      const webSocket = browser.openWebSocket(`${timed.url}/ws`);
      await webSocket.opened;
      const events = browser.download(`${timed.url}/events`);
      await events.moreBytes(100);
      const { reason, missed, afterMs } = await endOf('alice', instant());
      assert.deepEqual([reason, missed], ['idle_timeout', false]);
      assertAfter(afterMs, IDLE_SECONDS);
      assert.equal((await webSocket.closed).code, 1008);
      assert.equal(await events.ended, 'cut');
    });

    test('a session in use ends at its absolute timeout, with everything that it has running', async () => {
      const { browser, at } = await signedIn('bob');
      const live = await LiveSet.open(timed, browser, 'bob');
      const { reason, missed, afterMs } = await endOf('bob', at);
      assert.deepEqual([reason, missed], ['absolute_timeout', false]);
      assertAfter(afterMs, ABSOLUTE_SECONDS);
      await live.assertCut(instant());
    });
  });

  test("a session ends with the life of its refresh token, Keycloak's session maximum, whether Keycloak says so or not", async (context) => {
    const short = await Stage.set(keycloak, { realm: { ssoSessionMaxLifespan: ABSOLUTE_SECONDS } });
    context.after(() => short.close());
    const browser = short.browser();
    await short.signIn(browser, 'alice');
    const signedInAt = instant();
    const live = await LiveSet.open(short, browser, 'alice');
    const ended = await short.gate.event('session.ended');
    const endedAt = instant();
    assert.equal(ended?.['reason'], 'refresh_refused');
    assert.ok(endedAt - signedInAt < ABSOLUTE_SECONDS * 1_000 + LATE_MS, `ended after ${endedAt - signedInAt} ms`);
    await live.assertCut(endedAt);
  });
});
