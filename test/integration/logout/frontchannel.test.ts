// Front-channel logout (OpenID Connect Front-Channel Logout 1.0): what the provider's frame ends here, and what it does not.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Answer, BrowserClient, RequestOptions } from '../../support/browser-client.ts';
import { PATHS } from '../../support/embedded-provider.ts';
import type { LogLine } from '../../support/gate-process.ts';
import { TestGate } from '../../support/test-gate.ts';

const FRAME: RequestOptions = { mode: 'iframe', site: 'cross-site' };

describe('front-channel logout', () => {
  let gate: TestGate;
  before(async () => {
    gate = await TestGate.start({ config: { logout: { frontchannel: true } } });
  });
  after(() => gate.close());

  /** What the provider's frame asks for; nothing of the user's browser comes with it. */
  function frame(query: Record<string, string> | string, options: RequestOptions = FRAME): Promise<Answer> {
    const text = new URLSearchParams(query).toString();
    return gate.browser().request(gate.url(`/_gate/frontchannel-logout?${text}`), options);
  }

  const isSignedIn = async (browser: BrowserClient) => (await browser.request(gate.url('/echo'))).status === 200;

  async function signedIn(user: string): Promise<{ browser: BrowserClient; sid: string; line: LogLine }> {
    const browser = await gate.signedIn(user);
    const line = gate.log.findLast(({ event }) => event === 'login.succeeded')!;
    return { browser, sid: String(line['sid']), line };
  }

  test('ends the session that it names, streams included, and no other, and asks the provider for nothing', async () => {
    const { browser, sid, line } = await signedIn('alice');
    const other = await signedIn('bob');
    const stream = browser.download(gate.url('/events'));
    await stream.moreBytes();
    const revocations = gate.provider.count(PATHS.revocation);
    const answer = await frame({ iss: gate.provider.issuer, sid });
    assert.equal(answer.status, 200);
    assert.equal(await stream.ended, 'cut');
    assert.deepEqual([await isSignedIn(browser), await isSignedIn(other.browser)], [false, true]);
    const ended = await gate.event('session.ended', { session: line['session'] });
    assert.deepEqual([ended['reason'], ended['notice']], ['frontchannel_logout', 'frontchannel']);
    assert.equal((await gate.event('notice.accepted', { sid }))['ended'], 1);
    assert.deepEqual(
      [gate.provider.count(PATHS.revocation), gate.provider.received(PATHS.endSession).length],
      [revocations, 0],
    );
    const page = await browser.navigate(gate.url('/echo'));
    assert.equal(page.status, 200, 'the SSO session lives on');
    const metrics = await (await fetch(`${gate.addresses.adminUrl}/metrics`)).text();
    assert.match(metrics, /portcullis_logout_notices_total\{kind="frontchannel",outcome="accepted"\} 1/);
  });

  test('answers a small page that is kept by nobody, framed by the provider alone, and sets nothing', async () => {
    const { status, headers, text } = await frame({ iss: gate.provider.issuer, sid: 'nobody has it' });
    assert.equal(status, 200, 'whether anybody was signed in is not said');
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(
      headers['content-security-policy'],
      `default-src 'none'; frame-ancestors ${new URL(gate.provider.issuer).origin}`,
    );
    for (const name of ['x-frame-options', 'set-cookie', 'clear-site-data']) assert.equal(headers[name], undefined);
    assert.match(String(headers['content-type']), /^text\/html/);
    assert.ok(text.length < 300);
  });

  test('ends nobody for another issuer, half an answer, two of one, or none at all, not even the browser that asks', async () => {
    const { browser, sid } = await signedIn('alice');
    const { issuer } = gate.provider;
    const wrong = [
      { iss: 'https://evil.example', sid },
      { iss: `${issuer}/`, sid },
      { iss: '', sid },
      { iss: issuer, sid: '' },
      { iss: issuer, sid: 'x'.repeat(256) },
      { iss: issuer },
      { sid },
      `iss=${issuer}&iss=${issuer}&sid=${sid}`,
      `iss=${issuer}&sid=${sid}&sid=${sid}`,
      '',
    ];
    for (const query of wrong) {
      assert.equal((await frame(query)).status, 400, JSON.stringify(query));
      const text = new URLSearchParams(query).toString();
      const own = await browser.request(gate.url(`/_gate/frontchannel-logout?${text}`), {
        mode: 'iframe',
        site: 'same-site',
      });
      assert.equal(own.status, 400);
    }
    assert.equal(await isSignedIn(browser), true);
    const refusals = gate.log.filter(({ event, kind }) => event === 'notice.refused' && kind === 'frontchannel');
    assert.equal(refusals.length, 2 * wrong.length);
    assert.match(String(refusals.at(-1)!['why']), /the provider must send iss and sid/);
  });

  test('ends nobody for a prefetch or another method', async () => {
    const { browser, sid } = await signedIn('carol');
    const named = { iss: gate.provider.issuer, sid };
    assert.equal((await frame(named, { mode: 'none', headers: { 'Sec-Purpose': 'prefetch' } })).status, 400);
    for (const method of ['HEAD', 'POST', 'OPTIONS']) {
      assert.equal((await frame(named, { ...FRAME, method })).status, 405, method);
    }
    assert.equal(await isSignedIn(browser), true);
  });

  test('that comes between the code and the session leaves no session behind, and the next sign-in works', async () => {
    // A session on the same sign-on that ended here a while ago names the sid.
    const { browser, sid } = await signedIn('alice');
    browser.cookies.remove('portcullis');
    await gate.admin('DELETE', '/api/sessions?user=alice');
    const hold = gate.provider.hold(PATHS.token, 'answer');
    const arriving = browser.navigate(gate.url('/echo'));
    await hold.arrived;
    assert.equal((await frame({ iss: gate.provider.issuer, sid })).status, 200);
    hold.release();
    const page = await arriving;
    assert.equal(page.status, 400, page.text.slice(0, 300));
    assert.match(page.text, /signed out while you were signing in/i);
    assert.equal(await isSignedIn(browser), false);
    assert.equal((await browser.navigate(gate.url('/echo'))).status, 200);
    assert.equal(gate.log.findLast(({ event }) => event === 'login.succeeded')!['sid'], sid);
  });

  test('that names nobody leaves nothing behind that hurts: who signs in with such a sid stays', async () => {
    const { browser, sid } = await signedIn('alice');
    for (let n = 0; n < 100; n++) await frame({ iss: gate.provider.issuer, sid: `made-up-${n}` });
    assert.equal(await isSignedIn(browser), true);
    await frame({ iss: gate.provider.issuer, sid });
    assert.equal((await browser.navigate(gate.url('/echo'))).status, 200, 'signing in again on the same SSO session');
    assert.equal(await isSignedIn(browser), true);
  });
});

test('without logout.frontchannel there is no such address', async () => {
  const gate = await TestGate.start();
  const answer = await gate.browser().request(gate.url('/_gate/frontchannel-logout?iss=x&sid=y'), FRAME);
  assert.equal(answer.status, 404);
  await gate.close();
});
