// A live connection is decided again after every change of its session's claims.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { jsonOf, withJson } from '../../support/hooked-server.ts';
import { TestGate } from '../../support/test-gate.ts';

describe('claims that change', () => {
  let gate: TestGate;
  before(async () => {
    gate = await TestGate.start({
      provider: { lifetimes: { accessTokenSeconds: 3 }, claimsIn: 'userinfo' },
      config: {
        routes: (upstream: string) => [{ name: 'app', upstream, access: [{ path: '/events', groups: ['keepers'] }] }],
      },
    });
  });
  after(() => gate.close());

  test('a stream that the new claims do not allow is cut, and one that they allow goes on', async () => {
    let groups = ['keepers'];
    gate.provider.mutate('/me', (answer) => withJson(answer, { ...jsonOf(answer), groups }));
    const browser = await gate.signedIn('alice');
    const stream = browser.download(gate.url('/events'));
    const download = browser.download(gate.url('/download'));
    await Promise.all([stream.moreBytes(), download.moreBytes()]);
    groups = [];
    await gate.event('session.refreshed');
    assert.equal(await stream.ended, 'cut');
    await download.moreBytes();
    assert.equal((await browser.request(gate.url('/events'))).status, 403);
    assert.equal((await browser.request(gate.url('/echo'))).status, 200);
  });
});
