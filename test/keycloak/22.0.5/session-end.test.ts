// Keycloak 22.0.5 sends logout tokens without `exp` and with `typ: JWT`: accepted where the setting says so, bounded by
// their age, and otherwise refused with the cure in the log.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ENDING_USERS, ENDS_AT_KEYCLOAK } from '../ends-at-keycloak.ts';
import { KeycloakServer } from '../keycloak-server.ts';
import { LiveSet } from '../live-set.ts';
import { playEnd } from '../play-end.ts';
import { Stage } from '../stage.ts';

const TOKEN_SECONDS = 10;
const WITHOUT_EXP = { logout_token: { require_exp: false } };

describe('a session that ends at Keycloak 22.0.5', { concurrency: true }, () => {
  let keycloak: KeycloakServer;
  let stage: Stage;

  before(async () => {
    keycloak = await KeycloakServer.use('22.0.5');
    stage = await Stage.set(keycloak, { provider: WITHOUT_EXP, users: ENDING_USERS });
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

  test('by the default settings the notice is refused, the log says which setting it needs, and a check finds the end', async (context) => {
    const strict = await Stage.set(keycloak, { accessTokenSeconds: TOKEN_SECONDS });
    context.after(() => strict.close());
    const browser = strict.browser();
    await strict.signIn(browser, 'alice');
    const live = await LiveSet.open(strict, browser, 'alice');
    const sid = await strict.onlySid('alice');
    await keycloak.admin.deleteSession(strict.realm, sid);
    const notice = await strict.notice((claims) => claims.sid === sid);
    assert.equal(notice.status, 400);
    const refused = await strict.gate.event('notice.refused');
    assert.match(String(refused?.['why']), /provider\.logout_token\.require_exp: false/);
    const ended = await strict.gate.event('session.ended', (line) => line['sid'] === sid);
    assert.equal(ended?.['notice_missed'], true);
    await live.assertCut(notice.answeredAt + TOKEN_SECONDS * 1_000);
  });
});
