// A long form with a file, filled in by a person in a real Chromium, and its session ended from Keycloak meanwhile.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { launchChromium, whyNoChromium } from '../browser/chromium.ts';
import { PASSWORD } from './keycloak-realm.ts';
import { KeycloakServer } from './keycloak-server.ts';
import { Stage } from './stage.ts';

const FILE = randomBytes(200_000);

describe('a form whose session ends at Keycloak', { skip: whyNoChromium() }, () => {
  let keycloak: KeycloakServer;
  let stage: Stage;
  let browser: Browser;
  before(async () => {
    keycloak = await KeycloakServer.use();
    stage = await Stage.set(keycloak);
    browser = await launchChromium();
  });
  after(async () => {
    await browser.close();
    await stage.close();
    await keycloak.stop();
  });

  async function signIn(page: Page, user: string): Promise<void> {
    await page.locator('[name=username]').fill(user);
    await page.locator('[name=password]').fill(PASSWORD);
    await page.locator('[name=login]').click();
  }

  /** The page at which the form waits, of a user whose session is gone. */
  async function sendTooLate(user: string, target: string): Promise<Page> {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${stage.url}/echo`);
    await signIn(page, user);
    await page.waitForURL(`${stage.url}/echo`);
    const form = `<form method="post" action="${target}" enctype="multipart/form-data"><textarea name="text"></textarea><input type="file" name="file"><button>Save</button></form>`;
    await page.evaluate(`document.body.innerHTML = ${JSON.stringify(form)}`);
    await page.locator('textarea').fill('what somebody has typed');
    await page
      .locator('[name=file]')
      .setInputFiles({ name: 'plan.bin', mimeType: 'application/octet-stream', buffer: FILE });
    const sid = await stage.onlySid(user);
    await keycloak.admin.deleteSession(stage.realm, sid);
    await stage.notice((claims) => claims.sid === sid);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Your form is kept' }).waitFor();
    await page.getByRole('link', { name: 'Sign in' }).click();
    return page;
  }

  test('reaches the application whole and once when the same user has signed in again', async () => {
    const page = await sendTooLate('alice', '/save?x=1');
    await signIn(page, 'alice');
    await page.getByRole('button', { name: 'Send it now' }).click();
    await page.getByText('sha256').waitFor();
    const echo = JSON.parse((await page.locator('body').textContent()) ?? '');
    const [seen, ...more] = stage.app.seen('/save');
    assert.deepEqual(more, []);
    assert.equal(seen!.target, '/save?x=1');
    const [, boundary] = /boundary=(\S+)$/.exec(seen!.headers['content-type']!)!;
    const expected = Buffer.concat([
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="text"\r\n\r\nwhat somebody has typed\r\n`),
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="plan.bin"\r\n`),
      Buffer.from('Content-Type: application/octet-stream\r\n\r\n'),
      FILE,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]);
    assert.equal(echo.body.sha256, createHash('sha256').update(expected).digest('hex'));
    await page.context().close();
  });

  test('is gone where another user signs in, and the page says so', async () => {
    const page = await sendTooLate('carol', '/others');
    await signIn(page, 'bob');
    await page.getByRole('heading', { name: 'somebody else' }).waitFor();
    assert.equal(stage.app.seen('/others').length, 0);
    await page.context().close();
  });
});
