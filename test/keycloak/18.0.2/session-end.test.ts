// Keycloak 18.0.2, the oldest that the gate is tried with: sids are UUIDs, authorization responses have no `iss`, logout
// tokens no `exp`.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ENDING_USERS, ENDS_AT_KEYCLOAK } from '../ends-at-keycloak.ts';
import { KeycloakServer } from '../keycloak-server.ts';
import { playEnd } from '../play-end.ts';
import { Stage } from '../stage.ts';

describe('a session at Keycloak 18.0.2', { concurrency: true }, () => {
  let keycloak: KeycloakServer;
  let stage: Stage;

  before(async () => {
    keycloak = await KeycloakServer.use('18.0.2');
    stage = await Stage.set(keycloak, {
      provider: { logout_token: { require_exp: false } },
      users: ENDING_USERS,
    });
  });

  after(async () => {
    await stage.close();
    await keycloak.stop();
  });

  for (const row of ENDS_AT_KEYCLOAK.filter(({ otherBrowser }) => otherBrowser === 'lives')) {
    test(`${row.title} cuts what is live, refuses what comes, and touches no other session`, async () => {
      await playEnd(stage, row);
    });
  }

  test('has a UUID for its sid, and a probe that Keycloak answers rightly', async () => {
    await stage.signIn(stage.browser(), 'alice');
    assert.match(await stage.onlySid('alice'), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.deepEqual(
      stage.gate.log.filter(({ event }) => event === 'probe.not_armed'),
      [],
    );
  });

  test('ends by logout at the gate, without a page that asks, and comes back to the gate', async () => {
    const browser = stage.browser();
    await stage.signIn(browser, 'dave');
    const page = await browser.navigate(`${stage.url}/_gate/logout`, {
      method: 'POST',
      headers: { Origin: stage.url },
      site: 'same-origin',
    });
    assert.equal(new URL(page.url).pathname, '/_gate/logged-out');
    assert.deepEqual(await keycloak.admin.sessions(stage.realm, 'dave'), []);
  });
});
