// One refresh for all replicas, where Keycloak takes every refresh token once only: a second use of one signs its user out
// everywhere (`revokeRefreshToken`; security catalogue SESS-09). So many rounds as EXPIRY_ROUNDS says.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { RedisServer } from '../redis/redis-server.ts';
import type { BrowserClient } from '../support/browser-client.ts';
import { GateProcess, reserveAddresses } from '../support/gate-process.ts';
import { CLIENT_SECRET } from './keycloak-realm.ts';
import { KeycloakServer } from './keycloak-server.ts';
import { Stage } from './stage.ts';

const ACCESS_TOKEN_SECONDS = 3;
const REQUESTS_PER_GATE = 25;
/** Sooner than this after a renewal no gate thinks of the next one. */
const ONE_MOMENT_MS = ACCESS_TOKEN_SECONDS * 600;
/** Before or after the expiry by so much at most comes a round's moment. */
const AROUND_EXPIRY_MS = 15;
const ROUNDS_OF_ALL = Number(process.env['EXPIRY_ROUNDS'] ?? 40);
/** Each with a session whose tokens expire at moments of their own. */
const USERS = Array.from({ length: Math.min(10, Math.ceil(ROUNDS_OF_ALL / 8)) }, (_, i) => `user-${i}`);
const ROUNDS = Math.ceil(ROUNDS_OF_ALL / USERS.length);

describe('two replicas and refresh tokens that are good once', () => {
  let redis: RedisServer;
  let keycloak: KeycloakServer;
  let stage: Stage;
  let other: { url: string; gate: GateProcess };

  before(async () => {
    redis = await RedisServer.start();
    keycloak = await KeycloakServer.use();
    // A machine that Keycloak keeps busy is no fault of the store.
    const store = { store: 'redis', redis: { url: redis.url, command_timeout: '2500ms' } };
    const session = { secret: randomBytes(32).toString('hex'), ...store };
    stage = await Stage.set(keycloak, {
      users: USERS,
      session,
      accessTokenSeconds: ACCESS_TOKEN_SECONDS,
      realm: {
        revokeRefreshToken: true,
        refreshTokenMaxReuse: 0,
        eventsEnabled: true,
        enabledEventTypes: ['REFRESH_TOKEN', 'REFRESH_TOKEN_ERROR'],
      },
    });
    const { publicUrl: url, listen, adminListen } = await reserveAddresses();
    const gate = await GateProcess.start({
      public_url: url,
      server: { listen },
      admin: { listen: adminListen },
      provider: { issuer: stage.issuer, client_id: 'gate', client_secret: CLIENT_SECRET },
      session,
      routes: [{ name: 'wiki', upstream: stage.app.origin }],
    });
    await gate.event('provider.ready');
    other = { url, gate };
  });

  after(async () => {
    await other.gate.stop();
    await stage.close();
    await keycloak.stop();
    await redis.close();
  });

  /** When the user's tokens were renewed, by both gates. */
  function refreshesOf(user: string): number[] {
    return [stage.gate, other.gate]
      .flatMap(({ log }) => log)
      .filter((line) => line.event === 'session.refreshed' && line['user'] === user)
      .map((line) => Date.parse(String(line['time'])));
  }

  /** For who has to find out why: what else the gates say of the user. */
  function toldOf(user: string): string {
    const lines = [stage.gate, other.gate].flatMap(({ log }) => log.filter((line) => line['user'] === user));
    return lines
      .filter(({ event }) => event !== 'session.refreshed')
      .map((line) => JSON.stringify(line))
      .join('\n');
  }

  /** Waits for the end of the user's access token, though it be renewed meanwhile. */
  async function expiry(user: string, signedInAt: number): Promise<void> {
    const moment = (Math.random() - 0.5) * 2 * AROUND_EXPIRY_MS;
    for (;;) {
      const renewedAt = Math.max(signedInAt, ...refreshesOf(user));
      const leftMs = renewedAt + ACCESS_TOKEN_SECONDS * 1_000 + moment - Date.now();
      if (leftMs <= 0) return;
      await new Promise((resolve) => setTimeout(resolve, leftMs));
    }
  }

  /** What came: 200, or what else with its words. */
  async function ask(browser: BrowserClient): Promise<Set<string>> {
    const requests = [stage.url, other.url].flatMap((url) =>
      Array.from({ length: REQUESTS_PER_GATE }, () => browser.request(`${url}/echo`)),
    );
    const answers = await Promise.all(requests);
    return new Set(answers.map(({ status, text }) => (status === 200 ? '200' : `${status} ${text}`)));
  }

  test('50 requests at two replicas at the moment of expiry are one refresh, and nobody is signed out', async () => {
    const browsers = new Map<string, BrowserClient>();
    for (const user of USERS) {
      const browser = stage.browser();
      // One after the other: the token that sign-in brings is asked about with at UserInfo, and does not live for long.
      assert.equal((await stage.signIn(browser, user)).status, 200);
      browsers.set(user, browser);
    }
    const signedInAt = Date.now();
    const rounds = Array.from(browsers, async ([user, browser]) => {
      // Not all at once: what is looked for is the race between two replicas, not that of the users.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * ACCESS_TOKEN_SECONDS * 1_000));
      for (let round = 0; round < ROUNDS; ) {
        await expiry(user, signedInAt);
        const [before, askedAt] = [refreshesOf(user).length, Date.now()];
        const answers = await ask(browser);
        assert.deepEqual(answers, new Set(['200']), `${user}, round ${round}: ${toldOf(user)}`);
        while (refreshesOf(user).length === before) await new Promise(setImmediate);
        // On a machine that takes longer the next token is on its way to its own end.
        if (Date.now() - askedAt > ONE_MOMENT_MS) continue;
        assert.equal(refreshesOf(user).length - before, 1, `${user}, round ${round}`);
        round++;
      }
    });
    await Promise.all(rounds);
    // Nobody asks any more; what the gates renew ahead of need has an end.
    await new Promise((resolve) => setTimeout(resolve, 2 * ACCESS_TOKEN_SECONDS * 1_000));
    const told = USERS.flatMap(refreshesOf).length;
    assert.ok(told >= USERS.length * ROUNDS);
    assert.equal(await keycloak.admin.countEvents(stage.realm, 'REFRESH_TOKEN'), told, 'as Keycloak counts them');
    assert.equal(await keycloak.admin.countEvents(stage.realm, 'REFRESH_TOKEN_ERROR'), 0);
    for (const user of USERS) assert.equal((await keycloak.admin.sessions(stage.realm, user)).length, 1, user);
  });
});
