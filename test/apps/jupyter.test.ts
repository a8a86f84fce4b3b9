// Jupyter Server behind the gate: its token added by the gate, kernels over WebSockets, long downloads.

import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { BrowserClient } from '../support/browser-client.ts';
import type { LiveSocket } from '../support/live-socket.ts';
import { AppScene } from './app-scene.ts';
import { type JupyterServer, startJupyter } from './jupyter-server.ts';

const TOKEN = '0123456789abcdef0123456789abcdef';

describe('Jupyter Server', () => {
  let jupyter: JupyterServer;
  let scene: AppScene;
  before(async () => {
    jupyter = await startJupyter(TOKEN, []);
    scene = await AppScene.set({
      heading: 'Jupyter Server',
      upstream: jupyter.origin,
      clientId: 'notebook-gate',
      env: { JUPYTER_TOKEN: TOKEN },
    });
  });
  after(async () => {
    await scene.close();
    await jupyter.stop();
  });

  /** A kernel, and its channel as a notebook opens it. */
  async function openKernel(browser: BrowserClient): Promise<LiveSocket> {
    const made = await browser.request(`${scene.url}/api/kernels`, { ...FROM_ITS_PAGE(), method: 'POST', body: '{}' });
    assert.equal(made.status, 201, made.text);
    const socket = browser.openWebSocket(`${scene.url}/api/kernels/${JSON.parse(made.text).id}/channels`);
    await socket.opened;
    return socket;
  }

  const FROM_ITS_PAGE = () => ({ headers: { Origin: scene.url } });

  test('knows its user by the token that the gate adds, and its cookies stay at the gate', async () => {
    const browser = scene.browser();
    const page = await scene.signIn(browser, 'alice', '/api/me');
    assert.equal(page.status, 200);
    assert.ok(JSON.parse(page.text).identity.username);
    assert.deepEqual(
      browser.cookies.names().filter((name) => /username|_xsrf/.test(name)),
      [],
    );
    const wrong = await browser.request(`${scene.url}/api/me`, { headers: { Authorization: 'token of somebody' } });
    assert.equal(wrong.status, 200, 'the gate’s own comes in place of the client’s');
    assert.equal((await fetch(`${jupyter.origin}/api/me`)).status, 403, 'nobody else gets in');
    assert.equal((await scene.signIn(scene.browser(), 'bob', '/api/me')).status, 403, 'its one user');
  });

  test('takes a file, runs code over its WebSocket, and hands out a long download, until the session ends', async () => {
    const browser = scene.browser();
    await scene.signIn(browser, 'alice', '/api/me');
    const content = randomBytes(200_000).toString('base64');
    const body = JSON.stringify({ type: 'file', format: 'base64', content });
    const put = { ...FROM_ITS_PAGE(), method: 'PUT', body };
    assert.equal((await browser.request(`${scene.url}/api/contents/new.bin`, put)).status, 201);
    const back = await browser.request(`${scene.url}/files/new.bin`);
    assert.equal(back.body.toString('base64'), content);

    const kernel = await openKernel(browser);
    kernel.send(executeRequest('print("six times seven is", 6 * 7)'));
    assert.ok(await kernel.message('six times seven is 42'));
    // It goes on for as long as anybody listens.
    kernel.send(executeRequest('import time\nwhile True: print("still here", flush=True); time.sleep(0.05)'));
    assert.ok(await kernel.message('still here'));
    await truncate(await newFile('long.bin'), 2 ** 32);
    const download = browser.download(`${scene.url}/files/long.bin`);
    assert.equal((await download.head).headers['content-length'], String(2 ** 32));
    await download.moreBytes();

    await scene.endAtProvider('alice');
    assert.deepEqual([(await kernel.closed).code, await download.ended], [1008, 'cut']);
    assert.equal((await browser.request(`${scene.url}/api/me`)).status, 401);
    await assert.rejects(browser.openWebSocket(`${scene.url}/api/events/subscribe`).opened, { status: 401 });
  });

  test('by its own logout the session ends at the provider too, and with it what runs', async () => {
    const browser = scene.browser();
    await scene.signIn(browser, 'alice', '/api/me');
    const events = browser.openWebSocket(`${scene.url}/api/events/subscribe`);
    await events.opened;
    const after = await scene.click(browser, '/logout');
    assert.equal(new URL(after.url).pathname, '/_gate/logged-out');
    assert.equal((await events.closed).code, 1008);
    await scene.ended('app_logout');
    assert.match((await browser.navigate(`${scene.url}/api/me`)).text, /name="username"/, 'the provider asks');
  });

  async function newFile(name: string): Promise<string> {
    const path = join(jupyter.notebooks, name);
    await writeFile(path, '');
    return path;
  }
});

/** As a notebook sends it (Jupyter messaging protocol 5.3). */
function executeRequest(code: string): string {
  const date = new Date().toISOString();
  const header = {
    msg_id: randomUUID(),
    session: 'test',
    username: '',
    msg_type: 'execute_request',
    version: '5.3',
    date,
  };
  const content = { code, silent: false };
  return JSON.stringify({ header, parent_header: {}, metadata: {}, channel: 'shell', content, buffers: [] });
}
