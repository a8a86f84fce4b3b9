// Logouts that begin at the application, at an operator or in a frame, against the real Keycloak: what is live is cut here,
// the SSO session ends there, and the other applications hear of it (design: what ends a session, triggers).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Answer, BrowserClient, RequestOptions } from '../support/browser-client.ts';
import { instant } from '../support/instant.ts';
import type { SeenExchange } from '../support/legacy-app.ts';
import type { HttpRelay, RelayedExchange } from './http-relay.ts';
import { KeycloakServer } from './keycloak-server.ts';
import { LiveSet } from './live-set.ts';
import { answeredInTime, assertRefused, holderOfCookie } from './play-end.ts';
import { setWithRelay } from './set-with-relay.ts';
import { Stage } from './stage.ts';

const HEADER = 'X-Portcullis-Logout';
const USERS = ['leaves-by-page', 'leaves-by-script', 'leaves-by-header', 'sent-away'];

/** A person's click on a link of the page. */
const CLICK: RequestOptions = { mode: 'navigate', site: 'same-origin' };

/** Who is about to leave. */
interface Leaver {
  readonly user: string;
  readonly browser: BrowserClient;
  /** Has nothing but the cookie of the session that is to end. */
  readonly old: BrowserClient;
  readonly sid: string;
  /** The application's own session. */
  readonly appSession: string;
  readonly live: LiveSet;
}

