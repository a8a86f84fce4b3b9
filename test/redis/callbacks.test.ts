// A callback that comes to two gates: a balancer that tries twice, a browser that repeats (RFC 6749 section 4.1.2: a code that
// is used twice may cost the tokens that it has brought).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BrowserClient } from '../support/browser-client.ts';
import { callbackOf } from '../support/callback-of.ts';
import { type Gate, url } from './gate-pair.ts';
import { ServerPair } from './server-pair.ts';

describe('a callback that comes to two gates', () => {
  let pair: ServerPair;
  before(async () => {
    pair = await ServerPair.startWith();
  });
  after(() => pair.close());

  /** As a balancer passes it on. */
  function send(browser: BrowserClient, callback: URL, gate: Gate) {
    const { pathname, search, host } = callback;
    return browser.request(url(gate, pathname + search), {
      mode: 'navigate',
      site: 'cross-site',
      headers: { Host: host },
    });
  }

  async function returning(user: string): Promise<BrowserClient> {
    const browser = await pair.signedIn(pair.a, user);
    browser.cookies.remove('portcullis');
    return browser;
  }

  test('at once is good at one of them', async () => {
    const browser = await returning('alice');
    const callback = await callbackOf(browser, url(pair.a, '/echo'));
    const before = pair.provider.count('/token');
    const answers = await Promise.all([send(browser, callback, pair.a), send(browser, callback, pair.b)]);
    const signedIn = answers.filter(({ headers }) =>
      headers['set-cookie']?.some((line) => /^portcullis=\w/.test(line)),
    );
    assert.equal(signedIn.length, 1);
    const other = answers.find((answer) => answer !== signedIn[0])!;
    assert.ok(other.headers.location!.startsWith(pair.provider.issuer), 'the other begins anew');
    assert.equal(pair.provider.count('/token'), before + 1, 'the code was sent once');
    assert.equal((await browser.request(url(pair.b, '/echo'))).status, 200, 'the sign-in is as good as ever');
  });
});
