// A Keycloak that cannot be asked, or does not know our client any more, ends nobody before the hard expiry (design: asking
// Keycloak whether a session lives). Beside it: the end of everybody, of which clients without an Admin URL hear nothing.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { instant } from '../support/instant.ts';
import { KeycloakServer } from './keycloak-server.ts';
import { LiveSet } from './live-set.ts';
import { setWithRelay } from './set-with-relay.ts';
import { Stage } from './stage.ts';

// Every session would be asked for four times before its hard expiry.
const TOKEN_SECONDS = 10;
const HARD_EXPIRY_SECONDS = 45;
const HARD_EXPIRY = { absolute_timeout: `${HARD_EXPIRY_SECONDS}s`, idle_timeout: `${HARD_EXPIRY_SECONDS}s` };
// After failures the gate pauses for up to 30 s, and tries a session again 5 to 6 s after its last failure.
const BACK_LIMIT_MS = 40_000;

describe('Keycloak', { concurrency: true }, () => {
  let keycloak: KeycloakServer;

  before(async () => {
    keycloak = await KeycloakServer.use();
  });

  after(() => keycloak.stop());

  /** Everything of a fresh session goes on until the absolute timeout, although `silence` and the end of its user. */
  async function assertEndsByTheClockAlone(stage: Stage, silence: () => Promise<unknown>): Promise<void> {
    const browser = stage.browser();
    await stage.signIn(browser, 'alice');
    const signedInAt = instant();
    const live = await LiveSet.open(stage, browser, 'alice');
    await silence();
    await live.assertLiveFor(signedInAt + (HARD_EXPIRY_SECONDS - 2) * 1_000 - instant());
    const ended = await stage.gate.event('session.ended');
    const endedAt = instant();
    assert.equal(ended?.['reason'], 'absolute_timeout');
    assert.equal(ended?.['notice_missed'], false);
    assert.ok(endedAt - signedInAt > (HARD_EXPIRY_SECONDS - 1) * 1_000, `ended after ${endedAt - signedInAt} ms`);
    await live.assertCut(endedAt);
  }

  test('that is down ends nobody before the hard expiry, a disabled user neither', async (context) => {
    const { stage, relay } = await setWithRelay(keycloak, {
      accessTokenSeconds: TOKEN_SECONDS,
      session: HARD_EXPIRY,
    });
    context.after(() => stage.close());
    await assertEndsByTheClockAlone(stage, async () => {
      await keycloak.admin.setEnabled(stage.realm, 'alice', 'disabled');
      await relay.goDown();
    });
    assert.ok(stage.gate.log.some(({ event }) => event === 'probe.unavailable' || event === 'refresh.finished'));
  });

  test('that refuses our client after its secret was changed ends nobody before the hard expiry, and readyz says why', async (context) => {
    const stage = await Stage.set(keycloak, {
      accessTokenSeconds: TOKEN_SECONDS,
      session: HARD_EXPIRY,
    });
    context.after(() => stage.close());
    assert.equal((await stage.operate('GET', '/readyz')).status, 200);
    await assertEndsByTheClockAlone(stage, () => keycloak.admin.rotateSecret(stage.realm, 'gate'));
    const ready = await stage.operate('GET', '/readyz');
    assert.equal(ready.status, 503);
    assert.match(ready.text, /refuses our client; check client_id, client_secret and client_auth/);
  });

  test('that was down and is back is asked again: who was disabled meanwhile ends, and nobody else', async (context) => {
    const { stage, relay } = await setWithRelay(keycloak, { accessTokenSeconds: TOKEN_SECONDS });
    context.after(async () => {
      await stage.close();
      await relay.close();
    });
    const [browser, stranger] = [stage.browser(), stage.browser()];
    await stage.signIn(browser, 'alice');
    await stage.signIn(stranger, 'bob');
    const live = await LiveSet.open(stage, browser, 'alice');
    const other = await LiveSet.open(stage, stranger, 'bob');
    await keycloak.admin.setEnabled(stage.realm, 'alice', 'disabled');
    await relay.goDown();
    await live.assertLiveFor((TOKEN_SECONDS + 10) * 1_000);
    await relay.comeBack();
    const backAt = instant();
    const ended = await stage.gate.event('session.ended');
    const foundAt = instant();
    assert.equal(ended?.['user'], 'alice');
    assert.equal(ended?.['notice_missed'], true);
    assert.ok(foundAt - backAt < BACK_LIMIT_MS, `found ${foundAt - backAt} ms after Keycloak was back`);
    await live.assertCut(foundAt);
    await other.assertLive(foundAt);
  });

  test('that signs everybody of the realm out tells a client without an Admin URL nothing: the gate finds it', async (context) => {
    const stage = await Stage.set(keycloak, { session: { revalidate: '5s' } });
    context.after(() => stage.close());
    const browser = stage.browser();
    await stage.signIn(browser, 'alice');
    const live = await LiveSet.open(stage, browser, 'alice');
    await keycloak.admin.logoutAll(stage.realm);
    const ended = await stage.gate.event('session.ended');
    await live.assertCut(instant());
    assert.equal(ended?.['notice_missed'], true);
    assert.deepEqual(stage.relay.exchanges, [], 'Keycloak did send a notice');
  });
});
