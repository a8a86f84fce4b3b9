// A kept form that is sent: over a connection of its own, and back in its place where nothing of it has left. And what may be
// arriving at once of those that are to be kept.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import type { BrowserClient, Page, RequestOptions } from '../../support/browser-client.ts';
import { actionOf, linkOf } from '../../support/page-links.ts';
import { TestGate } from '../../support/test-gate.ts';

describe('a kept form on its way', () => {
  const open: { close(): unknown }[] = [];
  after(() => Promise.all(open.map((each) => each.close())));

  const form = (gate: TestGate, body: string | Buffer = 'a=1'): RequestOptions => {
    const headers = { 'Content-Type': 'text/plain', Origin: new URL(gate.url('/')).origin };
    return { method: 'POST', mode: 'navigate', site: 'same-origin', body, headers };
  };

  async function listening(server: Server): Promise<string> {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    open.push(server);
    return `127.0.0.1:${(server.address() as { port: number }).port}`;
  }

  async function started(routes: (app: string) => object[]): Promise<TestGate> {
    const gate = await TestGate.start({ config: { routes } });
    open.push(gate);
    return gate;
  }

  async function ready(gate: TestGate): Promise<{ browser: BrowserClient; page: Page }> {
    const browser = await gate.signedIn('alice', '/');
    await gate.admin('DELETE', '/api/sessions?all=true');
    const kept = await browser.navigate(gate.url('/save'), form(gate));
    return { browser, page: await browser.navigate(linkOf(kept, 'Sign in')) };
  }

  test('meets no connection that the application is just closing', async () => {
    const used = new WeakSet<Socket>();
    let received = 0;
    const application = createServer((request, response) => {
      // As one does whose keep-alive time is over when the next request is already on its way.
      if (used.has(request.socket) && request.method === 'POST') return void request.socket.destroy();
      used.add(request.socket);
      if (request.method === 'POST') received++;
      response.end('hello');
    });
    const upstream = `http://${await listening(application)}`;
    const gate = await started(() => [{ name: 'app', upstream }]);
    const { browser, page } = await ready(gate);
    assert.equal((await browser.navigate(gate.url('/'))).status, 200);
    const answer = await browser.submit(page, {}, 'Send it now');
    assert.deepEqual([answer.status, received], [200, 1]);
  });

  test('is cut while there is no connection yet: it waits on', async () => {
    const silent = createTcpServer(() => {});
    const upstream = `https://${await listening(silent)}`;
    const gate = await started((app) => [
      { name: 'app', upstream: app },
      { name: 'slow', path: '/save', upstream },
    ]);
    const { browser, page } = await ready(gate);
    const connected = once(silent, 'connection') as Promise<[Socket]>;
    const answer = browser.submit(page, {}, 'Send it now');
    const [socket] = await connected;
    await gate.admin('DELETE', '/api/sessions?all=true');
    assert.match((await answer).text, /Your form is kept/);
    socket.destroy();
    assert.ok(!gate.log.some(({ event }) => event === 'form.sent'));
    await gate.reload({ routes: (app: string) => [{ name: 'app', upstream: app }] });
    const back = await browser.navigate(page.url, { site: 'same-origin' });
    const again = await browser.navigate(linkOf(back, 'Sign in'));
    assert.equal((await browser.submit(again, {}, 'Send it now')).status, 200);
    assert.equal(gate.app.seen('/save').length, 1);
    assert.equal((await browser.request(actionOf(again, 'Send it now'), form(gate, ''))).status, 410);
  });

  test('what has not arrived takes nobody’s room, and one user’s share is bounded', async () => {
    const gate = await started((upstream) => [{ name: 'app', upstream, preserve_post: { max_bytes: '16MiB' } }]);
    const alice = await gate.signedIn('alice', '/');
    const [elsewhere, bob] = [await gate.signedIn('alice', '/'), await gate.signedIn('bob', '/')];
    await gate.admin('DELETE', '/api/sessions?all=true');
    const announce = (browser: BrowserClient, bytes: number) => {
      const { body: _, headers, ...rest } = form(gate);
      const length = { Expect: '100-continue', 'Content-Length': String(bytes) };
      const upload = browser.upload(gate.url('/slow'), { ...rest, headers: { ...headers, ...length } });
      upload.body.flushHeaders();
      return upload;
    };
    const uploads = [announce(alice, 16 * 1024 ** 2), announce(elsewhere, 16 * 1024 ** 2)];
    await Promise.all(uploads.map(({ body }) => once(body, 'continue')));
    const large = Buffer.alloc(12 * 1024 ** 2);
    assert.equal((await bob.request(gate.url('/save'), form(gate, large))).status, 303);
    uploads[0]!.body.write(large);
    const hasRoom = async (bytes: number) => {
      const { transfer, body } = announce(alice, bytes);
      const isLetIn = await Promise.race([
        once(body, 'continue').then(() => true),
        once(body, 'response').then(() => false),
      ]);
      transfer.abort();
      return isLetIn;
    };
    await until(async () => !(await hasRoom(8 * 1024 ** 2)));
    assert.ok(await hasRoom(1024));
    for (const { transfer } of uploads) transfer.abort();
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}
