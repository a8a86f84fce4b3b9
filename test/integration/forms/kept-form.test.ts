// A form that meets an ended session is kept, and sent once when its user says so (`routes[].preserve_post`).

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Answer, BrowserClient, RequestOptions } from '../../support/browser-client.ts';
import { actionOf, linkOf } from '../../support/page-links.ts';
import { TestGate } from '../../support/test-gate.ts';

const URLENCODED = 'application/x-www-form-urlencoded';
const routes = (upstream: string) => [
  {
    name: 'app',
    upstream,
    preserve_post: { max_bytes: '300KiB' },
    logout: { paths: ['/logout'] },
    access: [{ path: '/vip', groups: ['/nobody'] }],
  },
  { name: 'off', path: '/off', upstream, preserve_post: { enabled: false } },
  { name: 'deny', path: '/deny', upstream, unauthenticated: 'deny' },
];

describe('a form that meets an ended session', () => {
  let gate: TestGate;
  before(async () => {
    gate = await TestGate.start({ config: { routes } });
  });
  after(() => gate.close());

  const origin = () => new URL(gate.url('/')).origin;

  /** What a browser sends for a form of a page of ours. */
  function form(body: string | Buffer, type = URLENCODED, options: RequestOptions = {}): RequestOptions {
    const headers = { 'Content-Type': type, Origin: origin(), Referer: gate.url('/edit'), ...options.headers };
    return { method: 'POST', mode: 'navigate', site: 'same-origin', body, ...options, headers };
  }

  /** A browser whose session has ended, and which still has its cookies. */
  async function signedOut(user = 'alice'): Promise<BrowserClient> {
    const browser = await gate.signedIn(user);
    await end(user);
    return browser;
  }

  async function end(user: string): Promise<void> {
    await gate.admin('DELETE', `/api/sessions?sub=sub-${user}`);
    // Or the provider's session would sign the same user in without asking.
    gate.provider.dropSessions(user);
  }

  /** Sends a form, follows to its page, signs in there, and is back at the page. */
  async function keepAndSignIn(browser: BrowserClient, target: string, sent: RequestOptions, user = 'alice') {
    const page = await browser.navigate(gate.url(target), sent);
    assert.match(page.text, /Your form is kept/);
    const provider = await browser.navigate(linkOf(page, 'Sign in'), { site: 'same-origin' });
    return browser.submit(provider, { username: user });
  }

  const bodies: Record<string, [string, Buffer]> = {
    urlencoded: [URLENCODED, Buffer.from('a=1&b=%C3%A4&b=2&c=')],
    'multipart with a file': ['multipart/form-data; boundary=----xYz', multipart('----xYz', randomBytes(200_000))],
    'text/plain': ['text/plain', Buffer.from('a=1\r\nb=\u00e4\r\n')],
    empty: [URLENCODED, Buffer.alloc(0)],
  };
  for (const [name, [type, body]] of Object.entries(bodies)) {
    test(`is sent with the same bytes, once, after sign-in: ${name}`, async () => {
      const browser = await signedOut();
      const target = `/save/${name.replaceAll(' ', '-')}?x=%2f&y=1`;
      const ready = await keepAndSignIn(browser, target, form(body, type));
      assert.match(ready.text, /Send your form now\?/);
      assert.match(ready.text, /<strong>alice<\/strong>/);
      assert.equal(gate.app.seen(target).length, 0, 'not before the user says so');
      const answer = await browser.submit(ready, {}, 'Send it now');
      assert.equal(answer.status, 200);
      const [seen, ...more] = gate.app.exchanges.filter((exchange) =>
        exchange.target.startsWith(target.split('?')[0]!),
      );
      assert.deepEqual(more, []);
      assert.deepEqual([seen!.method, seen!.target, seen!.requestEnd], ['POST', target, 'complete']);
      assert.deepEqual(JSON.parse(answer.text).body, {
        bytes: body.length,
        sha256: createHash('sha256').update(body).digest('hex'),
      });
      assert.equal(seen!.headers['content-type'], type);
      assert.equal(seen!.headers['content-length'], String(body.length));
      assert.equal(seen!.headers.referer, gate.url('/edit'), 'the form’s own page, not ours');
      assert.equal(seen!.headers.origin, origin());
      assert.equal(seen!.headers['x-forwarded-user'], 'sub-alice');
      assert.doesNotMatch(seen!.headers.cookie ?? '', /portcullis/);
    });
  }

  test('waits on a page that can be loaded again, before and after sign-in', async () => {
    const browser = await signedOut();
    const answer = await browser.request(gate.url('/save'), form('a=1'));
    assert.equal(answer.status, 303);
    const where = new URL(answer.headers.location!, gate.url('/'));
    assert.match(where.pathname + where.search, /^\/_gate\/form\?id=[\w-]{22}$/);
    for (let i = 0; i < 2; i++) {
      const page = await browser.navigate(where, { site: 'same-origin' });
      assert.match(page.text, /another 2[89] minutes|another 30 minutes/);
      assert.doesNotMatch(page.text, /\/save/, 'nobody is signed in, so nothing is told of it');
      assertStrict(page);
    }
    await gate.signIn(browser, 'alice');
    for (let i = 0; i < 2; i++) assertStrict(await browser.navigate(where, { site: 'same-origin' }));
    await gate.event('form.kept', { route: 'app', bytes: 3 });
    assert.equal(gate.app.seen('/save').length, 0);
  });

  test('another user never gets it: it is gone, and the page says so', async () => {
    const browser = await signedOut('alice');
    const page = await keepAndSignIn(browser, '/others', form('secret=of-alice'), 'bob');
    assert.equal(page.status, 410);
    assert.match(page.text, /somebody else’s/);
    assert.doesNotMatch(page.text, /alice|\/others/);
    const again = await browser.navigate(page.url, { site: 'same-origin' });
    assert.match(again.text, /This form has been sent|not here any more/);
    assert.equal(gate.app.seen('/others').length, 0);
    await gate.event('form.removed', { why: 'other_user', user: 'bob' });
  });

  test('another user does not get it by the button’s address either', async () => {
    const alice = await signedOut('alice');
    const { headers } = await alice.request(gate.url('/stolen'), form('secret=of-alice'));
    const id = new URL(headers.location!, origin()).searchParams.get('id')!;
    const bob = await gate.signedIn('bob');
    const answer = await bob.request(gate.url(`/stolen?portcullis-form=${id}`), form(''));
    assert.equal(answer.status, 410);
    assert.equal(gate.app.seen('/stolen').length, 0);
    await gate.signIn(alice, 'alice');
    const late = await alice.request(gate.url(`/stolen?portcullis-form=${id}`), form(''));
    assert.equal(late.status, 410);
  });

  test('a double click on the button sends it once', async () => {
    const browser = await signedOut();
    const ready = await keepAndSignIn(browser, '/twice', form('a=1'));
    const target = actionOf(ready, 'Send it now');
    const answers = await Promise.all([1, 2, 3].map(() => browser.request(target, form(''))));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 410, 410]);
    assert.match(answers.find(({ status }) => status === 410)!.text, /This form has been sent/);
    assert.equal(gate.app.seen('/twice').length, 1);
  });

  test('two windows’ forms are both kept, and sent apart', async () => {
    const browser = await signedOut();
    const second = await browser.request(gate.url('/window-2'), form('w=2'));
    const ready = await keepAndSignIn(browser, '/window-1', form('w=1'));
    await browser.submit(ready, {}, 'Send it now');
    assert.deepEqual([gate.app.seen('/window-1').length, gate.app.seen('/window-2').length], [1, 0]);
    const other = await browser.navigate(new URL(second.headers.location!, origin()), { site: 'same-origin' });
    await browser.submit(other, {}, 'Send it now');
    assert.equal(gate.app.seen('/window-2').length, 1);
  });

  test('is discarded where the user says so, and not where another site does', async () => {
    const browser = await signedOut();
    const ready = await keepAndSignIn(browser, '/discard', form('a=1'));
    const action = actionOf(ready, 'Discard it');
    const foreign = { site: 'cross-site', headers: { Origin: 'https://evil.example' } } as const;
    assert.equal((await browser.request(action, form('', URLENCODED, foreign))).status, 403);
    const page = await browser.submit(ready, {}, 'Discard it');
    assert.deepEqual([page.status, /discarded/.test(page.text)], [200, true]);
    assert.equal((await browser.request(actionOf(ready, 'Send it now'), form(''))).status, 410);
    assert.equal(gate.app.seen('/discard').length, 0);
  });

  test('is decided at its own address, whatever the address of the click', async () => {
    const browser = await signedOut();
    const ready = await keepAndSignIn(browser, '/vip/save', form('a=1'));
    const { search } = new URL(actionOf(ready, 'Send it now'));
    for (const path of ['/vip/save', '/free']) {
      assert.equal((await browser.request(gate.url(`${path}${search}`), form(''))).status, 403, path);
    }
    assert.deepEqual([gate.app.seen('/vip/save').length, gate.app.seen('/free').length], [0, 0]);
  });

  test('of a browser that sends no Sec-Fetch-* is known by its Origin', async () => {
    const browser = await signedOut();
    const old: RequestOptions = { mode: 'none', headers: { Accept: 'text/html' } };
    const ready = await keepAndSignIn(browser, '/old', form('a=1', URLENCODED, old));
    assert.equal(ready.headers['referrer-policy'], 'same-origin', 'or its Origin would be null');
    assert.match(ready.text, /<meta name="referrer" content="same-origin">/);
    assert.equal((await browser.request(actionOf(ready, 'Send it now'), form('', URLENCODED, old))).status, 200);
    assert.equal(gate.app.seen('/old').length, 1);
  });

  test('another site cannot have it sent: the user is asked again', async () => {
    const browser = await signedOut();
    const ready = await keepAndSignIn(browser, '/forged', form('a=1'));
    for (const options of [
      { site: 'cross-site', headers: { Origin: 'https://evil.example' } },
      { site: 'same-site' },
      { mode: 'none', headers: { Origin: 'null', Accept: 'text/html' } },
    ] as const) {
      const answer = await browser.request(actionOf(ready, 'Send it now'), form('', URLENCODED, options));
      assert.deepEqual([answer.status, answer.headers.location], [303, new URL(ready.url).href.slice(origin().length)]);
    }
    assert.equal(gate.app.seen('/forged').length, 0);
  });

  test('the session ends again before the click: the form waits on', async () => {
    const browser = await signedOut();
    const ready = await keepAndSignIn(browser, '/again', form('a=1'));
    await end('alice');
    const page = await browser.submit(ready, {}, 'Send it now');
    assert.match(page.text, /Your form is kept/);
    const back = await browser.submit(await browser.navigate(linkOf(page, 'Sign in')), { username: 'alice' });
    await browser.submit(back, {}, 'Send it now');
    assert.equal(gate.app.seen('/again').length, 1);
  });

  const notKept: Record<string, { path?: string; options: () => RequestOptions; status?: number; says?: RegExp }> = {
    'from another site': {
      options: () => form('a=1', URLENCODED, { site: 'cross-site', headers: { Origin: 'https://evil.example' } }),
    },
    'from a sister site': { options: () => form('a=1', URLENCODED, { site: 'same-site' }) },
    'of a browser that says nothing of where it comes from': {
      options: () => ({
        method: 'POST',
        mode: 'none',
        body: 'a=1',
        headers: { Accept: 'text/html', 'Content-Type': URLENCODED },
      }),
    },
    'by fetch': { options: () => ({ ...form('a=1'), mode: 'fetch' }) },
    'in a frame': { options: () => ({ ...form('a=1'), mode: 'iframe' }) },
    'of another type': { options: () => form('{}', 'application/json') },
    'on a route that keeps none': { path: '/off', options: () => form('a=1'), says: /has not been sent/ },
    'that is the application’s logout': { path: '/logout', options: () => form('a=1'), says: /has not been sent/ },
    'on a route that denies': { path: '/deny', options: () => form('a=1'), says: /has not been sent/ },
    'that says that it is too large': {
      options: () => form(Buffer.alloc(300 * 1024 + 1)),
      status: 413,
      says: /larger than the 300 KB/,
    },
    'that turns out to be too large': {
      options: () =>
        form(Buffer.alloc(300 * 1024 + 1), URLENCODED, {
          headers: { 'Transfer-Encoding': 'chunked', 'Content-Length': [] },
        }),
      status: 413,
    },
  };
  for (const [name, { path = '/not-kept', options, status = 401, says }] of Object.entries(notKept)) {
    test(`is not kept: ${name}`, async () => {
      const browser = await signedOut();
      const answer = await browser.request(gate.url(path), options());
      assert.equal(answer.status, status);
      if (says) assert.match(answer.text, says);
      assert.equal(gate.app.seen(path).length, 0);
    });
  }

  test('of somebody who was never signed in here is not kept, whatever cookies are made up', async () => {
    const browser = gate.browser();
    const real = (await gate.signedIn('alice')).cookies.header(new URL(gate.url('/')))!;
    const value = /portcullis-user=([^;]+)/.exec(real)![1]!;
    for (const Cookie of [
      '',
      'portcullis-user=x',
      `portcullis-user=${value.slice(0, -4)}AAAA`,
      `portcullis-user=${value}; portcullis-user=${value}`,
    ]) {
      const answer = await browser.request(gate.url('/nobody'), form('a=1', URLENCODED, { headers: { Cookie } }));
      assert.equal(answer.status, 401, Cookie);
      assert.match(answer.text, /Your form has not been sent/);
      assert.match(String(answer.headers['www-authenticate']), /Portcullis/);
    }
  });

  test('one user keeps eight at most; the ninth is told, and nothing of the others goes', async () => {
    const browser = await signedOut('carol');
    const kept: string[] = [];
    for (let i = 0; i < 8; i++) {
      const answer = await browser.request(gate.url('/many'), form(`i=${i}`));
      assert.equal(answer.status, 303);
      kept.push(answer.headers.location!);
    }
    const ninth = await browser.request(gate.url('/many'), form('i=8'));
    assert.equal(ninth.status, 429);
    assert.match(ninth.text, /too many forms/);
    for (const location of kept) {
      const page = await browser.navigate(new URL(location, origin()), { site: 'same-origin' });
      assert.match(page.text, /Your form is kept/);
    }
    await gate.event('form.refused', { why: 'too_many' });
  });

  test('of which the rest never comes is not kept, and that is said in the log', async () => {
    const browser = await signedOut('bob');
    const { body: _, ...head } = form('', URLENCODED, { headers: { 'Content-Length': '100' } });
    const { transfer, body } = browser.upload(gate.url('/half'), head);
    body.write('a=1');
    setTimeout(() => transfer.abort(), 50);
    await gate.event('form.refused', { why: 'incomplete' });
    assert.equal(gate.app.seen('/half').length, 0);
  });

  test('nothing of a form is in the log', () => {
    assert.doesNotMatch(gate.output, /of-alice|portcullis-form=|form\?id=/);
  });
});

