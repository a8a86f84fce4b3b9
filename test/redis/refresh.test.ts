// One refresh for all replicas, with refresh tokens that rotate (security catalogue SESS-09; design: decided cases, refresh
// crash).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BrowserClient } from '../support/browser-client.ts';
import { PATHS } from '../support/embedded-provider.ts';
import { url } from './gate-pair.ts';
import { ServerPair } from './server-pair.ts';

const ACCESS_TOKEN_SECONDS = 3;

describe('a refresh with a token that rotates', () => {
  let pair: ServerPair;
  before(async () => {
    pair = await ServerPair.startWith({
      provider: { rotateRefreshTokens: true, lifetimes: { accessTokenSeconds: ACCESS_TOKEN_SECONDS } },
    });
  });
  after(() => pair.close());

  /** Waits until the session's access token has ended, and nobody has asked meanwhile. */
  async function expired(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ACCESS_TOKEN_SECONDS * 1_000));
  }

  function ask(browser: BrowserClient): Promise<number>[] {
    return [pair.a, pair.b].flatMap((gate) =>
      Array.from({ length: 25 }, async () => (await browser.request(url(gate, '/echo'))).status),
    );
  }

  test('50 requests at two gates at the moment of expiry are one refresh, and nobody is signed out', async () => {
    const alice = await pair.signedIn(pair.a, 'alice');
    for (let round = 0; round < 3; round++) {
      await expired();
      const before = pair.provider.count(PATHS.token);
      const hold = pair.provider.hold(PATHS.token);
      const statuses = ask(alice);
      await hold.arrived;
      hold.release();
      assert.deepEqual(new Set(await Promise.all(statuses)), new Set([200]));
      assert.equal(pair.provider.count(PATHS.token) - before, 1, `round ${round}`);
    }
  });

  test('a gate that dies while it refreshes leaves a token that nobody sends again', async () => {
    const alice = await pair.signedIn(pair.a, 'alice');
    await expired();
    const hold = pair.provider.hold(PATHS.token, 'answer');
    void alice.request(url(pair.a, '/echo')).catch(() => {});
    await hold.arrived;
    const sent = pair.provider.count(PATHS.token);
    pair.a.process.signal('SIGKILL');
    await pair.a.process.exited;
    hold.release();
    // The other gate waits for the result for as long as a living process could take; then nobody knows.
    const statuses = new Set<number>();
    let status = 200;
    while (status === 200) {
      status = (await alice.request(url(pair.b, '/echo'))).status;
      statuses.add(status);
    }
    assert.deepEqual(statuses, new Set([200, 401]));
    assert.equal(pair.provider.count(PATHS.token), sent);
    // The user goes to the provider with the next navigation, and is signed in again without a question.
    const page = await alice.navigate(url(pair.b, '/echo'));
    assert.equal(page.status, 200);
    await pair.restart(pair.a);
  });

  test('a gate that is stopped while it refreshes writes down what came of it first', async () => {
    const alice = await pair.signedIn(pair.a, 'alice');
    await expired();
    const hold = pair.provider.hold(PATHS.token, 'answer');
    const asked = alice.download(url(pair.a, '/echo'));
    await hold.arrived;
    const sent = pair.provider.count(PATHS.token);
    const refreshes = () => pair.a.process.log.filter(({ event }) => event === 'session.refreshed').length;
    const before = refreshes();
    // Nobody waits for the answer any more but the gate itself.
    asked.abort();
    pair.a.process.signal('SIGTERM');
    const isServing = () =>
      fetch(`${pair.a.addresses.adminUrl}/healthz`).then(
        () => true,
        () => false,
      );
    while (await isServing()) await new Promise((resolve) => setTimeout(resolve, 20));
    hold.release();
    await pair.a.process.exited;
    assert.equal(refreshes() - before, 1, 'the new tokens are in the store');
    assert.equal((await alice.request(url(pair.b, '/echo'))).status, 200);
    assert.equal(pair.provider.count(PATHS.token), sent, 'the other gate has them');
    await pair.restart(pair.a);
  });

  test('a provider that is down for a while signs nobody out, and is asked whether the token is still good', async () => {
    const alice = await pair.signedIn(pair.a, 'alice');
    await pair.provider.stop();
    await expired();
    assert.equal((await alice.request(url(pair.a, '/echo'))).status, 200);
    await pair.provider.restart();
    const [asked, refreshed] = [PATHS.introspection, PATHS.token].map((path) => pair.provider.count(path));
    while (pair.provider.count(PATHS.token) === refreshed) {
      assert.equal((await alice.request(url(pair.b, '/echo'))).status, 200);
    }
    assert.ok(pair.provider.count(PATHS.introspection) > asked!, 'the token may have been used up');
    for (const gate of [pair.a, pair.b]) assert.equal((await alice.request(url(gate, '/echo'))).status, 200);
  });
});