describe('a logout for everywhere, with Keycloak', { concurrency: true }, () => {
  let keycloak: KeycloakServer;
  let stage: Stage;
  /** Between the gate and the addresses of Keycloak that it calls itself. */
  let calls: HttpRelay;
  /** Another user, whom none of it concerns. */
  let stranger: LiveSet;

  before(async () => {
    keycloak = await KeycloakServer.use();
    ({ stage, relay: calls } = await setWithRelay(keycloak, {
      users: USERS,
      route: { logout: { paths: ['/logout'], response_header: HEADER } },
      logout: { operator_ends_sso: true },
    }));
    const browser = stage.browser();
    await stage.signIn(browser, 'bob');
    stranger = await LiveSet.open(stage, browser, 'bob');
  });

  after(async () => {
    await stage.close();
    await calls.close();
    await keycloak.stop();
  });

  /** Signed in here, at the application and at the second application, with every kind of connection live. */
  async function signedIn(user: string): Promise<Leaver> {
    const browser = stage.browser();
    await stage.signIn(browser, user);
    const sid = await stage.onlySid(user);
    await stage.secondApp.signIn(browser, stage.issuer);
    const { text: appSession } = await browser.request(`${stage.url}/begin`);
    const live = await LiveSet.open(stage, browser, user);
    return { user, browser, old: holderOfCookie(stage, browser), sid, appSession, live };
  }

  /** Nothing of the session is left in Keycloak, and the second application knows. */
  async function assertOverAtKeycloak({ user, sid }: Leaver): Promise<void> {
    assert.deepEqual(await keycloak.admin.sessions(stage.realm, user), []);
    assert.ok(stage.secondApp.toldSids.has(sid), 'the second application was told');
  }

  /** The gate's POST of the leaver's refresh token to Keycloak, once it is answered. */
  function endAtKeycloak({ sid }: Leaver): Promise<RelayedExchange> {
    return calls.answered(({ path, body }) => {
      const token = path.endsWith('/logout') ? new URLSearchParams(body).get('refresh_token') : null;
      return token !== null && JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).sid === sid;
    });
  }

  /** After an answer that is the application's own: cut here, ended there without the browser, nobody else touched. */
  async function assertLeft(leaver: Leaver, answer: Answer, answeredAt: number): Promise<void> {
    const cookies = answer.headers['set-cookie']?.map((line) => line.split(';')[0]).sort();
    assert.deepEqual(cookies, ['left=yes', 'legacy=', 'portcullis-user=', 'portcullis=']);
    assert.ok(!stage.app.sessions.live.has(leaver.appSession), 'the application’s own session');
    // The session ends when its messenger has arrived, so a moment after the answer.
    const { at: closedAt } = await leaver.live.webSocket.closed;
    assert.ok(closedAt - answeredAt < 1_000, `closed ${closedAt - answeredAt} ms after the answer`);
    await leaver.live.assertCut(closedAt);
    await assertRefused(stage, leaver.old);
    assert.equal((await endAtKeycloak(leaver)).status, 204);
    await answeredInTime(stage, leaver.sid);
    await assertOverAtKeycloak(leaver);
    await stranger.assertLive(closedAt);
  }

  test('by the application’s own page cuts what is live, and the browser comes to the gate’s page by way of Keycloak', async () => {
    const leaver = await signedIn('leaves-by-page');
    const answer = await leaver.browser.request(`${stage.url}/logout?status=200`, CLICK);
    const answeredAt = instant();
    assert.equal(answer.status, 303);
    assert.ok(answer.headers.location?.startsWith(`${stage.issuer}/protocol/openid-connect/logout?`));
    assert.ok(!stage.app.sessions.live.has(leaver.appSession), 'the application’s own session');
    await leaver.live.assertCut(answeredAt);
    await assertRefused(stage, leaver.old);
    const page = await leaver.browser.navigate(answer.headers.location!);
    assert.ok(page.url.startsWith(`${stage.url}/_gate/logged-out?state=`), page.url);
    assert.match(page.text, /Your session here has ended/);
    await assertOverAtKeycloak(leaver);
    await stranger.assertLive(answeredAt);
  });

  test('by a script’s call of it passes the application’s answer on, and Keycloak’s session ends by the refresh token', async () => {
    const leaver = await signedIn('leaves-by-script');
    const answer = await leaver.browser.request(`${stage.url}/logout?status=200`, { method: 'POST' });
    const answeredAt = instant();
    assert.deepEqual([answer.status, answer.text], [200, 'the application has answered']);
    await assertLeft(leaver, answer, answeredAt);
  });

  test('by a header of the application shows its own answer, and Keycloak’s session ends without the browser', async () => {
    const leaver = await signedIn('leaves-by-header');
    const answer = await leaver.browser.request(`${stage.url}/logout?ask=backchannel`, CLICK);
    const answeredAt = instant();
    assert.deepEqual([answer.status, answer.headers.location], [302, '/goodbye']);
    assert.equal(answer.headers[HEADER.toLowerCase()], undefined);
    await assertLeft(leaver, answer, answeredAt);
  });

  test('by an operator ends the SSO session too where the configuration says so', async () => {
    const leaver = await signedIn('sent-away');
    const answer = await stage.operate('DELETE', `/api/sessions?user=${leaver.user}`);
    const answeredAt = instant();
    assert.deepEqual(JSON.parse(answer.text), { ended: 1, cut: { requests: 3, streams: 1, websockets: 1 } });
    await leaver.live.assertCut(answeredAt);
    await assertRefused(stage, leaver.old);
    assert.equal((await endAtKeycloak(leaver)).status, 204);
    await answeredInTime(stage, leaver.sid);
    await assertOverAtKeycloak(leaver);
    await stranger.assertLive(answeredAt);
  });

  test('at a second application ends the application’s own session too, by a call with the cookies that the browser never saw', async (context) => {
    const jarred = await Stage.set(keycloak, {
      route: (app) => ({ cookies: 'jar', logout: { relay: { url: `${app}/logout`, method: 'POST' } } }),
    });
    context.after(() => jarred.close());
    const { issuer, realm, secondApp, app, url } = jarred;
    const [browser, otherBrowser] = [jarred.browser(), jarred.browser()];
    await jarred.signIn(browser, 'alice');
    await jarred.signIn(otherBrowser, 'carol');
    const sid = await jarred.onlySid('alice');
    const { text: appSession } = await browser.request(`${url}/begin`);
    const { text: other } = await otherBrowser.request(`${url}/begin`);
    assert.deepEqual(browser.cookies.names().includes('legacy'), false);
    const { idToken } = await secondApp.signIn(browser, issuer);
    const live = await LiveSet.open(jarred, browser, 'alice');

    await secondApp.signOut(browser, { issuer, idToken });
    const { answeredAt } = await answeredInTime(jarred, sid);
    await live.assertCut(answeredAt);
    while (app.seen('/logout').length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const [{ method, headers }, ...more] = app.seen('/logout') as [SeenExchange, ...SeenExchange[]];
    assert.deepEqual([method, headers.cookie, more], ['POST', `legacy=${appSession}`, []]);
    while (app.sessions.live.has(appSession)) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual([...app.sessions.live], [other]);
    assert.deepEqual(await keycloak.admin.sessions(realm, 'alice'), []);
    assert.ok(!JSON.stringify(jarred.gate.log).includes(appSession), 'no cookie in the log');
  });

  test('at a second application ends the session by the frame of Keycloak’s page where the client has front-channel logout on', async (context) => {
    const framed = await Stage.set(keycloak, {
      logout: { frontchannel: true },
      client: (base) => ({
        frontchannelLogout: true,
        attributes: {
          'frontchannel.logout.url': `${base}/frontchannel-logout`,
          'frontchannel.logout.session.required': 'true',
        },
      }),
    });
    context.after(() => framed.close());
    const { issuer, realm, secondApp } = framed;
    const [browser, otherBrowser] = [framed.browser(), framed.browser()];
    await framed.signIn(browser, 'alice');
    await framed.signIn(otherBrowser, 'carol');
    const sid = await framed.onlySid('alice');
    const { idToken } = await secondApp.signIn(browser, issuer);
    const live = await LiveSet.open(framed, browser, 'alice');
    const other = await LiveSet.open(framed, otherBrowser, 'carol');
    const old = holderOfCookie(framed, browser);

    const page = await secondApp.signOut(browser, { issuer, idToken });
    const [frame, ...more] = framesOf(page);
    assert.deepEqual(more, []);
    assert.deepEqual([...new URL(frame!).searchParams].sort(), [
      ['iss', issuer],
      ['sid', sid],
    ]);
    await live.assertLive(instant());
    // Another site's frame: none of our cookies come with it.
    const answer = await framed.browser().request(frame!, { mode: 'iframe', site: 'cross-site' });
    const answeredAt = instant();
    assert.equal(answer.status, 200);
    await live.assertCut(answeredAt);
    await assertRefused(framed, old);
    await other.assertLive(answeredAt);
    assert.deepEqual(await keycloak.admin.sessions(realm, 'alice'), []);
    const ended = await framed.gate.event('session.ended');
    assert.deepEqual([ended?.['sid'], ended?.['reason']], [sid, 'frontchannel_logout']);
    assert.deepEqual(
      framed.relay.exchanges.map(({ path }) => path.split('?')[0]),
      ['/_gate/frontchannel-logout'],
      'Keycloak sends no notice beside it',
    );
  });
});

/** The addresses that the frames of a page load. */
function framesOf({ text, url }: Answer): string[] {
  return [...text.matchAll(/<iframe\b[^>]*\bsrc="([^"]*)"/gi)].map(
    ([, src = '']) => new URL(src.replaceAll('&amp;', '&'), url).href,
  );
}
