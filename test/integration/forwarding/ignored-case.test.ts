// An application that ignores case (`case_insensitive_paths`): its rules hold for every spelling, on HTTP and on the upgrade path.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BrowserClient } from '../../support/browser-client.ts';
import { TestGate } from '../../support/test-gate.ts';

const access = (path: string) => [
  { path: `${path}/admin`, claims: { preferred_username: 'nobody' } },
  { path: `${path}/static`, auth: 'public' },
];
const routes = (upstream: string) => [
  {
    name: 'ignoring',
    path: '/app',
    upstream,
    case_insensitive_paths: true,
    strip_prefix: true,
    access: access('/app'),
  },
  { name: 'exact', path: '/exact', upstream, access: access('/exact') },
];

describe('with case_insensitive_paths', () => {
  let gate: TestGate;
  let alice: BrowserClient;
  before(async () => {
    gate = await TestGate.start({ config: { routes } });
    alice = await gate.signedIn('alice', '/app/echo');
  });
  after(() => gate.close());

  /** The status of a request, and of a WebSocket's handshake. */
  async function statuses(browser: BrowserClient, path: string): Promise<[number, number]> {
    const { status } = await browser.request(gate.url(path));
    const socket = browser.openWebSocket(gate.url(path));
    const handshake = await socket.opened.then(
      () => 101,
      (refused: { status: number }) => refused.status,
    );
    socket.close();
    return [status, handshake];
  }

  for (const path of [
    '/app/admin/x',
    '/app/ADMIN/x',
    '/APP/admin/x',
    '/App/aDmIn',
    '/aPP/%41dmin/x',
    '/app/x/../ADMIN/x',
  ]) {
    test(`a rule holds for ${path}`, async () => {
      const seen = gate.app.exchanges.length + gate.app.sockets.length;
      for (const status of await statuses(alice, path)) assert.ok(status === 403 || status === 400, String(status));
      assert.equal(gate.app.exchanges.length + gate.app.sockets.length, seen, 'nothing of it reaches the application');
    });
  }

  for (const path of ['/app/static/x', '/app/STATIC/x', '/APP/Static/x']) {
    test(`${path} is public`, async () => {
      assert.deepEqual(await statuses(gate.browser(), path), [200, 101]);
      // As it was written, without what the route takes off.
      assert.equal(gate.app.exchanges.at(-1)!.target, path.slice('/app'.length));
      assert.equal(gate.app.exchanges.at(-1)!.headers['x-forwarded-prefix'], '/app');
    });
  }

  test('others are for who is signed in, in every spelling', async () => {
    for (const path of ['/app/page', '/APP/page']) {
      assert.deepEqual(await statuses(alice, path), [200, 101]);
      assert.deepEqual(await statuses(gate.browser(), path), [401, 401]);
    }
  });

  test('and without it another spelling is another path', async () => {
    assert.deepEqual(await statuses(alice, '/exact/admin/x'), [403, 403]);
    assert.deepEqual(await statuses(alice, '/exact/ADMIN/x'), [200, 101]);
    assert.deepEqual(await statuses(gate.browser(), '/exact/STATIC/x'), [401, 401]);
    assert.deepEqual(await statuses(alice, '/EXACT/page'), [404, 404]);
  });
});
