// Keycloak 26.4.7 sends one logout token per client when it ends several sessions of a user: the gate finds the others.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { instant } from '../../support/instant.ts';
import { ENDING_USERS, ENDS_AT_KEYCLOAK } from '../ends-at-keycloak.ts';
import { KeycloakServer } from '../keycloak-server.ts';
import { LiveSet } from '../live-set.ts';
import { playEnd } from '../play-end.ts';
import { Stage } from '../stage.ts';

// The first look at the siblings is after 5 s; what it takes on two busy cores comes on top.
const SIBLINGS_LIMIT_MS = 10_000;

describe('a session that ends at Keycloak 26.4.7', { concurrency: true }, () => {
  let keycloak: KeycloakServer;
  let stage: Stage;

  before(async () => {
    keycloak = await KeycloakServer.use('26.4.7');
    stage = await Stage.set(keycloak, { users: ENDING_USERS });
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

  test('"sign out" of a user with three sessions: one notice, and the gate finds the other two a few seconds later', async () => {
    const browsers = [stage.browser(), stage.browser(), stage.browser()];
    for (const browser of browsers) await stage.signIn(browser, 'alice');
    const stranger = stage.browser();
    await stage.signIn(stranger, 'carol');
    const sids = (await keycloak.admin.sessions(stage.realm, 'alice')).map(({ id }) => id);
    const lives = await Promise.all(browsers.map((browser, at) => LiveSet.open(stage, browser, `alice-${at}`)));
    const other = await LiveSet.open(stage, stranger, 'carol');

    await keycloak.admin.logoutUser(stage.realm, 'alice');
    const notice = await stage.notice(({ sid }) => sids.includes(sid ?? ''));
    const ends = await Promise.all(sids.map((sid) => stage.gate.event('session.ended', (line) => line['sid'] === sid)));
    const foundAt = instant();
    assert.ok(foundAt - notice.answeredAt < SIBLINGS_LIMIT_MS, `found after ${foundAt - notice.answeredAt} ms`);
    assert.deepEqual(ends.map((end) => `${end?.['reason']}${end?.['notice_missed'] ? ', notice missed' : ''}`).sort(), [
      'backchannel_logout',
      'revalidation, notice missed',
      'revalidation, notice missed',
    ]);
    for (const live of lives) await live.assertCut(foundAt);
    for (const browser of browsers) assert.equal((await browser.request(`${stage.url}/echo`)).status, 401);
    await other.assertLive(foundAt);
  });
});
