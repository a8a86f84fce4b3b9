// The demo clicked through in a real Chromium, as its printed lines say: what the pages show while sessions end.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { type Demo, startDemo } from '../../src/cli/demo/start-demo.ts';
import { Album, launchChromium, whyNoChromium } from './chromium.ts';

const TIME = String.raw`\d\d:\d\d:\d\d\.\d{3}`;
const WIRES = ['websocket', 'stream', 'download'];

const skip = whyNoChromium();
let album: Album;
let demo: Demo;
let browser: Browser;
/** What the pages' scripts did wrong. */
const faults: string[] = [];

before(async () => {
  if (skip) return;
  album = new Album();
  demo = await startDemo({ ports: { wiki: 0, notes: 0, accounts: 0 }, onAppEvent() {}, onGateEvent() {} });
  browser = await launchChromium();
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

/** A tab of a browser of its own, with nobody signed in. */
async function newBrowser(): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1100, height: 820 } });
  context.setDefaultTimeout(10_000);
  context.on('weberror', (error) => faults.push(String(error.error())));
  context.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) faults.push(message.text());
  });
  return await context.newPage();
}

async function signIn(page: Page, person: string): Promise<void> {
  await page.goto(demo.wiki);
  await page.getByRole('button', { name: person }).click();
  await isLive(page);
}

async function isLive(page: Page): Promise<void> {
  for (const wire of WIRES) await page.locator(`#${wire}[data-state=live]`).waitFor();
}

async function textOf(page: Page, wire: string): Promise<string> {
  return (await page.locator(`#${wire} output`).textContent()) ?? '';
}

/** The page's own words for the cut, which it found out by itself. */
async function assertCut(page: Page): Promise<void> {
  for (const wire of WIRES) await page.locator(`#${wire}[data-state=cut]`).waitFor();
  assert.match(await textOf(page, 'websocket'), new RegExp(`^cut by the gate: 1008 session ended at ${TIME}$`));
  assert.match(await textOf(page, 'stream'), new RegExp(`^cut by the gate: broken off after event \\d+ at ${TIME}$`));
  assert.match(
    await textOf(page, 'download'),
    new RegExp(`^cut by the gate: incomplete, \\d+\\.\\d\\d of 60\\.00 MB, at ${TIME}$`),
  );
  await page.getByText('was answered 401').waitFor();
}

/** Everything on the page still moves. */
async function assertRunning(page: Page): Promise<void> {
  const earlier = await Promise.all(WIRES.map((wire) => textOf(page, wire)));
  for (const [at, wire] of WIRES.entries()) {
    const now = `document.querySelector('#${wire} output').textContent`;
    await page.waitForFunction(`${now} !== ${JSON.stringify(earlier[at])}`);
    assert.doesNotMatch(await textOf(page, wire), /cut/);
  }
}

