// Bearer tokens and a configuration that is read again: what is no longer allowed is cut, and refused (design: decided cases).

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { TestGate } from '../../support/test-gate.ts';

const routes = (auth: string | string[]) => (upstream: string) => [{ name: 'app', upstream, auth }];

describe('a bearer token and another configuration', () => {
  let gate: TestGate;
  afterEach(() => gate.close());

  /** A stream, moving, and what a request with the same token is answered. */
  async function start(token: string) {
    const headers = { Authorization: `Bearer ${token}` };
    const stream = gate.browser().download(gate.url('/events'), { headers });
    assert.equal((await stream.head).status, 200);
    const status = async () => (await gate.browser().request(gate.url('/echo'), { headers })).status;
    return { stream, status };
  }

  test('a route that takes tokens no more cuts them, and one that takes nothing else cuts sessions', async () => {
    gate = await TestGate.start({ config: { routes: routes(['session', 'bearer']) } });
    const alice = await gate.signedIn('alice');
    const alices = alice.download(gate.url('/events'));
    await alices.moreBytes();
    const { stream, status } = await start(gate.provider.accessToken({ sub: 'sub-bob' }));
    await gate.reload({ routes: routes('session') });
    assert.equal(await stream.ended, 'cut');
    assert.equal(await status(), 401);
    await alices.moreBytes();
    await gate.reload({ routes: routes('bearer') });
    assert.equal(await alices.ended, 'cut');
    assert.equal(await status(), 200);
  });

  test('an audience that is listed no more is nobody any more, whether the token was shown before or not', async () => {
    const provider = { bearer_audiences: ['wiki-api', 'other-api'] };
    gate = await TestGate.start({ config: { routes: routes('bearer'), provider } });
    const audience = (aud: string) => gate.provider.accessToken({ azp: 'somebody', aud });
    const gone = await start(audience('wiki-api'));
    const kept = await start(audience('other-api'));
    await gate.reload({ routes: routes('bearer'), provider: { bearer_audiences: ['other-api'] } });
    assert.equal(await gone.stream.ended, 'cut');
    assert.equal(await gone.status(), 401);
    await kept.stream.moreBytes();
    assert.equal(await kept.status(), 200);
    await gate.reload({ routes: routes('bearer'), provider });
    assert.equal(await gone.status(), 200, 'it was the configuration and not an end');
  });
});
