// Logout as a lever of others: LOGOUT-01, LOGOUT-04 and LOGOUT-06 of the security catalogue.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Secret } from '../../src/base/secret.ts';
import { LogoutStates } from '../../src/http/logout-states.ts';
import { TextSeal } from '../../src/http/sealed-text.ts';
import type { BrowserClient, RequestOptions } from '../support/browser-client.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { TestGate } from '../support/test-gate.ts';

const EVIL = 'https://evil.example';

describe('LOGOUT-01 another site', () => {
  let gate: TestGate;
  let browser: BrowserClient;
  before(async () => {
    gate = await TestGate.start();
    browser = await gate.signedIn('alice');
  });
  after(() => gate.close());

  const ATTEMPTS: Readonly<Record<string, RequestOptions>> = {
    'an image': { mode: 'image', site: 'cross-site' },
    'a link': { mode: 'navigate', site: 'cross-site' },
    'a link of a sister site': { mode: 'navigate', site: 'same-site' },
    'a frame': { mode: 'iframe', site: 'cross-site' },
    'a form': { method: 'POST', mode: 'navigate', site: 'cross-site', headers: { Origin: EVIL } },
    'a form of a sister site': { method: 'POST', mode: 'navigate', site: 'same-site', headers: { Origin: EVIL } },
    'a form of a browser without Sec-Fetch': { method: 'POST', mode: 'none', headers: { Origin: EVIL } },
    'a form without an origin of its own': { method: 'POST', mode: 'none', headers: { Origin: 'null' } },
    'a form that claims both': {
      method: 'POST',
      mode: 'none',
      headers: { 'Sec-Fetch-Site': 'cross-site', Origin: 'OURS' },
    },
    'a script': { method: 'POST', mode: 'fetch', site: 'cross-site', headers: { Origin: EVIL } },
    'a link of a browser without Sec-Fetch': { mode: 'none', headers: { Accept: 'text/html' } },
  };

  for (const [title, attempt] of Object.entries(ATTEMPTS)) {
    test(`signs nobody out by ${title}: a page asks`, async () => {
      const headers = { ...attempt.headers };
      if (headers['Origin'] === 'OURS') headers['Origin'] = new URL(gate.url('/')).origin;
      const asked = await browser.request(gate.url('/_gate/logout?return_to=/a&ui_locales=de'), {
        ...attempt,
        headers,
      });
      assert.equal(asked.status, 200);
      assert.match(asked.text, /<form method="post" action="\/_gate\/logout\?return_to=[^"]+&amp;ui_locales=de">/);
      assert.deepEqual([asked.headers['set-cookie'], asked.headers['clear-site-data']], [undefined, undefined]);
      assert.equal((await browser.request(gate.url('/echo'))).status, 200);
    });
  }

  test('and the page’s own button does', async () => {
    const own = await gate.signedIn('bob');
    const page = await own.request(gate.url('/_gate/logout'), { mode: 'navigate', site: 'cross-site' });
    const answer = await own.submit(page, {}, '_gate/logout');
    assert.equal(new URL(answer.url).pathname, '/_gate/logged-out');
    assert.equal((await own.request(gate.url('/echo'))).status, 401);
  });

  test('and the button does in a browser that has nothing but Origin, and says by it what the page lets it say', async () => {
    const own = await gate.signedIn('carol');
    const page = await own.request(gate.url('/_gate/logout'), { mode: 'none', headers: { Accept: 'text/html' } });
    const policies = [page.headers['referrer-policy'], /<meta name="referrer" content="([^"]+)">/.exec(page.text)?.[1]];
    assert.match(page.text, /Sign out\?/);
    // Fetch, "append a request Origin header": under no-referrer a form's own site is `null`, too.
    const origin = policies.includes('no-referrer') ? 'null' : new URL(page.url).origin;
    const answer = await own.request(gate.url('/_gate/logout'), {
      method: 'POST',
      mode: 'none',
      headers: { Origin: origin },
    });
    assert.equal(answer.status, 303);
    assert.equal((await own.request(gate.url('/echo'))).status, 401);
  });
});

