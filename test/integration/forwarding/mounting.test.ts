// An application below a path of the public origin that it knows nothing of (`strip_prefix`), and one that is told the public
// host (`preserve_host`): where its redirects lead, and which pages get its cookies.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TestGate } from '../../support/test-gate.ts';

const routes = (upstream: string) => [
  { name: 'mounted', path: '/tools/app', upstream, strip_prefix: true },
  { name: 'other', path: '/', upstream, preserve_host: true },
];

describe('an application below a path', () => {
  let gate: TestGate;
  before(async () => {
    gate = await TestGate.start({ config: { routes } });
  });
  after(() => gate.close());

  test('is asked without the path, and its redirects and cookies stay below it', async () => {
    const browser = await gate.signedIn('alice', '/tools/app/echo');
    assert.equal(gate.app.seen('/tools/app/echo').length, 0);
    await browser.request(gate.url('/tools/app/begin'));
    assert.match(browser.cookies.header(new URL(gate.url('/tools/app/x'))) ?? '', /legacy=/);
    assert.doesNotMatch(browser.cookies.header(new URL(gate.url('/tools/applet'))) ?? '', /legacy=/);
    const page = await browser.navigate(gate.url('/tools/app/logout'));
    assert.equal(page.url, gate.url('/tools/app/goodbye'));
    assert.equal(gate.app.seen('/goodbye').length, 1);
    assert.doesNotMatch(
      browser.cookies.header(new URL(gate.url('/tools/app/x'))) ?? '',
      /legacy=/,
      'it removed its own',
    );
    const away = await browser.request(
      gate.url(`/tools/app/logout?to=${encodeURIComponent(`${gate.app.origin}/a?b`)}`),
    );
    assert.equal(away.headers.location, gate.url('/tools/app/a?b'));
  });

  test('is told the public host where the route says so, and otherwise its own', async () => {
    const browser = await gate.signedIn('bob', '/echo');
    await browser.request(gate.url('/tools/app/echo'));
    const hosts = gate.app
      .seen('/echo')
      .slice(-2)
      .map(({ headers }) => [headers.host, headers['x-forwarded-host']]);
    const [publicHost, ownHost] = [new URL(gate.url('/')).host, new URL(gate.app.origin).host];
    assert.deepEqual(hosts, [
      [publicHost, publicHost],
      [ownHost, publicHost],
    ]);
  });
});
