// What a person sees who sends a long form when the session is over: in a real Chromium, nothing of it is lost.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { PATHS } from '../support/embedded-provider.ts';
import { jsonOf, withJson } from '../support/hooked-server.ts';
import { TestGate } from '../support/test-gate.ts';
import { Application } from './application.ts';
import { Album, launchChromium, whyNoChromium } from './chromium.ts';

const skip = whyNoChromium();
const FILE = randomBytes(190_000);
const TEXT = 'Gr\u00fc\u00dfe, \u4f60\u597d & <b>\r\n'.repeat(1_000);

interface Received {
  readonly target: string;
  readonly type: string;
  readonly body: Buffer;
}

describe('a form in a browser', { skip }, () => {
  let browser: Browser;
  let context: BrowserContext;
  let application: Application;
  let gate: TestGate;
  const received: Received[] = [];
  const album = new Album();

  before(async () => {
    application = await Application.start(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      response.setHeader('Content-Security-Policy', "script-src 'self'; form-action 'self'");
      if (request.method === 'POST') {
        const type = request.headers['content-type'] ?? '';
        received.push({ target: request.url!, type, body: Buffer.concat(chunks) });
        response.writeHead(303, { Location: '/saved' }).end();
      } else if (request.url === '/page.js') {
        response.setHeader('Content-Type', 'text/javascript').end(SCRIPT);
      } else {
        response.setHeader('Content-Type', 'text/html; charset=utf-8').end(request.url === '/saved' ? SAVED : EDIT);
      }
    });
    const upstream = application.origin;
    gate = await TestGate.start({
      config: { routes: [{ name: 'wiki', upstream, access: [{ path: '/vault', acr: '2' }] }] },
    });
    // It gives what it is asked for.
    gate.provider.mutate(PATHS.token, (answer) => {
      const body = jsonOf(answer);
      if (typeof body['id_token'] !== 'string') return answer;
      const asked = new URLSearchParams(gate.provider.received(PATHS.par).at(-1)?.body).get('acr_values');
      const id_token = gate.provider.sign({ ...decodeJwt(body['id_token']), acr: asked ?? '1' });
      return withJson(answer, { ...body, id_token });
    });
    browser = await launchChromium();
  });

  after(async () => {
    await browser?.close();
    await gate?.close();
    application?.close();
  });

  beforeEach(async () => {
    await context?.close();
    context = await browser.newContext();
    received.length = 0;
  });

  async function signIn(page: Page, user: string): Promise<void> {
    await page.locator('[name=username]').fill(user);
    await page.getByRole('button').click();
  }

  /** A page of the application with the form filled in, whose session the provider ends meanwhile. */
  async function filledIn(): Promise<Page> {
    const page = await filledInLive();
    assert.equal(await gate.notify(gate.provider.logoutToken({ sub: 'sub-alice' })), 200);
    gate.provider.dropSessions('alice');
    return page;
  }

  async function filledInLive(): Promise<Page> {
    const page = await context.newPage();
    await page.goto(gate.url('/edit'));
    await signIn(page, 'alice');
    await page.locator('[name=text]').evaluate((field, text) => Object.assign(field, { value: text }), TEXT);
    await page
      .locator('[name=file]')
      .setInputFiles({ name: 'plan.bin', mimeType: 'application/octet-stream', buffer: FILE });
    return page;
  }

  /** What a browser sends for the form: its own bytes, but for the boundary that it makes up. */
  function assertWhole({ type, body }: Received): void {
    const [, boundary] = /^multipart\/form-data; boundary=(\S+)$/.exec(type)!;
    const text = TEXT.replaceAll(/\r?\n/g, '\r\n');
    const expected = Buffer.concat([
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="text"\r\n\r\n${text}\r\n`),
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="plan.bin"\r\n`),
      Buffer.from('Content-Type: application/octet-stream\r\n\r\n'),
      FILE,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]);
    assert.ok(body.length > 200_000, `${body.length} bytes`);
    assert.equal(sha256(body), sha256(expected));
  }

  test('of 200 KB with a file reaches the application whole and once, after the same user has signed in again', async () => {
    const page = await filledIn();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Your form is kept' }).waitFor();
    await album.take(page, 'form-kept');
    await page.getByRole('link', { name: 'Sign in' }).click();
    await signIn(page, 'alice');
    await page.getByRole('heading', { name: 'Send your form now?' }).waitFor();
    await album.take(page, 'form-ready');
    assert.equal(received.length, 0);
    await page.getByRole('button', { name: 'Send it now' }).dblclick();
    await page.getByText(/The text is saved|This form has been sent/).waitFor();
    assert.equal(received.length, 1);
    assert.equal(received[0]!.target, '/save?x=1');
    assertWhole(received[0]!);
    await page.goBack();
    await page.getByRole('heading', { name: 'This form has been sent' }).waitFor();
    await album.take(page, 'form-sent');
    assert.equal(received.length, 1);
  });

  test('that needs a stronger sign-in than its user has is kept until then, and reaches the application whole and once', async () => {
    const page = await filledInLive();
    await page.locator('form').evaluate((form) => form.setAttribute('action', '/vault/save'));
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Your form is kept' }).waitFor();
    await page.getByText('asks for a stronger sign-in').waitFor();
    await album.take(page, 'form-kept-for-step-up');
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Send your form now?' }).waitFor();
    assert.equal(received.length, 0);
    await page.getByRole('button', { name: 'Send it now' }).dblclick();
    await page.getByText(/The text is saved|This form has been sent/).waitFor();
    assert.deepEqual(
      received.map(({ target }) => target),
      ['/vault/save'],
    );
    assertWhole(received[0]!);
  });

  test('is gone where another user signs in, and the page says so', async () => {
    const page = await filledIn();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('link', { name: 'Sign in' }).click();
    await signIn(page, 'bob');
    await page.getByRole('heading', { name: 'somebody else' }).waitFor();
    await album.take(page, 'form-of-another');
    await page.reload();
    await page.getByRole('heading').waitFor();
    assert.doesNotMatch(await page.content(), /Send it now/);
    assert.equal(received.length, 0);
  });

  test('that is too large is still in the browser: signed in beside it, the page loaded again sends it', async () => {
    const page = await filledIn();
    const large = Buffer.alloc(1_100_000, 'x');
    const folder = await mkdtemp(join(tmpdir(), 'portcullis-form-'));
    after(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'large.bin'), large);
    await page.locator('[name=file]').setInputFiles(join(folder, 'large.bin'));
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('larger than the 1.0 MB').waitFor();
    await album.take(page, 'form-too-large');
    const beside = context.waitForEvent('page');
    await page.getByRole('link', { name: 'Sign in in another window' }).click();
    const other = await beside;
    await signIn(other, 'alice');
    await other.getByRole('heading', { name: 'You are signed in' }).waitFor();
    await album.take(other, 'signed-in-beside');
    await other.close();
    await page.reload();
    await page.getByText('The text is saved').waitFor();
    assert.equal(received.length, 1);
    assert.ok(received[0]!.body.includes(large));
  });

  test('of a page that fetches: the script asks the user to sign in again, and what was typed stays', async () => {
    const page = await filledIn();
    await page.getByRole('button', { name: 'Fetch' }).click();
    await page.getByText('Your session has ended').waitFor();
    await album.take(page, 'sign-in-again');
    const popup = page.waitForEvent('popup');
    await page.getByRole('button', { name: 'Sign in again' }).click();
    await signIn(await popup, 'alice');
    await page.getByText('fetched: 200').waitFor();
    assert.equal(await page.locator('dialog').count(), 0);
    assert.equal(await page.locator('[name=text]').inputValue(), TEXT.replaceAll('\r\n', '\n'));
    assert.equal(received.length, 1);
    assert.equal(received[0]!.body.toString(), 'from a script');
    assert.equal((await popup).isClosed(), true);
  });

  test('of a page that fetches, and another user signs in: nothing is sent again', async () => {
    const page = await filledIn();
    await page.getByRole('button', { name: 'Fetch' }).click();
    const popup = page.waitForEvent('popup');
    await page.getByRole('button', { name: 'Sign in again' }).click();
    await signIn(await popup, 'bob');
    await page.getByText('Somebody else has signed in').waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    await page.getByText('fetched: 401').waitFor();
    assert.equal(received.length, 0);
  });

  test('of a page that fetches what needs a stronger sign-in: the page is told, and nothing is sent again', async () => {
    const page = await context.newPage();
    await page.goto(gate.url('/edit'));
    await signIn(page, 'alice');
    await page.getByRole('button', { name: 'Fetch' }).waitFor();
    const sent: string[] = [];
    page.on('request', (request) => sent.push(new URL(request.url()).pathname));
    const status = await page.evaluate("portcullis.fetch('/vault/x', { method: 'POST' }).then(({ status }) => status)");
    assert.equal(status, 401);
    assert.deepEqual(sent, ['/vault/x']);
  });

  test('of a page that fetches, and could not learn whose it is: nothing is sent again', async () => {
    await context.route('**/_gate/session', (route) => route.abort(), { times: 1 });
    const page = await filledIn();
    await page.getByRole('button', { name: 'Fetch' }).click();
    const popup = page.waitForEvent('popup');
    await page.getByRole('button', { name: 'Sign in again' }).click();
    await signIn(await popup, 'bob');
    await page.getByText('Whose page this is').waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    await page.getByText('fetched: 401').waitFor();
    assert.equal(received.length, 0);
  });
});

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const SAVED = '<!doctype html><title>Wiki</title><p>The text is saved.</p>';
const EDIT = `<!doctype html><title>Wiki</title><form method="post" action="/save?x=1" enctype="multipart/form-data">
<textarea name="text"></textarea><input type="file" name="file"><button>Save</button></form>
<button id="fetch">Fetch</button><output></output>
<script src="/_gate/sign-in-again.js"></script><script src="/page.js"></script>`;
const SCRIPT = `document.getElementById('fetch').addEventListener('click', async () => {
  const answer = await portcullis.fetch('/save?x=2', { method: 'POST', body: 'from a script', redirect: 'follow' });
  document.querySelector('output').textContent = 'fetched: ' + answer.status;
});`;
