// The configuration read again while the gate runs: what comes into force, what is cut, and what must not change
// (design: config.md, last paragraph; decided cases).

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { PATHS } from '../../support/embedded-provider.ts';
import type { LiveSocket } from '../../support/live-socket.ts';
import type { LiveTransfer } from '../../support/live-transfer.ts';
import { TestGate } from '../../support/test-gate.ts';

/** Routes to the test's application, the rules in front of them as given. */
function routes(access: object[] = [], more: object = {}): Record<string, unknown> {
  return { routes: (upstream: string) => [{ name: 'app', upstream, access, ...more }] };
}

const ALICE = { preferred_username: ['alice'] };

/** Still there, and something that was made after this call comes through. */
async function expectLive(live: LiveTransfer | LiveSocket): Promise<void> {
  const before = live.ticks().length;
  while (live.ticks().length < before + 2) {
    assert.ok('isClosed' in live ? !live.isClosed : live.endedAt === 0, 'it has ended');
    await delay(10);
  }
}

describe('a configuration that is read again', () => {
  let gate: TestGate;
  afterEach(() => gate.close());

  test('is in force for the next request, and drops no connection', async () => {
    gate = await TestGate.start();
    const alice = await gate.signedIn('alice');
    const socket = alice.openWebSocket(gate.url('/ws'));
    await socket.opened;
    const events = alice.download(gate.url('/events'));
    const download = alice.download(gate.url('/download-with-length'));
    assert.equal((await events.head).status, 200);
    assert.equal((await download.head).status, 200);

    const reloaded = await gate.reload(routes([{ path: '/echo', roles: ['nobody'] }]));
    assert.deepEqual([reloaded.event, reloaded['restart_needed']], ['config.reloaded', []]);
    assert.equal((await alice.request(gate.url('/echo'))).status, 403);
    assert.equal((await alice.request(gate.url('/1k'))).status, 200);
    for (const live of [socket, events, download]) await expectLive(live);
    assert.equal((await gate.signIn(gate.browser(), 'bob', '/1k')).status, 200, 'signing in');
  });

  test('a live connection is decided again: what is no longer allowed is cut, for this user and no other', async () => {
    gate = await TestGate.start();
    const [alice, bob] = [await gate.signedIn('alice'), await gate.signedIn('bob')];
    const [alices, bobs] = [alice.openWebSocket(gate.url('/ws')), bob.openWebSocket(gate.url('/ws'))];
    const [bobsEvents, bobsDownload] = [bob.download(gate.url('/events')), bob.download(gate.url('/download'))];
    await Promise.all([alices.opened, bobs.opened, bobsEvents.head, bobsDownload.head]);

    await gate.reload(
      routes([
        { path: '/ws', claims: ALICE },
        { path: '/events', claims: ALICE },
      ]),
    );
    assert.equal((await bobs.closed).code, 1008);
    assert.equal(await bobsEvents.ended, 'cut');
    await expectLive(alices);
    await expectLive(bobsDownload);
    assert.equal((await bob.request(gate.url('/echo'))).status, 200, 'the session lives on');
    assert.ok(!gate.log.some(({ event }) => event === 'session.ended'));
  });

  test('what was public and is not any more is cut for whoever is nobody', async () => {
    gate = await TestGate.start({ config: routes([{ path: '/events', auth: 'public' }]) });
    const anonymous = gate.browser().download(gate.url('/events'));
    assert.equal((await anonymous.head).status, 200);
    await gate.reload(routes());
    assert.equal(await anonymous.ended, 'cut');
  });

  test('WebSockets that are switched off are closed; a route that is gone takes its connections along', async () => {
    gate = await TestGate.start();
    const alice = await gate.signedIn('alice');
    const socket = alice.openWebSocket(gate.url('/ws'));
    const events = alice.download(gate.url('/events'));
    await Promise.all([socket.opened, events.head]);
    await gate.reload(routes([], { websocket: { enabled: false } }));
    assert.equal((await socket.closed).code, 1008);
    await expectLive(events);
    await gate.reload(routes([], { path: '/elsewhere' }));
    assert.equal(await events.ended, 'cut');
  });

  test('each reload looks at the connections that the last one left', async () => {
    gate = await TestGate.start();
    const alice = await gate.signedIn('alice');
    const socket = alice.openWebSocket(gate.url('/ws'));
    await socket.opened;
    await gate.reload(routes([{ path: '/ws', claims: ALICE }]));
    await expectLive(socket);
    await gate.reload(routes([{ path: '/ws', groups: ['nobody'] }]));
    assert.equal((await socket.closed).code, 1008);
  });

  test('a request that waits for its decision meanwhile gets in by no rule that is gone', async () => {
    gate = await TestGate.start({ provider: { lifetimes: { accessTokenSeconds: 1 } } });
    const alice = await gate.signedIn('alice');
    const seen = gate.app.exchanges.length;
    // Whichever refresh comes first is held, and who comes after the token's end waits for it.
    const hold = gate.provider.hold(PATHS.token, 'answer');
    await delay(1_100);
    const waiting = alice.request(gate.url('/echo'));
    const socket = alice.openWebSocket(gate.url('/ws'));
    const refused = assert.rejects(socket.opened, { status: 403 });
    await hold.arrived;
    // Both have been seen by the old configuration.
    await gate.browser().request(gate.url('/_gate/healthz'));
    await gate.reload(routes([{ roles: ['nobody'] }]));
    hold.release();
    assert.equal((await waiting).status, 403);
    await refused;
    assert.equal(gate.app.exchanges.length + gate.app.sockets.length, seen);
  });

  test('a state that was used stays used', async () => {
    gate = await TestGate.start();
    const browser = gate.browser();
    const form = await browser.navigate(gate.url('/echo'));
    const header = browser.cookies.header(new URL(gate.url('/_gate/callback')))!;
    const page = await browser.submit(form, { username: 'alice' });
    const callback = page.hops.find(({ url }) => url.includes('/_gate/callback'))!.url;
    await gate.reload(routes([{ path: '/other', roles: ['nobody'] }]));
    const tokens = gate.provider.count(PATHS.token);
    const replay = await gate.browser().request(callback, { mode: 'navigate', headers: { Cookie: header } });
    assert.equal(
      replay.headers['set-cookie']?.some((line) => line.startsWith('portcullis=')),
      false,
    );
    assert.equal(gate.provider.count(PATHS.token), tokens, 'the code was sent a second time');
  });

  test('a sign-in that is under way goes on, with a new session secret in front of the old one too', async () => {
    gate = await TestGate.start();
    const browser = gate.browser();
    const form = await browser.navigate(gate.url('/echo'));
    const secret = ['a newer session secret that only tests know', 'a session secret that only tests know'];
    assert.deepEqual((await gate.reload({ session: { secret } }))['restart_needed'], []);
    assert.equal((await browser.submit(form, { username: 'alice' })).status, 200);
  });

  test('other settings of the provider are used from the next call on', async () => {
    gate = await TestGate.start();
    await gate.signedIn('alice');
    const provider = { client_secret: 'not the secret of gate' };
    assert.equal((await gate.reload({ provider })).event, 'config.reloaded');
    // Who we are is already asked when the request is pushed.
    assert.equal((await gate.browser().navigate(gate.url('/echo'))).status, 503);
    await gate.reload({});
    assert.equal((await gate.signIn(gate.browser(), 'bob')).status, 200);
  });

  test('a shorter idle timeout holds for the sessions that are there', async () => {
    gate = await TestGate.start();
    const alice = await gate.signedIn('alice');
    const socket = alice.openWebSocket(gate.url('/ws'));
    await socket.opened;
    await gate.reload({ session: { idle_timeout: '1s' } });
    assert.equal((await socket.closed).code, 1008);
    assert.equal((await gate.event('session.ended'))['reason'], 'idle_timeout');
  });

  test('the token of the admin listener changes', async () => {
    gate = await TestGate.start();
    assert.equal((await gate.admin('GET', '/api/sessions')).status, 200);
    await gate.reload({ admin: { token: 'another token of the admin listener' } });
    assert.equal((await gate.admin('GET', '/api/sessions')).status, 401);
  });

  test('what needs a restart stays as it was and is named; the rest comes into force', async () => {
    gate = await TestGate.start();
    const alice = await gate.signedIn('alice');
    const reloaded = await gate.reload({
      ...routes([{ path: '/echo', roles: ['nobody'] }]),
      public_url: 'http://127.0.0.1:9',
      server: { listen: '127.0.0.1:9' },
      session: { memory: { max_sessions: 7 }, absolute_timeout: '2h' },
      provider: { client_id: 'another' },
    });
    assert.deepEqual(reloaded['restart_needed'], [
      'public_url',
      'server.listen',
      'session.memory',
      'session.absolute_timeout',
      'provider.client_id',
    ]);
    assert.equal(reloaded['level'], 'warn');
    assert.equal((await alice.request(gate.url('/echo'))).status, 403);
    assert.equal((await gate.signIn(gate.browser(), 'bob', '/1k')).status, 200);
  });

  test('a wrong one changes nothing, and every problem of it is told', async () => {
    gate = await TestGate.start();
    const alice = await gate.signedIn('alice');
    const secret = 'a secret, and a short one';
    const refused = await gate.reload({
      ...routes([{ roles: ['nobody'] }]),
      proxy_prefix: 'gate',
      session: { secret },
    });
    assert.equal(refused.event, 'config.refused');
    assert.equal((refused['problems'] as string[]).length, 2);
    assert.match(String(refused['problems']), /session\.secret.*proxy_prefix/s);
    assert.ok(!gate.output.includes(secret));
    assert.equal((await alice.request(gate.url('/echo'))).status, 200);
  });
});
