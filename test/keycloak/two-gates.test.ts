// Two gates, one SSO session: whoever signs out at one is signed out at the other, with everything that runs there.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { GateProcess, reserveAddresses } from '../support/gate-process.ts';
import { instant } from '../support/instant.ts';
import { LegacyApp } from '../support/legacy-app.ts';
import { anotherGate, CLIENT_SECRET, PASSWORD } from './keycloak-realm.ts';
import { KeycloakServer } from './keycloak-server.ts';
import { LiveSet } from './live-set.ts';
import { Stage } from './stage.ts';

describe('two gates and one SSO session', () => {
  let keycloak: KeycloakServer;
  let stage: Stage;
  let other: { url: string; app: LegacyApp; gate: GateProcess };

  before(async () => {
    keycloak = await KeycloakServer.use();
    // Another host: a browser keeps one jar for all ports of one.
    const addresses = await reserveAddresses('localhost');
    const { publicUrl: url, adminUrl, listen, adminListen } = addresses;
    const client = anotherGate('other-gate', { gateUrl: url, noticeUrl: `${adminUrl}/backchannel-logout` });
    stage = await Stage.set(keycloak, { clients: [client] });
    // Dozens of connections are live at once beside Keycloak: fewer ticks leave it room.
    const app = await new LegacyApp({ tickMs: 100 }).listen();
    const gate = await GateProcess.start({
      public_url: url,
      server: { listen },
      admin: { listen: adminListen },
      provider: { issuer: stage.issuer, client_id: 'other-gate', client_secret: CLIENT_SECRET },
      session: { secret: randomBytes(32).toString('hex') },
      routes: [{ name: 'other', upstream: app.origin }],
    });
    await gate.event('provider.ready');
    other = { url, app, gate };
  });

  after(async () => {
    await stage.close();
    await other.gate.stop();
    await other.app.close();
    await keycloak.stop();
  });

  test('logout at one cuts what is live at both before the page says so, and leaves another user alone', async () => {
    const [browser, stranger] = [stage.browser(), stage.browser()];
    await stage.signIn(browser, 'alice');
    assert.equal((await browser.navigate(`${other.url}/echo`)).url, `${other.url}/echo`, 'single sign-on');
    const form = await stranger.navigate(`${other.url}/echo`);
    await stranger.submit(form, { username: 'bob', password: PASSWORD }, 'login-actions');
    const here = await LiveSet.open(stage, browser, 'alice-here');
    const there = await LiveSet.open(other, browser, 'alice-there');
    const strangers = await LiveSet.open(other, stranger, 'bob-there');

    const page = await browser.navigate(`${stage.url}/_gate/logout`, {
      method: 'POST',
      site: 'same-origin',
      headers: { Origin: stage.url },
    });
    const arrivedAt = instant();
    assert.equal(page.url.split('?')[0], `${stage.url}/_gate/logged-out`);
    await here.assertCut(arrivedAt);
    await there.assertCut(arrivedAt);
    assert.equal((await browser.request(`${other.url}/echo`)).status, 401);
    await strangers.assertLive(arrivedAt);
    const ended = await other.gate.event('session.ended');
    assert.equal(ended?.['reason'], 'backchannel_logout');
  });
});