describe('LOGOUT-04 the way back from a logout', () => {
  const SECRET = 'a session secret that only tests know';
  const states = (clock = new ManualClock(Date.now()), secret = SECRET) =>
    new LogoutStates(new TextSeal({ current: [new Secret(secret)] }, 'page token'), clock);
  let gate: TestGate;
  before(async () => {
    gate = await TestGate.start({ config: { logout: { clear_site_data: ['cache', 'cookies'] } } });
  });
  after(() => gate.close());

  const back = (query: string, options: RequestOptions = {}) =>
    gate.browser().request(gate.url(`/_gate/logged-out${query}`), { mode: 'navigate', site: 'cross-site', ...options });

  async function assertStays(query: string): Promise<void> {
    const page = await back(query);
    assert.equal(page.status, 200, query);
    assert.equal(page.headers.location, undefined, query);
    assert.match(page.text, /You are signed out/);
    assert.doesNotMatch(page.text, /evil/);
  }

  test('leads to the address that the logout asked for, as often as it comes', async () => {
    const state = states().seal({ outcome: 'sent', returnTo: gate.url('/echo?a=1') });
    for (let time = 0; time < 3; time++) {
      const answer = await back(`?state=${state}`);
      assert.equal(answer.status, 303);
      assert.equal(answer.headers.location, gate.url('/echo?a=1'));
    }
  });

  const FOREIGN = [
    ...['', '?state', '?state=', '?state=x', '?state=%00', '?state=%ff', '?state=..', `?state=${'A'.repeat(4_000)}`],
    ...[`?state=//evil.example`, `?state=${encodeURIComponent(EVIL)}`, `?state=/\\evil.example`, '?state=javascript:1'],
    ...[`?return_to=${encodeURIComponent(EVIL)}`, `?redirect_uri=${EVIL}`, `?post_logout_redirect_uri=${EVIL}`],
    ...['?error=access_denied&error_description=evil', '?provider=unreachable', '?%', '?a=1&a=2&state=1&state=2'],
  ];
  for (const query of FOREIGN) {
    test(`stays on its own page with ${query.slice(0, 60) || 'no state'}`, () => assertStays(query));
  }

  test('stays there with a state that was changed, cut, or sealed elsewhere', async () => {
    const state = states().seal({ outcome: 'sent', returnTo: `${EVIL}/` });
    const foreign = states(undefined, 'the session secret of another installation').seal({
      outcome: 'sent',
      returnTo: `${EVIL}/`,
    });
    const changed = (state[20] === 'A' ? 'B' : 'A') + state.slice(1);
    for (const text of [changed, state.slice(0, -1), state.slice(1), `${state}A`, foreign]) {
      await assertStays(`?state=${text}`);
    }
  });

  test('stays there with what was sealed for another purpose', async () => {
    const login = new TextSeal({ current: [new Secret(SECRET)] }, 'login transaction').seal('{}', 'logout state');
    const other = new TextSeal({ current: [new Secret(SECRET)] }, 'page token').seal('{}', 'another label');
    for (const text of [login, other]) await assertStays(`?state=${text}`);
  });

  test('stays there an hour later', async () => {
    const clock = new ManualClock(Date.now() - 3_600_000);
    const state = states(clock).seal({ outcome: 'sent', returnTo: gate.url('/echo') });
    await assertStays(`?state=${state}`);
    clock.advance(60_000);
    const fresh = states(clock).seal({ outcome: 'sent', returnTo: gate.url('/echo') });
    assert.equal((await back(`?state=${fresh}`)).status, 303);
  });

  test('a state of a real logout is accepted, and says nothing to whoever reads it', async () => {
    const answer = await gate.browser().request(gate.url('/_gate/logout?return_to=/secret-page'), {
      method: 'POST',
      mode: 'navigate',
    });
    const state = new URL(answer.headers.location!).searchParams.get('state')!;
    assert.ok(!Buffer.from(state, 'base64url').toString('latin1').includes('secret-page'));
    assert.equal((await back(`?state=${state}`)).headers.location, gate.url('/secret-page'));
  });

  test('as a picture on another site takes no cookie away', async () => {
    const answer = await back('', { mode: 'image' });
    assert.equal(answer.headers['clear-site-data'], '"cache"');
    assert.equal(answer.headers['set-cookie'], undefined);
    const logout = await gate.browser().request(gate.url('/_gate/logout'), { method: 'POST', mode: 'navigate' });
    assert.equal(logout.headers['clear-site-data'], '"cache", "cookies"');
  });
});
