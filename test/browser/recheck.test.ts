// What a person sees of `session.recheck` in a real Chromium: nothing on the way to a page, a window that opens and closes for
// a page that fetches.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { PATHS } from '../support/embedded-provider.ts';
import { advance } from '../support/moved-time.ts';
import { TestGate } from '../support/test-gate.ts';
import { Application } from './application.ts';
import { launchChromium, whyNoChromium } from './chromium.ts';

const skip = whyNoChromium();

describe('a session without a refresh token, in a browser', { skip }, () => {
  let browser: Browser;
  let application: Application;
  let gate: TestGate;

  before(async () => {
    application = await Application.start((request, response) => {
      if (request.url === '/page.js') response.setHeader('Content-Type', 'text/javascript').end(SCRIPT);
      else response.setHeader('Content-Type', 'text/html; charset=utf-8').end(PAGE);
    });
    const upstream = application.origin;
    gate = await TestGate.start({
      config: { routes: [{ name: 'wiki', upstream }], session: { recheck: { after: '1m' } } },
      provider: { configuration: { issueRefreshToken: async () => false } },
    });
    browser = await launchChromium();
  });

  after(async () => {
    await browser?.close();
    await gate?.close();
    application?.close();
  });

  test('is confirmed unseen, on the way to a page and for a page that fetches', async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(gate.url('/a'));
    await page.locator('[name=username]').fill('alice');
    await page.getByRole('button').click();
    await page.getByText('Fetch').waitFor();
    const questions = () => gate.provider.received(PATHS.par).filter(({ body }) => body.includes('prompt=none')).length;

    advance(60_000);
    await page.goto(gate.url('/b?x=%2F'));
    assert.deepEqual([page.url(), questions()], [gate.url('/b?x=%2F'), 1]);
    await page.getByRole('button', { name: 'Fetch' }).click();
    await page.getByText('fetched: 200').waitFor();
    assert.equal(questions(), 1);

    advance(60_000);
    await page.getByRole('button', { name: 'Fetch' }).click();
    const opened = page.waitForEvent('popup');
    await page.getByRole('button', { name: 'Sign in again' }).click();
    const popup = await opened;
    await page.getByText('fetched: 200 again').waitFor();
    assert.equal(await page.locator('dialog').count(), 0);
    if (!popup.isClosed()) await popup.waitForEvent('close');
    assert.deepEqual([page.url(), questions()], [gate.url('/b?x=%2F'), 2]);
  });
});

const PAGE = `<!doctype html><title>Wiki</title><button id="fetch">Fetch</button><output></output>
<script src="/_gate/sign-in-again.js"></script><script src="/page.js"></script>`;
const SCRIPT = `let times = 0;
document.getElementById('fetch').addEventListener('click', async () => {
  const answer = await portcullis.fetch('/feed');
  document.querySelector('output').textContent = 'fetched: ' + answer.status + (times++ ? ' again' : '');
});`;