describe('a form whose application is away', () => {
  test('is not lost: it waits on, and is sent when the application is back', async () => {
    const gate = await TestGate.start({ config: { routes: () => [{ name: 'app', upstream: 'http://127.0.0.1:1' }] } });
    try {
      const browser = await gate.signedIn('alice', '/');
      await gate.admin('DELETE', '/api/sessions?all=true');
      const headers = { 'Content-Type': URLENCODED, Origin: new URL(gate.url('/')).origin };
      const sent: RequestOptions = { method: 'POST', site: 'same-origin', body: 'a=1', headers };
      const page = await browser.navigate(gate.url('/away'), sent);
      const ready = await browser.navigate(linkOf(page, 'Sign in'));
      const unsent = await browser.submit(ready, {}, 'Send it now');
      assert.equal(unsent.status, 502);
      assert.match(unsent.text, /still kept here/);
      assert.ok(!gate.log.some(({ event }) => event === 'form.sent'), 'nor does the log say that it was sent');
      await gate.reload({ routes: (upstream: string) => [{ name: 'app', upstream }] });
      const back = await browser.navigate(linkOf(unsent, 'Back to the form'));
      assert.equal((await browser.submit(back, {}, 'Send it now')).status, 200);
      assert.equal(gate.app.seen('/away').length, 1);
      await gate.event('form.sent', { route: 'app', bytes: 3, user: 'alice' });
    } finally {
      await gate.close();
    }
  });
});

