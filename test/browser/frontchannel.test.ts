// The frame of a front-channel logout in a real Chromium: the provider's page may show it, and nobody else's.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { TestGate } from '../support/test-gate.ts';
import { Application } from './application.ts';
import { launchChromium, whyNoChromium } from './chromium.ts';

const skip = whyNoChromium();

const HTML = { 'content-type': 'text/html' };

describe('the frame of a front-channel logout', { skip }, () => {
  let browser: Browser;
  let gate: TestGate;

  before(async () => {
    gate = await TestGate.start({ config: { logout: { frontchannel: true } } });
    browser = await launchChromium();
  });

  after(async () => {
    await browser?.close();
    await gate?.close();
  });

  /** A page, signed in, and another page with a frame that ends that session. */
  async function signedIn(user: string): Promise<{ page: Page; sid: string; framing: string }> {
    const page = await (await browser.newContext()).newPage();
    await page.goto(gate.url('/echo'));
    await page.locator('[name=username]').fill(user);
    await page.getByRole('button').click();
    await page.getByText('"/echo"').waitFor();
    const sid = String(gate.log.findLast(({ event }) => event === 'login.succeeded')!['sid']);
    const address = gate.url(`/_gate/frontchannel-logout?${new URLSearchParams({ iss: gate.provider.issuer, sid })}`);
    return { page, sid, framing: `<!DOCTYPE html><iframe src="${address.replaceAll('&', '&amp;')}"></iframe>` };
  }

  test('shows in a page of the provider, and ends the session', async (context) => {
    const { page, sid, framing } = await signedIn('alice');
    context.after(gate.provider.mutate('/leaving', () => ({ status: 200, headers: HTML, body: framing })));
    await page.goto(`${new URL(gate.provider.issuer).origin}/leaving`);
    const frame = page.frames()[1]!;
    assert.ok(frame.url().startsWith(gate.url('/_gate/frontchannel-logout?')), frame.url());
    assert.equal(await frame.title(), 'Signed out');
    const ended = await gate.event('session.ended', { sid });
    assert.equal(ended['reason'], 'frontchannel_logout');
  });

  test('shows in no other page', async (context) => {
    const { page, framing } = await signedIn('bob');
    const other = await Application.start((_, response) => response.writeHead(200, HTML).end(framing));
    context.after(() => other.close());
    const refusal = page.waitForEvent('console', (message) => /frame-ancestors/.test(message.text()));
    await page.goto(`${other.origin}/`);
    assert.match((await refusal).text(), new RegExp(`frame-ancestors ${new URL(gate.provider.issuer).origin}`));
    assert.ok(!page.frames()[1]!.url().startsWith('http'), page.frames()[1]!.url());
  });
});
