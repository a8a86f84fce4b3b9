// The sign-in that a kept form waits for asks the provider what the form's own address asks, and comes back to the form. A form
// waits for a stronger sign-in as it does for any.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import type { BrowserClient, Page, RequestOptions } from '../../support/browser-client.ts';
import { PATHS } from '../../support/embedded-provider.ts';
import { jsonOf, withJson } from '../../support/hooked-server.ts';
import { actionOf, linkOf } from '../../support/page-links.ts';
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
    access: [{ path: '/partners/off/vault', acr: '2' }],
  },
  { name: 'denied', path: '/denied', upstream, unauthenticated: 'deny', access: [{ path: '/denied/vault', acr: '2' }] },
];

describe('the sign-in for a kept form', () => {
  let gate: TestGate;
  /** What the provider gives whatever it is asked for; undefined: what it is asked for. */
  let reachable: readonly string[] | undefined;
  before(async () => {
    gate = await TestGate.start({ config: { routes } });
    gate.provider.mutate(PATHS.token, (answer) => {
      const body = jsonOf(answer);
      if (typeof body['id_token'] !== 'string') return answer;
      const { acr: _, ...claims } = decodeJwt(body['id_token']);
      return withJson(answer, {
        ...body,
        id_token: gate.provider.sign({ ...claims, acr: reachable?.[0] ?? asked('acr_values') ?? '1' }),
      });
    });
  });
  after(() => gate.close());
  afterEach(() => {
    reachable = undefined;
  });

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
    const weak = await browser.navigate(page.url, { site: 'same-origin' });
    assert.match(weak.text, /stronger sign-in/);
    assert.doesNotMatch(weak.text, /Send it now/);
    const back = await browser.navigate(linkOf(weak, 'Sign in'), { site: 'same-origin' });
    assert.equal(asked('acr_values'), '2');
    assert.equal(back.url, page.url);
    assert.equal((await browser.submit(back, {}, 'Send it now')).status, 200);
    assert.equal(gate.app.seen('/vault/later').length, 1);
  });

  test('a form of a signed-in user that needs a stronger sign-in is kept, waits for it, and is sent once', async () => {
    const browser = await gate.signedIn('alice');
    const weak = await browser.navigate(gate.url('/vault/strong?x=1'), form('typed=text'));
    assert.match(new URL(weak.url).pathname, /_gate\/form$/);
    assert.match(weak.text, /signed in as <strong>alice<\/strong>, but <strong>\/vault\/strong<\/strong>/);
    assert.match(weak.text, /another (?:29|30) minutes/);
    await gate.event('form.kept', { sub: 'sub-alice', route: 'app', bytes: 10 });
    const ready = await browser.navigate(linkOf(weak, 'Sign in'), { site: 'same-origin' });
    assert.deepEqual([asked('acr_values'), ready.url], ['2', weak.url]);
    const action = actionOf(ready, 'Send it now');
    const answers = await Promise.all([1, 2, 3].map(() => browser.request(action, form(''))));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 410, 410]);
    const [seen, ...more] = gate.app.seen('/vault/strong');
    assert.deepEqual(more, []);
    assert.deepEqual([seen!.target, seen!.headers['content-length']], ['/vault/strong?x=1', '10']);
    assert.equal((await browser.navigate(gate.url('/vault/next'), form())).status, 200, 'no form waits from now on');
  });

  test('the button of a form is no way round the stronger sign-in', async () => {
    const browser = await gate.signedIn('bob');
    const weak = await browser.navigate(gate.url('/vault/button'), form());
    const id = new URL(weak.url).searchParams.get('id')!;
    for (const path of ['/vault/button', '/free']) {
      const answer = await browser.request(gate.url(`${path}?portcullis-form=${id}`), form(''));
      assert.deepEqual([answer.status, answer.headers.location], [303, `/_gate/form?id=${id}`]);
    }
    assert.deepEqual([gate.app.seen('/vault/button'), gate.app.seen('/free')], [[], []]);
  });

  test('a form that waits for a stronger sign-in is nobody else’s', async () => {
    const browser = await gate.signedIn('alice');
    const weak = await browser.navigate(gate.url('/vault/mine'), form());
    gate.provider.dropSessions('alice');
    const signIn = await browser.navigate(linkOf(weak, 'Sign in'), { site: 'same-origin' });
    const page = await browser.submit(signIn, { username: 'bob' });
    assert.match(page.text, /somebody else’s/);
    assert.equal(gate.app.seen('/vault/mine').length, 0);
  });

  test('where the provider cannot, the page says that the form is still kept, and leads back to it', async () => {
    reachable = ['1'];
    const browser = await gate.signedIn('carol');
    const weak = await browser.navigate(gate.url('/vault/never'), form());
    const failed = await browser.navigate(linkOf(weak, 'Sign in'), { site: 'same-origin' });
    assert.equal(failed.status, 403);
    assert.match(failed.text, /Your form is still kept/);
    reachable = undefined;
    const ready = await browser.navigate(linkOf(failed, 'Try again'), { site: 'same-origin' });
    assert.equal((await browser.submit(ready, {}, 'Send it now')).status, 200);
    assert.equal(gate.app.seen('/vault/never').length, 1);
  });

  const notKept: Record<string, [path: string, options: RequestOptions, status: number]> = {
    'from another site': ['/vault/x', { site: 'cross-site', headers: { Origin: 'https://evil.example' } }, 401],
    'by fetch': ['/vault/x', { mode: 'fetch' }, 401],
    'where none is kept': ['/partners/off/vault', {}, 401],
    'where nobody is sent to sign in': ['/denied/vault', {}, 401],
    'that is too large': ['/vault/x', { body: Buffer.alloc(1_100_000) }, 413],
  };
  for (const [name, [path, { headers, ...options }, status]] of Object.entries(notKept)) {
    test(`for a stronger sign-in no form is kept ${name}, and the answer says what is missing`, async () => {
      const browser = await gate.signedIn('alice');
      const usual = form();
      const sent = { ...usual, ...options, headers: { ...usual.headers, ...headers } };
      const answer = await browser.request(gate.url(path), sent);
      assert.equal(answer.status, status);
      if (status === 401) assert.match(String(answer.headers['www-authenticate']), /acr_values="2"/);
      if (options.mode === undefined) assert.match(answer.text, /asks for a stronger sign-in/);
      assert.equal(gate.app.seen(path).length, 0);
    });
  }

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