describe('a large form whose application is slow', () => {
  test('is delivered whole where the browser goes away after the click', async () => {
    const body = randomBytes(12 * 1024 ** 2);
    const requests: IncomingMessage[] = [];
    const application = createServer((request, response) => {
      if (request.method === 'POST') requests.push(request.pause());
      else response.end('hello');
    }).listen(0, '127.0.0.1');
    await once(application, 'listening');
    const upstream = `http://127.0.0.1:${(application.address() as AddressInfo).port}`;
    const route = { name: 'app', upstream, preserve_post: { max_bytes: '16MiB' } };
    const gate = await TestGate.start({ config: { routes: () => [route] } });
    try {
      const browser = await gate.signedIn('alice', '/');
      await gate.admin('DELETE', '/api/sessions?all=true');
      const headers = { 'Content-Type': 'text/plain', Origin: new URL(gate.url('/')).origin };
      const page = await browser.navigate(gate.url('/save'), { method: 'POST', site: 'same-origin', body, headers });
      const ready = await browser.navigate(linkOf(page, 'Sign in'));
      const click: RequestOptions = { mode: 'navigate', headers: { ...headers, 'Content-Length': '0' } };
      const { transfer } = browser.upload(actionOf(ready, 'Send it now'), click);
      await until(() => requests.length === 1);
      transfer.abort();
      // A cut would reach the application by now, in the middle of the body.
      await new Promise((resolve) => setTimeout(resolve, 200));
      const chunks: Buffer[] = [];
      for await (const chunk of requests[0]!) chunks.push(chunk as Buffer);
      assert.ok(Buffer.concat(chunks).equals(body));
      assert.equal(requests.length, 1);
    } finally {
      application.closeAllConnections();
      application.close();
      await gate.close();
    }
  });
});

function assertStrict(page: Answer): void {
  assert.match(String(page.headers['content-security-policy']), /default-src 'none'/);
  assert.match(page.headers['cache-control']!, /no-store/);
  assert.doesNotMatch(page.text, /<script/);
}

function multipart(boundary: string, file: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n`),
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="f"; filename="f.bin"\r\n\r\n`),
    file,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
