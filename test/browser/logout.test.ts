// Logout in a real Chromium: LOGOUT-06, after it the back button shows nothing of what was behind the gate; and the question
// before it, where the browser says little of where a request comes from.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { TestGate } from '../support/test-gate.ts';
import { Application } from './application.ts';
import { launchChromium, whyNoChromium } from './chromium.ts';

const skip = whyNoChromium();

describe('the back button after a logout', { skip }, () => {
  let browser: Browser;
  let application: Application;
  let gate: TestGate;

  before(async () => {
    // It says nothing of caches, as applications of its age do.
    application = await Application.start((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/html', 'Last-Modified': 'Thu, 01 Jan 2015 00:00:00 GMT' });
      response.end('<title>Accounts</title><h1>Balance: 1 000 000</h1>');
    });
    const upstream = application.origin;
    gate = await TestGate.start({
      config: { routes: [{ name: 'accounts', upstream }], logout: { clear_site_data: [] } },
    });
    browser = await launchChromium();
  });

  after(async () => {
    await browser?.close();
    await gate?.close();
    application?.close();
  });

  test('LOGOUT-06 leads to sign-in', async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(gate.url('/accounts'));
    await page.locator('[name=username]').fill('alice');
    await page.getByRole('button').click();
    await page.getByText('Balance: 1 000 000').waitFor();
    await page.goto(gate.url('/_gate/logout'));
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    await page.goBack();
    await page.locator('[name=username]').waitFor();
    assert.doesNotMatch(await page.content(), /Balance/);
  });
});

describe('over plain http outside loopback, where a browser sends no Sec-Fetch-*', { skip }, () => {
  test('a logout that asks first signs out by its button', async (t) => {
    const gate = await TestGate.start({ hosts: ['wiki.test'], config: { server: { allow_http: true } } });
    t.after(() => gate.close());
    const browser = await launchChromium('--host-resolver-rules=MAP wiki.test 127.0.0.1');
    t.after(() => browser.close());
    const page = await (await browser.newContext()).newPage();
    const url = (path: string) => gate.url(path).replace('127.0.0.1', 'wiki.test');
    await page.goto(url('/echo'));
    await page.locator('[name=username]').fill('alice');
    await page.getByRole('button').click();
    await page.getByText('rawHeaders').waitFor();
    await page.goto(url('/_gate/logout'));
    await page.getByRole('heading', { name: 'Sign out?' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    const cookies = await page.context().cookies(url('/'));
    assert.deepEqual(cookies, [], 'neither the session nor who was signed in');
  });
});