describe('the demo in Chromium', { skip }, () => {
  test('signing out at one application cuts the other one before your eyes, and nobody else', async (t) => {
    t.diagnostic(`screenshots: ${album.folder}`);
    const wiki = await newBrowser();
    await wiki.goto(demo.wiki);
    await album.take(wiki, 'provider-sign-in');
    await wiki.getByRole('button', { name: 'Ada Lovelace' }).click();
    await isLive(wiki);
    assert.equal(await wiki.locator('#user').textContent(), 'Ada Lovelace');
    await assertRunning(wiki);
    await album.take(wiki, 'wiki');
    const grace = await newBrowser();
    await signIn(grace, 'Grace Hopper');

    const notes = await wiki.context().newPage();
    await notes.goto(demo.notes);
    await isLive(notes);
    assert.equal(await notes.locator('#user').textContent(), 'Ada Lovelace', 'no second form');
    await album.take(notes, 'notes');
    await notes.getByRole('button', { name: 'Sign out' }).click();
    await notes.waitForURL(`${demo.notes}/_gate/logged-out*`);
    await album.take(notes, 'gate-logged-out');

    await assertCut(wiki);
    await album.take(wiki, 'wiki-cut');
    await assertRunning(grace);

    await wiki.getByRole('link', { name: 'Sign in again' }).click();
    await wiki.getByRole('button', { name: 'Ada Lovelace' }).click();
    await isLive(wiki);
    await assertRunning(wiki);
    await grace.context().close();
    await wiki.context().close();
  });

  test('"sign out everywhere" on the account page cuts every application', async () => {
    const wiki = await newBrowser();
    await signIn(wiki, 'Ada Lovelace');
    const notes = await wiki.context().newPage();
    await notes.goto(demo.notes);
    await isLive(notes);
    const accounts = await wiki.context().newPage();
    await accounts.goto(demo.accounts);
    assert.equal(await accounts.locator('[data-signed-in=yes]').count(), 2);
    await album.take(accounts, 'provider-account');
    await accounts.getByRole('button', { name: 'Sign out everywhere' }).click();
    await accounts.getByRole('heading', { name: 'Signed out everywhere' }).waitFor();
    await album.take(accounts, 'provider-signed-out');
    await assertCut(wiki);
    await assertCut(notes);
    await album.take(notes, 'notes-cut');
    await accounts.goto(demo.accounts);
    await accounts.getByRole('heading', { name: 'Nobody is signed in' }).waitFor();
    await album.take(accounts, 'provider-nobody');
    await wiki.context().close();
  });

  test('anybody may sign in under any name, and a name cannot become markup', async () => {
    const page = await newBrowser();
    await page.goto(demo.wiki);
    await page.getByLabel('Somebody else').fill('<i>Alan</i> "Turing"');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await isLive(page);
    assert.equal(await page.locator('#user').textContent(), '<i>Alan</i> "Turing"');
    await page.context().close();
  });

  test('a sign-in that is cancelled ends at a page of the gate that offers another try', async () => {
    const page = await newBrowser();
    await page.goto(demo.wiki);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.waitForURL(`${demo.wiki}/_gate/callback*`);
    await album.take(page, 'gate-sign-in-failed');
    await page.getByRole('link', { name: 'Start again' }).click();
    await page.getByRole('button', { name: 'Ada Lovelace' }).click();
    await isLive(page);
    await page.context().close();
  });

  test('what only keepers may read is forbidden to Ada and open to Grace', async () => {
    const ada = await newBrowser();
    await signIn(ada, 'Ada Lovelace');
    await ada.getByRole('link', { name: 'Keepers only' }).click();
    await ada.getByText('Status 403').waitFor();
    await album.take(ada, 'gate-forbidden');
    const grace = await newBrowser();
    await signIn(grace, 'Grace Hopper');
    await grace.getByRole('link', { name: 'Keepers only' }).click();
    await grace.getByText('spare key').waitFor();
    await album.take(grace, 'wiki-keepers');
    await ada.context().close();
    await grace.context().close();
  });

  test("another site's link to the gate's logout only asks", async () => {
    const wiki = await newBrowser();
    await signIn(wiki, 'Ada Lovelace');
    const other = await wiki.context().newPage();
    await other.goto(demo.accounts);
    await other.evaluate(`location.assign('${demo.wiki}/_gate/logout')`);
    await other.getByRole('heading', { name: 'Sign out?' }).waitFor();
    await album.take(other, 'gate-logout-confirm');
    await assertRunning(wiki);
    await other.getByRole('button', { name: 'Sign out' }).click();
    await other.waitForURL(`${demo.wiki}/_gate/logged-out*`);
    await assertCut(wiki);
    await wiki.context().close();
  });

  test('addresses that nobody has end at pages, too', async () => {
    const page = await newBrowser();
    await page.goto(`${demo.wiki}/_gate/nothing-here`);
    await album.take(page, 'gate-not-found');
    await page.goto(`${demo.accounts}/sign-in/long-ago`);
    await page.getByRole('heading', { name: 'That did not work' }).waitFor();
    await album.take(page, 'provider-problem');
    await page.context().close();
  });

  test('no page broke its own Content-Security-Policy, and no script of a page failed', () => {
    assert.deepEqual(faults, []);
  });
});
