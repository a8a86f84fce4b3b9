// The notice that never comes: Keycloak tells nobody that a user was disabled or deleted, that a token was revoked or that
// a session ran out. The gate asks, and the connections of sessions that are over end within the access token's life and
// 5 s; a Keycloak that cannot be asked ends nobody (design: never only a hint; asking Keycloak whether a session lives).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { instant } from '../support/instant.ts';
import type { HttpRelay } from './http-relay.ts';
import { KeycloakServer } from './keycloak-server.ts';
import { LiveSet } from './live-set.ts';
import { assertRefused, holderOfCookie } from './play-end.ts';
import { setWithRelay } from './set-with-relay.ts';
import type { Stage } from './stage.ts';

const TOKEN_SECONDS = 15;
const FOUND_LIMIT_MS = (TOKEN_SECONDS + 5) * 1_000;

interface UntoldEnd {
  readonly title: string;
  readonly user: string;
  end(stage: Stage, tokens: HttpRelay): Promise<unknown>;
}

const UNTOLD: readonly UntoldEnd[] = [
  {
    title: 'a user who is disabled',
    user: 'untold-1',
    end: ({ keycloak, realm }) => keycloak.admin.setEnabled(realm, 'untold-1', 'disabled'),
  },
  {
    title: 'a user who is deleted',
    user: 'untold-2',
    end: ({ keycloak, realm }) => keycloak.admin.deleteUser(realm, 'untold-2'),
  },
  {
    title: 'a session whose refresh token somebody else revoked',
    user: 'untold-3',
    end: async ({ issuer }, tokens) => {
      const { answer, rawHeaders } = exchangeOf(tokens, 'untold-3');
      const token = (JSON.parse(answer) as { refresh_token: string }).refresh_token;
      const response = await postAsGate(`${issuer}/protocol/openid-connect/revoke`, rawHeaders, `token=${token}`);
      assert.equal(response.status, 200);
    },
  },
  {
    title: 'a session whose authorization code somebody else used a second time',
    user: 'untold-4',
    end: async ({ issuer }, tokens) => {
      const { body, rawHeaders } = exchangeOf(tokens, 'untold-4');
      const response = await postAsGate(`${issuer}/protocol/openid-connect/token`, rawHeaders, body);
      assert.equal(response.status, 400, 'Keycloak took a code twice');
    },
  },
];

/** The code exchange by which `user` signed in, as the relay before the token endpoint saw it. */
function exchangeOf(tokens: HttpRelay, user: string) {
  const found = tokens.exchanges.find(({ body, answer }) => {
    if (!body.includes('grant_type=authorization_code') || !answer.startsWith('{')) return false;
    const { id_token: idToken = '' } = JSON.parse(answer) as { id_token?: string };
    return Buffer.from(idToken.split('.')[1] ?? '', 'base64url')
      .toString()
      .includes(`"${user}"`);
  });
  if (found === undefined) throw new Error(`${user} has not signed in by this relay`);
  return found;
}

/** With the client authentication of an earlier request of the gate. */
function postAsGate(url: string, rawHeaders: readonly string[], body: string): Promise<Response> {
  const at = rawHeaders.findIndex((name) => name.toLowerCase() === 'authorization');
  const headers = { Authorization: rawHeaders[at + 1]!, 'Content-Type': 'application/x-www-form-urlencoded' };
  return fetch(url, { method: 'POST', headers, body });
}

async function missedNotices(stage: Stage): Promise<number> {
  const { text } = await stage.operate('GET', '/metrics');
  return Number(/^portcullis_notices_missed_total (\d+)/m.exec(text)?.[1]);
}

describe('a session that Keycloak ends without telling anybody', () => {
  let keycloak: KeycloakServer;
  let stage: Stage;
  let tokens: HttpRelay;

  before(async () => {
    keycloak = await KeycloakServer.use();
    const set = await setWithRelay(keycloak, {
      accessTokenSeconds: TOKEN_SECONDS,
      users: UNTOLD.map(({ user }) => user),
    });
    stage = set.stage;
    tokens = set.relay;
  });

  after(async () => {
    await stage.close();
    await tokens.close();
    await keycloak.stop();
  });

  describe('is found', { concurrency: true }, () => {
    for (const { title, user, end } of UNTOLD) {
      test(`${title}: everything live ends within the access token's ${TOKEN_SECONDS} s and 5 s more`, async () => {
        const [browser, stranger] = [stage.browser(), stage.browser()];
        await stage.signIn(browser, user);
        await stage.signIn(stranger, 'bob');
        const sid = await stage.onlySid(user);
        const live = await LiveSet.open(stage, browser, user);
        const other = await LiveSet.open(stage, stranger, `${user}-bob`);
        const old = holderOfCookie(stage, browser);
        await end(stage, tokens);
        const endedAt = instant();
        const ended = await stage.gate.event('session.ended', (line) => line['sid'] === sid);
        const foundAt = instant();
        assert.ok(foundAt - endedAt < FOUND_LIMIT_MS, `found after ${foundAt - endedAt} ms`);
        assert.equal(ended?.['notice_missed'], true);
        await live.assertCut(foundAt);
        await assertRefused(stage, old);
        await other.assertLive(foundAt);
      });
    }

    test('a WebSocket and an event stream that nobody uses are asked for and stay, and Keycloak does not take that for use', async () => {
      const browser = stage.browser();
      await stage.signIn(browser, 'carol');
      const webSocket = browser.openWebSocket(`${stage.url}/ws?idle`);
      await webSocket.opened;
      const events = browser.download(`${stage.url}/events`);
      await events.moreBytes(100);
      // To open these was a user's activity, for which the gate refreshes once; from then on there is none.
      await stage.gate.event('session.refreshed', ({ user }) => user === 'carol');
      const isProbe = ({ path }: { path: string }) => path.endsWith('/introspect');
      const probes = () => tokens.exchanges.filter(isProbe).length;
      const [begun] = await keycloak.admin.sessions(stage.realm, 'carol');
      const probesBefore = probes();
      await delay(3 * TOKEN_SECONDS * 1_000);
      const [now] = await keycloak.admin.sessions(stage.realm, 'carol');
      assert.equal(now?.lastAccess, begun?.lastAccess);
      assert.ok(probes() - probesBefore >= 3, 'Keycloak was not asked');
      assert.ok(!webSocket.isClosed && events.endedAt === 0);
    });
  });

  test('the metric of missed notices counts exactly the ends that only a check found', async () => {
    const browser = stage.browser();
    await stage.signIn(browser, 'dave');
    const sid = await stage.onlySid('dave');
    await keycloak.admin.deleteSession(stage.realm, sid);
    const told = await stage.gate.event('session.ended', (line) => line['sid'] === sid);
    assert.equal(told?.['notice_missed'], false);
    assert.equal(await missedNotices(stage), UNTOLD.length);
  });
});
