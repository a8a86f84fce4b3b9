// Where a test user's sign-in stops, the drill says why and what helps. The pages are Keycloak's, cut down to what counts.

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { Browser } from '../../../src/cli/browser/browser.ts';
import { signIn } from '../../../src/cli/drill/sign-in.ts';

const PASSWORD = 'correct horse';

const LOGIN = `<form id="kc-form-login" action="/realms/acme/login-actions/authenticate?execution=1&amp;tab_id=2" method="post">
<input name="username" type="text" value=""><input name="password" type="password"><input type="hidden" name="credentialId">
<input name="rememberMe" type="checkbox"><input name="login" type="submit" value="Sign In"></form>`;
const USERNAME_FIRST = LOGIN.replace('<input name="password" type="password">', '');
const PASSWORD_SECOND = LOGIN.replace('<input name="username" type="text" value="">', '');

/** What the provider shows after the first form, by what is tried. */
const PAGES: Readonly<Record<string, string>> = {
  otp: '<form id="kc-otp-login-form" action="/realms/acme/login-actions/authenticate" method="post"><input name="otp"></form>',
  action:
    '<form action="/realms/acme/login-actions/required-action?execution=UPDATE_PASSWORD" method="post"><input name="password-new"></form>',
  consent: '<form action="/realms/acme/login-actions/consent" method="POST"><input name="accept" type="submit"></form>',
  error:
    '<title>Sign in to acme</title><div id="kc-error-message"><p class="instruction">Invalid parameter: <b>redirect_uri</b></p></div>',
  wrong: LOGIN,
  second: PASSWORD_SECOND,
};

describe("a test user's sign-in", () => {
  const sent: URLSearchParams[] = [];
  const servers = [createServer(gate), createServer((request, response) => void provider(request, response))];
  const origin = (at: number) => `http://127.0.0.1:${(servers[at]!.address() as AddressInfo).port}`;

  function gate({ url = '', headers }: IncomingMessage, response: ServerResponse): void {
    if (url === '/down') response.writeHead(503).end('the provider cannot be reached');
    else if (url === '/callback')
      response.writeHead(303, { 'Set-Cookie': 'session=1; Path=/', Location: '/page' }).end();
    else if (headers.cookie === undefined)
      response.writeHead(302, { Location: `${origin(1)}/auth?try=${url.slice(1)}` }).end();
    else response.writeHead(url === '/page' ? 200 : 403).end('the page');
  }

  async function provider(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, origin(1));
    if (request.method === 'GET') {
      const what = url.searchParams.get('try')!;
      response.setHeader('Set-Cookie', `what=${what}; Path=/`);
      const status = what === 'error' ? 400 : 200;
      response.writeHead(status).end(what === 'error' ? PAGES['error'] : what === 'second' ? USERNAME_FIRST : LOGIN);
      return;
    }
    const what = /what=(\w+)/.exec(request.headers.cookie ?? '')![1]!;
    const form = new URLSearchParams(await text(request));
    sent.push(form);
    const isRight = form.get('password') === PASSWORD && (what === 'page' || what === 'second');
    if (isRight) response.writeHead(302, { Location: `${origin(0)}/callback` }).end();
    else response.writeHead(200).end(PAGES[what]);
  }

  before(async () => {
    for (const server of servers) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  after(() => {
    for (const server of servers) server.close();
  });

  const attempt = (what: string) =>
    signIn(new Browser(), { url: `${origin(0)}/${what}`, username: 'carol', password: PASSWORD });

  test('on one page: user name and password, the hidden fields as they are, no button, no box that is not ticked', async () => {
    assert.equal((await attempt('page')).body, 'the page');
    assert.deepEqual([...sent.at(-1)!.keys()].sort(), ['credentialId', 'password', 'username']);
  });

  test('where the gate cannot begin it: nobody is said to have signed in', async () => {
    const options = { url: `${origin(0)}/down`, username: 'carol', password: PASSWORD };
    await assert.rejects(
      signIn(new Browser(), options),
      /^Error: the gate sends nobody to the provider: \S+\/down was answered 503; .*\/readyz/,
    );
  });

  test('on two pages: the user name first, the password on the second', async () => {
    assert.equal((await attempt('second')).body, 'the page');
  });

  for (const [what, expected] of [
    ['wrong', /refuses carol: the password is wrong/],
    ['otp', /asks carol for a one-time password/],
    ['action', /something for carol to do first/],
    ['consent', /asks carol for consent/],
    ['error', /was answered 400 \("Invalid parameter: redirect_uri"\)/],
  ] as const) {
    test(`stops at "${what}": says so, without the password`, async () => {
      const before = sent.length;
      await assert.rejects(attempt(what), (error: Error) => {
        assert.match(error.message, expected);
        assert.ok(!error.message.includes(PASSWORD));
        return true;
      });
      assert.ok(sent.length - before <= 1, 'a wrong password must not be tried twice');
    });
  }
});
