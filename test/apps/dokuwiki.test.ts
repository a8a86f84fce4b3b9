// DokuWiki behind the gate: HTTP Basic credentials for each user, its own session cookie kept at the gate, its own logout.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { Page } from '../support/browser-client.ts';
import { AppScene } from './app-scene.ts';
import { type DokuWikiSite, startDokuWiki } from './dokuwiki-site.ts';
import { sendKept } from './kept-form.ts';
import { submitFile } from './upload-form.ts';

const PASSWORD = 'the password that the wiki has for everybody';

describe('DokuWiki', () => {
  let wiki: DokuWikiSite;
  let scene: AppScene;
  before(async () => {
    wiki = await startDokuWiki(['alice', 'bob', 'carol'], PASSWORD);
    scene = await AppScene.set({
      heading: 'DokuWiki',
      upstream: wiki.origin,
      clientId: 'wiki-gate',
      env: { WIKI_PASSWORD: PASSWORD },
    });
  });
  after(async () => {
    await scene.close();
    await wiki.stop();
  });

  /** Whom the wiki takes the user for, by its own page; undefined: nobody. */
  const userOf = (page: Page) => /<li class="user">.*?\(<bdi>(.*?)<\/bdi>\)/s.exec(page.text)?.[1];

  test('knows its user without a sign-in of its own, and its cookies stay at the gate', async () => {
    const browser = scene.browser();
    assert.equal(userOf(await scene.signIn(browser, 'alice', '/doku.php?id=start')), 'alice');
    assert.deepEqual(
      browser.cookies.names().filter((name) => /^D/.test(name)),
      [],
    );
    assert.equal(userOf(await scene.click(browser, '/doku.php?id=start')), 'alice', 'by the cookie of its own');
  });

  test('takes a page and a file from its forms', async () => {
    const browser = scene.browser();
    const editor = await scene.signIn(browser, 'alice', '/doku.php?id=notes&do=edit');
    const words = `Written behind the gate: ${'äöü & <b> '.repeat(2_000)}`;
    const saved = await browser.submit(editor, { wikitext: words, 'do[save]': '1' }, 'wikitext');
    assert.match(saved.text, /Written behind the gate: äöü &amp; &lt;b&gt;/);
    assert.equal(new URL(saved.url).origin, scene.url);

    const media = await scene.click(browser, '/lib/exe/mediamanager.php?ns=');
    const bytes = randomBytes(300_000);
    const file = { field: 'upload', name: 'data.zip', bytes };
    const sent = await submitFile(browser, media, { which: 'name="upload"', file, values: { mediaid: 'data.zip' } });
    assert.match(sent.text, /Upload successful/);
    const back = await browser.request(`${scene.url}/lib/exe/fetch.php?media=data.zip`);
    assert.deepEqual(back.body, bytes);
  });

  test('by its own logout link the session ends at the provider too, and somebody else can sign in', async () => {
    const browser = scene.browser();
    const page = await scene.signIn(browser, 'alice', '/doku.php?id=start');
    const link = logoutLink(page);
    const after = await browser.navigate(link, { site: 'same-origin' });
    assert.match(after.text, /name="username"/, 'the provider asks');
    await scene.ended('app_logout');
    assert.equal(userOf(await scene.provider.signIn(browser, after, 'bob')), 'bob');
  });

  test('a logout at the provider ends its session: nobody can use its cookie any more', async () => {
    const browser = scene.browser();
    const page = await scene.signIn(browser, 'carol', '/doku.php?id=start');
    assert.equal(userOf(page), 'carol');
    await scene.endAtProvider('carol');
    assert.equal((await browser.request(`${scene.url}/doku.php?id=start`)).status, 401);
    // Its own cookie would come before the credentials, so that bob would be carol there.
    assert.equal(userOf(await scene.signIn(browser, 'bob', '/doku.php?id=start')), 'bob');
  });
  test('an edit that comes when the session is over is kept, and its text is in the editor again', async () => {
    const browser = scene.browser();
    const editor = await scene.signIn(browser, 'alice', '/doku.php?id=late&do=edit');
    await scene.endAtProvider('alice');
    const kept = await browser.submit(editor, { wikitext: 'Typed for an hour.', 'do[save]': '1' }, 'wikitext');
    const refused = await sendKept(scene, browser, kept, 'alice');
    // Its token was the last session's.
    assert.match(refused.text, /Security Token did not match/);
    const saved = await browser.submit(refused, { wikitext: textOf(refused), 'do[save]': '1' }, 'wikitext');
    assert.match(saved.text, /<p>\s*Typed for an hour\.\s*<\/p>/);
    assert.doesNotMatch(saved.text, /Security Token/);
  });
});

function logoutLink(page: Page): URL {
  const [, href] = /<li class="action logout"><a href="([^"]+)"/.exec(page.text)!;
  return new URL(href!.replaceAll('&amp;', '&'), page.url);
}

/** What stands in the editor. */
function textOf(page: Page): string {
  return /<textarea name="wikitext"[^>]*>([^<]*)<\/textarea>/.exec(page.text)![1]!;
}
