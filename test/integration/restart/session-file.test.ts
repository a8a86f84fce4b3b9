// A restart of a gate with `session.memory.file`, as its users see it (design: decided cases).

import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { BrowserClient } from '../../support/browser-client.ts';
import { EmbeddedProvider, PATHS } from '../../support/embedded-provider.ts';
import { type GateAddresses, GateProcess, reserveAddresses } from '../../support/gate-process.ts';
import { LegacyApp } from '../../support/legacy-app.ts';

const TOKEN = 'an admin token that only tests know';

describe('a gate that keeps its sessions in a file', () => {
  let folder: string;
  let file: string;
  let addresses: GateAddresses;
  let provider: EmbeddedProvider;
  let app: LegacyApp;
  let gate: GateProcess;
  let browser: BrowserClient;

  before(async () => {
    addresses = await reserveAddresses();
    app = await new LegacyApp().listen();
    provider = await EmbeddedProvider.start({
      clients: [
        {
          id: 'gate',
          redirectUris: [`${addresses.publicUrl}/_gate/callback`],
          backchannelLogoutUri: `${addresses.adminUrl}/backchannel-logout`,
        },
      ],
    });
  });
  after(async () => {
    await app.close();
    await provider.close();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portcullis-restart-'));
    file = join(folder, 'sessions');
    browser = new BrowserClient();
    gate = await start();
  });
  afterEach(async () => {
    browser.close();
    provider.dropSessions('alice');
    await gate.stop('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  const config = (secret: string, liveness = 'auto') => ({
    public_url: addresses.publicUrl,
    server: { listen: addresses.listen, timeouts: { drain: '1s' } },
    admin: { listen: addresses.adminListen, token: TOKEN },
    provider: { issuer: provider.issuer, client_id: 'gate', client_secret: 'secret of gate', liveness },
    session: { secret, memory: { file } },
    routes: [{ name: 'app', upstream: app.origin, cookies: 'jar', access: [{ path: '/1k', auth: 'public' }] }],
  });
  const url = (path: string) => `${addresses.publicUrl}${path}`;

  async function start(secret = 'a session secret that only tests know', liveness?: string): Promise<GateProcess> {
    const started = await GateProcess.start(config(secret, liveness));
    await started.event('provider.ready');
    return started;
  }

  async function restart(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await gate.stop(signal);
    gate = await start();
  }

  async function signIn(): Promise<void> {
    await browser.submit(await browser.navigate(url('/echo')), { username: 'alice' });
    assert.equal((await browser.request(url('/echo'))).status, 200);
  }

  async function askUntil(event: Promise<unknown>): Promise<void> {
    let isOver = false;
    void event.then(() => {
      isOver = true;
    });
    while (!isOver) await browser.request(url('/echo'));
  }

  test('has her signed in after a restart, in the application too, once the provider has been asked', async () => {
    await signIn();
    const begun = (await browser.request(url('/begin'))).text;
    await restart();
    const asked = provider.count('/token/introspection');
    const whoami = await browser.request(url('/whoami'));
    assert.equal(JSON.parse(whoami.text).session, begun);
    assert.equal(provider.count('/token/introspection'), asked + 1);
    await browser.request(url('/whoami'));
    assert.equal(provider.count('/token/introspection'), asked + 1);
    assert.equal((await gate.event('sessions.restored'))?.['count'], 1);
    assert.equal(gate.written().includes(browser.cookies.value('portcullis', addresses.publicUrl)!), false);
  });

  test('lets nobody in whose session ended at the provider while it was away', async () => {
    await signIn();
    await gate.stop();
    provider.dropSessions('alice');
    gate = await start();
    assert.equal((await browser.request(url('/echo'))).status, 401);
    assert.equal(app.seen('/echo').length > 0, true);
  });

  test('answers 503 while the provider cannot be asked, goes on with public paths, and has her signed in again', async () => {
    await signIn();
    await gate.stop();
    await provider.stop();
    gate = await GateProcess.start(config('a session secret that only tests know'));
    const before = app.seen('/echo').length;
    const answer = await browser.request(url('/echo'));
    assert.deepEqual([answer.status, answer.headers['retry-after'] !== undefined], [503, true]);
    await assert.rejects(browser.openWebSocket(url('/ws')).opened);
    assert.equal((await browser.request(url('/1k'))).status, 200);
    assert.equal(app.seen('/echo').length, before);
    await provider.restart();
    while ((await browser.request(url('/echo'))).status === 503)
      await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal((await browser.request(url('/echo'))).status, 200);
  });

  test('killed right after an operator’s end, does not bring that session back, though the provider says it lives', async () => {
    await signIn();
    await restart();
    assert.equal((await browser.request(url('/echo'))).status, 200);
    const ended = await fetch(`${addresses.adminUrl}/api/sessions?user=alice`, {
      method: 'DELETE',
      headers: { Authorization: `Bearer ${TOKEN}` },
    });
    assert.equal(ended.status, 200);
    await restart('SIGKILL');
    assert.equal((await browser.request(url('/echo'))).status, 401);
  });

  test('killed, has those signed in who were when it had begun', async () => {
    await signIn();
    await restart();
    await restart('SIGKILL');
    assert.equal((await browser.request(url('/echo'))).status, 200);
  });

  test('stopped while a refresh has no answer, leaves a token that nobody sends again', async (context) => {
    const { accessTokenSeconds } = provider.lifetimes;
    context.after(() => {
      provider.lifetimes.accessTokenSeconds = accessTokenSeconds;
    });
    provider.lifetimes.accessTokenSeconds = 1;
    await gate.stop();
    gate = await start(undefined, 'refresh');
    await signIn();
    const hold = provider.hold(PATHS.token, 'answer');
    const asked = askUntil(hold.arrived);
    await hold.arrived;
    await asked;
    const sent = provider.count(PATHS.token);
    await gate.stop();
    hold.drop();
    gate = await start(undefined, 'refresh');
    assert.equal((await gate.event('sessions.restored'))?.['left_out'], 1);
    assert.equal((await browser.request(url('/echo'))).status, 401);
    assert.equal(provider.count(PATHS.token), sent);
  });

  test('starts with another secret, and says in one line why everybody signs in again', async () => {
    await signIn();
    await gate.stop();
    gate = await start('another session secret that only tests know');
    const warning = await gate.event('gate.warning', ({ code }) => code === 'session_file');
    assert.match(JSON.stringify(warning), /sealed with another session\.secret.*signs in again/);
    assert.equal((await browser.request(url('/echo'))).status, 401);
  });

  test('does not start where it cannot write it, and says what to do', async () => {
    await gate.stop();
    await rm(folder, { recursive: true });
    const refused = await GateProcess.run(['start'], config('a session secret that only tests know'));
    assert.equal((await refused.exited).code, 1);
    assert.match(refused.output, /^portcullis: session\.memory\.file .* cannot be used \(ENOENT\): make the folder/m);
    await refused.stop();
    const checked = await GateProcess.run(['check'], config('a session secret that only tests know'));
    assert.equal((await checked.exited).code, 1);
    assert.match(checked.output, /: session\.memory\.file .* cannot be used \(ENOENT\): make the folder/m);
    await checked.stop();
  });

  test('a second one waits until it has stopped, and has her signed in then', async () => {
    await signIn();
    const second = await GateProcess.run(['start'], config('a session secret that only tests know'));
    await second.event('gate.warning', ({ message }) => /waits for it to stop/.test(String(message)));
    assert.equal((await browser.request(url('/echo'))).status, 200);
    await gate.stop();
    gate = second;
    await gate.event('gate.started');
    assert.equal((await gate.event('sessions.restored'))?.['count'], 1);
    await gate.event('provider.ready');
    assert.equal((await browser.request(url('/echo'))).status, 200);
  });

  test('takes a new secret over without a restart: the next process needs the former no more', async () => {
    await signIn();
    const { ino } = await stat(file);
    const next = 'another session secret that only tests know';
    await gate.rewrite(config(next));
    await gate.event('config.reloaded');
    while ((await stat(file)).ino === ino) await new Promise((resolve) => setTimeout(resolve, 20));
    await gate.stop('SIGKILL');
    gate = await start(next);
    assert.equal((await browser.request(url('/echo'))).status, 200);
  });
});
