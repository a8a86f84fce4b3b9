// Applications in Tomcat behind the gate: HTTP Basic credentials for each user, its sessions ended by a call of the gate.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { BrowserClient, Page } from '../support/browser-client.ts';
import { AppScene } from './app-scene.ts';
import { startTomcat, type TomcatServer } from './tomcat-server.ts';
import { submitFile } from './upload-form.ts';
import { zipFile } from './zip-file.ts';

const PASSWORD = 'one password for everybody in Tomcat';

describe('Tomcat', () => {
  let tomcat: TomcatServer;
  let scene: AppScene;
  before(async () => {
    tomcat = await startTomcat({ alice: 'manager-gui,tomcat', bob: 'tomcat', operator: 'manager-script' }, PASSWORD);
    scene = await AppScene.set({
      heading: 'Tomcat',
      upstream: tomcat.origin,
      clientId: 'java-gate',
      env: { TOMCAT_PASSWORD: PASSWORD },
    });
  });
  after(async () => {
    await scene.close();
    await tomcat.stop();
  });

  const PROTECTED = '/examples/jsp/security/protected/index.jsp';
  const SESSION = '/examples/servlets/servlet/SessionExample';

  /** Signed in, with a session in Tomcat by its single sign-on: `id` is that of the examples. */
  async function arrive(user: string): Promise<{ browser: BrowserClient; page: Page; id: string }> {
    const browser = scene.browser();
    await scene.signIn(browser, user, '/manager/html');
    const page = await scene.click(browser, PROTECTED);
    const [, name, id] = /logged in as remote user\s+<b>(.*?)<\/b>\s+in session <b>(.*?)<\/b>/.exec(page.text)!;
    assert.equal(name, user);
    return { browser, page, id: id! };
  }

  /** Whether Tomcat still knows the session `id` of the examples. */
  async function isLive(id: string): Promise<boolean> {
    const answer = await fetch(tomcat.origin + SESSION, { headers: { Cookie: `JSESSIONID=${id}` } });
    return (await answer.text()).includes(`Session ID: ${id}`);
  }

  test('knows its users and their roles without asking for a password, and its cookies stay at the gate', async () => {
    const { browser, page } = await arrive('alice');
    assert.match((await scene.click(browser, '/manager/html')).text, /Tomcat Web Application Manager/);
    // Tomcat writes the session into links until it has seen its cookie come back.
    const [, link] = /<form method="GET" action='([^']+)'/.exec(page.text)!;
    const asked = await browser.submit(page, { role: 'tomcat' }, 'name="role"');
    assert.match(link!, /;jsessionid=/);
    assert.match(asked.text, /You have been granted role\s+<b>tomcat<\/b>/);
    assert.equal(browser.cookies.names().includes('JSESSIONID'), false);

    const other = scene.browser();
    const refused = await scene.signIn(other, 'bob', '/manager/html');
    assert.deepEqual([refused.status, /403 Access Denied/.test(refused.text)], [403, true], 'by Tomcat itself');
  });

  test('keeps what a form says in its session, takes a file, and speaks WebSocket', async () => {
    const { browser } = await arrive('alice');
    const form = await scene.click(browser, SESSION);
    await browser.submit(form, { dataname: 'colour', datavalue: 'grün' }, 'dataname');
    assert.match((await scene.click(browser, SESSION)).text, /colour = gr/);

    const manager = await scene.click(browser, '/manager/html');
    const bytes = zipFile('index.html', Buffer.from(`<p>${'deployed behind the gate '.repeat(12_000)}`));
    const file = { field: 'deployWar', name: 'sent.war', bytes };
    const deployed = await submitFile(browser, manager, { which: 'type="file"', file });
    assert.match(deployed.text, /<pre>OK/);
    assert.match((await scene.click(browser, '/sent/')).text, /^<p>deployed behind the gate/);

    const socket = browser.openWebSocket(`${scene.url}/examples/websocket/echoAnnotation`);
    await socket.opened;
    socket.send('hello');
    assert.equal(await socket.message('hello'), 'hello');
    await scene.endAtProvider('alice');
    assert.equal((await socket.closed).code, 1008);
  });

  test('by the application’s own logout link the session ends at the provider too', async () => {
    const { browser, page, id } = await arrive('alice');
    const [, href] = /<a href='([^']*logoff=true)'>/.exec(page.text)!;
    const after = await browser.navigate(new URL(href!, page.url), { site: 'same-origin' });
    assert.match(after.text, /name="username"/, 'the provider asks');
    await scene.ended('app_logout');
    assert.equal(await isLive(id), false);
  });

  test('a logout at the provider ends the session in Tomcat, by a call of the gate', async () => {
    const { browser, id } = await arrive('alice');
    assert.equal(await isLive(id), true);
    await scene.endAtProvider('alice');
    assert.equal((await browser.request(scene.url + PROTECTED)).status, 401);
    while (await isLive(id)) await delay(50);
    assert.deepEqual(
      scene.gate.log.filter(({ event }) => event === 'relay.failed'),
      [],
    );
  });
});
