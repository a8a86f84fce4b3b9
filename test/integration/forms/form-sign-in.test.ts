// The sign-in that a kept form waits for asks the provider what the form's own address asks, and comes back to the form.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import type { BrowserClient, Page, RequestOptions } from '../../support/browser-client.ts';
import { PATHS } from '../../support/embedded-provider.ts';
import { jsonOf, withJson } from '../../support/hooked-server.ts';
import { linkOf } from '../../support/page-links.ts';
import { TestGate } from '../../support/test-gate.ts';

const routes = (upstream: string) => [
  { name: 'app', upstream, access: [{ path: '/vault', methods: ['POST'], acr: '2' }] },
  { name: 'partners', path: '/partners', upstream, authorization_params: { kc_idp_hint: 'partners' } },
  {
    name: 'off',
    path: '/partners/off',
    upstream,
    preserve_post: { enabled: false },
    authorization_params: { kc_idp_hint: 'partners' },
  },
];

describe('the sign-in for a kept form', () => {
  let gate: TestGate;
  before(async () => {
    gate = await TestGate.start({ config: { routes } });
    gate.provider.mutate(PATHS.token, (answer) => {
      const body = jsonOf(answer);
      if (typeof body['id_token'] !== 'string') return answer;
      const { acr: _, ...claims } = decodeJwt(body['id_token']);
      return withJson(answer, {
        ...body,
        id_token: gate.provider.sign({ ...claims, acr: asked('acr_values') ?? '1' }),
      });
    });
  });
  after(() => gate.close());

  /** What the last authorization request said. */
  const asked = (name: string) => new URLSearchParams(gate.provider.received(PATHS.par).at(-1)?.body).get(name);

  function form(body = 'a=1'): RequestOptions {
    const headers = { 'Content-Type': 'text/plain', Origin: new URL(gate.url('/')).origin };
    return { method: 'POST', mode: 'navigate', site: 'same-origin', body, headers };
  }

  async function kept(target: string, user = 'alice'): Promise<{ browser: BrowserClient; page: Page }> {
    const browser = await gate.signedIn(user);
    await gate.admin('DELETE', `/api/sessions?sub=sub-${user}`);
    gate.provider.dropSessions(user);
    return { browser, page: await browser.navigate(gate.url(target), form()) };
  }

  test('asks for the class that the form’s address asks for, and the form is sent', async () => {
    const { browser, page } = await kept('/vault/save');
    const ready = await browser.submit(await browser.navigate(linkOf(page, 'Sign in')), { username: 'alice' });
    assert.equal(asked('acr_values'), '2');
    assert.equal((await browser.submit(ready, {}, 'Send it now')).status, 200);
    assert.equal(gate.app.seen('/vault/save').length, 1);
  });

  test('who has signed in more weakly meanwhile is led to a stronger sign-in, and back to the form', async () => {
    const { browser, page } = await kept('/vault/later');
    await gate.signIn(browser, 'alice', '/echo');
    const ready = await browser.navigate(page.url, { site: 'same-origin' });
    const refused = await browser.submit(ready, {}, 'Send it now');
    assert.equal(refused.status, 401);
    assert.equal(gate.app.seen('/vault/later').length, 0);
    const back = await browser.navigate(linkOf(refused, 'Sign in'), { site: 'same-origin' });
    assert.equal(asked('acr_values'), '2');
    assert.equal(back.url, page.url);
    assert.equal((await browser.submit(back, {}, 'Send it now')).status, 200);
    assert.equal(gate.app.seen('/vault/later').length, 1);
  });

  test('goes where the route’s own parameters lead, and with no other address of the form’s', async () => {
    const { browser, page } = await kept('/partners/save', 'bob');
    await browser.request(linkOf(page, 'Sign in'), { mode: 'navigate' });
    assert.equal(asked('kc_idp_hint'), 'partners');
    const unknown = page.url.replace(/id=.*/, `id=${'x'.repeat(22)}`);
    await browser.request(gate.url(`/_gate/login?return_to=${encodeURIComponent(unknown)}`), { mode: 'navigate' });
    assert.equal(asked('kc_idp_hint'), null);
  });

  test('so does the sign-in in another window, by the page that waits', async () => {
    const { browser, page } = await kept('/partners/off/save?a=1', 'carol');
    assert.match(page.text, /has not been sent/);
    const signIn = await browser.navigate(linkOf(page, 'Sign in in another window'));
    assert.equal(asked('kc_idp_hint'), 'partners');
    const end = await browser.submit(signIn, { username: 'carol' });
    assert.equal(end.url, gate.url('/_gate/signed-in?page=%2Fpartners%2Foff%2Fsave'));
    assert.match(end.text, /You are signed in/);
  });

  test('a made-up page that waits is no address of ours', async () => {
    for (const page of ['//partners.example/', 'https://evil.example/partners', '/_gate/logout', '/partners&x=1']) {
      const returnTo = encodeURIComponent(`/_gate/signed-in?page=${page}`);
      const browser = gate.browser();
      const form = await browser.navigate(gate.url(`/_gate/login?return_to=${returnTo}`));
      assert.equal(asked('kc_idp_hint'), null, page);
      assert.equal((await browser.submit(form, { username: 'alice' })).url, gate.url('/'), page);
      gate.provider.dropSessions('alice');
    }
  });
});
