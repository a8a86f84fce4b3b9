// `portcullis explain`: what a request would meet, without a gate. Words for people, JSON for programs, no secrets.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ExplainedRequest, explainRequest } from '../../../src/app/explain-request.ts';
import type { Claims } from '../../../src/base/tokens.ts';
import { runCommand } from '../../support/run-command.ts';
import { configOf, SECRET } from '../../unit/config/load-text.ts';

const PASSWORD = 'a password that only the application knows';
const CONFIG = {
  public_url: ['https://wiki.example.com', 'https://api.example.com'],
  provider: {
    issuer: 'https://sso.example.com/realms/acme',
    client_id: 'gate',
    client_secret: 's3cret',
    authorization_params: { kc_idp_hint: 'corp', ui_locales: 'de' },
  },
  session: { secret: SECRET },
  routes: [
    {
      name: 'wiki',
      host: 'wiki.example.com',
      upstream: 'http://wiki:3000',
      access: [
        { path: '/public', auth: 'public', methods: ['GET'] },
        { path: '/admin', roles: ['wiki-admin'], groups: ['/staff'] },
        { path: '/payroll', acr: ['2'] },
      ],
      headers: { basic_auth: { username: '{preferred_username}', password: PASSWORD }, signed_assertion: true },
    },
    { name: 'reports', path: '/reports', upstream: 'http://reports', strip_prefix: true, access_default: 'deny' },
    {
      name: 'denied',
      host: 'wiki.example.com',
      path: '/denied',
      upstream: 'http://denied',
      unauthenticated: 'deny',
      access: [{ path: '/denied', acr: ['2'] }],
    },
    {
      name: 'farm',
      path: '/farm',
      upstream: ['http://farm-1', 'http://farm-2'],
      balance: 'session',
      strip_prefix: true,
      cookies: 'jar',
      authorization_params: { kc_idp_hint: 'partners', acr_values: '1' },
      logout: { paths: ['/farm/logout'] },
      preserve_post: { max_bytes: '2MiB' },
      access: [
        { path: '/farm/public', auth: 'public' },
        { path: '/farm/vault', acr: '2' },
      ],
    },
    { name: 'api', host: 'api.example.com', upstream: 'http://api', auth: 'bearer', unauthenticated: 'deny' },
  ],
};
const ALICE = { sub: '1', preferred_username: 'alice', groups: ['/staff'], realm_access: { roles: ['wiki-admin'] } };

describe('explain', () => {
  const config = configOf(JSON.stringify(CONFIG));
  const ask = (target: string, claims?: Claims, host = 'wiki.example.com', method = 'GET'): ExplainedRequest =>
    explainRequest(config, { method, host, target, claims });

  const cases: readonly [string, ExplainedRequest, [string, number | undefined, RegExp]][] = [
    ['a rule that holds', ask('/admin', ALICE), ['allowed', undefined, /access\[1\] \/admin holds/]],
    ['no rule', ask('/', ALICE), ['allowed', undefined, /every signed-in user/]],
    ['a public path', ask('/public/a'), ['allowed', undefined, /access\[0\] \/public is public/]],
    ['another method', ask('/public/a', undefined, undefined, 'POST'), ['sign_in', 401, /nobody is signed in/]],
    ['a HEAD', ask('/admin', undefined, undefined, 'HEAD'), ['sign_in', 302, /nobody is signed in/]],
    ['nobody', ask('/admin'), ['sign_in', 302, /everything else gets 401/]],
    ['nobody, for an acr', ask('/payroll'), ['sign_in', 302, /with acr_values 2/]],
    [
      'a missing role',
      ask('/admin', { ...ALICE, realm_access: {} }),
      ['forbidden', 403, /any of the roles wiki-admin, w/],
    ],
    ['a missing group', ask('/admin', { ...ALICE, groups: [] }), ['forbidden', 403, /any of the groups \/staff, w/]],
    ['a weaker sign-in', ask('/payroll', { ...ALICE, acr: '1' }), ['step_up', 302, /in with acr 1, and .* asks for 2/]],
    [
      'a sign-in that does not say how',
      ask('/payroll', ALICE),
      ['step_up', 302, /^this user's sign-in has no acr, and access\[2\] \/payroll asks for 2: /],
    ],
    [
      'a form of a weaker sign-in',
      ask('/payroll', { ...ALICE, acr: '1' }, undefined, 'POST'),
      ['step_up', 401, /a page that a browser opens is sent .*; everything else gets 401/],
    ],
    [
      'a weaker sign-in where nobody is redirected',
      ask('/denied', { ...ALICE, acr: '1' }),
      ['step_up', 401, /nobody is sent to sign in, everything gets 401/],
    ],
    ['a token route', ask('/x', undefined, 'api.example.com'), ['sign_in', 401, /access token/]],
    ['an ambiguous path', ask('/public/..;/admin', ALICE), ['bad_request', 400, /readings lead to different rules/]],
    ['a broken path', ask('/%zz', ALICE), ['bad_request', 400, /percent escape/]],
    ['another host', ask('/', ALICE, 'evil.example'), ['misdirected', 421, /no public_url has the host evil/]],
    ['an own path', ask('/_gate/login?x'), ['own_endpoint', undefined, /the gate's own/]],
    ['a forbidden method', ask('/', ALICE, undefined, 'TRACE'), ['bad_request', 405, /not served/]],
  ];
  for (const [title, { outcome }, [kind, status, why]] of cases) {
    test(title, () => {
      assert.deepEqual([outcome.kind, outcome.status], [kind, status]);
      assert.match(outcome.why, why);
    });
  }

  test('the most specific host comes before the longest path, and access_default: deny is named', () => {
    assert.equal(ask('/reports/a', ALICE, 'api.example.com').route!.name, 'api');
    const closed = explainRequest(configOf(JSON.stringify({ ...CONFIG, routes: CONFIG.routes.slice(1, 2) })), {
      method: 'GET',
      host: 'wiki.example.com',
      target: '/reports/a?b',
      claims: ALICE,
    });
    assert.equal(closed.route!.upstream, 'http://reports/a?b');
    assert.deepEqual(
      [closed.outcome.kind, closed.outcome.why],
      ['forbidden', 'no rule matches, and access_default is deny'],
    );
  });

  const farm = (target: string, method = 'GET', host = 'other.example.com') =>
    explainRequest(
      configOf(JSON.stringify({ ...CONFIG, public_url: [...CONFIG.public_url, 'https://other.example.com'] })),
      {
        method,
        host,
        target,
        claims: ALICE,
      },
    );

  test('every upstream, and how one is chosen', () => {
    const { upstream, upstreams, choice } = farm('/farm/a?b').route!;
    assert.equal(upstream, 'http://farm-1/a?b');
    assert.deepEqual(upstreams, ['http://farm-1/a?b', 'http://farm-2/a?b']);
    assert.match(choice!, /same one for a session \(balance: session\)/);
    assert.equal(ask('/', ALICE).route!.choice, undefined);
    assert.deepEqual(farm('/farm/a?b').headers!.sent[0], ['Host', 'UPSTREAM-HOST']);
  });

  test('what a sign-in on the way there asks the provider for, and which setting says so', () => {
    const text = (target: string) => farm(target).sign_in?.map(({ name, value, from }) => `${name}=${value}: ${from}`);
    const hint = "kc_idp_hint=partners: the route's authorization_params";
    const locales = 'ui_locales=de: provider.authorization_params';
    assert.deepEqual(text('/farm/a'), [hint, locales, "acr_values=1: the route's authorization_params"]);
    assert.deepEqual(text('/farm/vault'), [hint, locales, 'acr_values=2: the rule']);
    assert.equal(text('/farm/public'), undefined);
    assert.equal(ask('/x', undefined, 'api.example.com').sign_in, undefined);
  });

  test('whether the path is the application’s logout', () => {
    assert.match(farm('/farm/logout').logout!, /the session ends here and at the provider/);
    assert.equal(farm('/farm/a').logout, undefined);
  });

  test('whether a form is kept, and why not', () => {
    const said = ({ form }: ExplainedRequest) => form && `${form.kept}: ${form.why}`;
    assert.match(said(farm('/farm/a', 'POST'))!, /^true: up to 2097152 bytes/);
    assert.match(said(farm('/farm/logout', 'POST'))!, /^false: .*logout/);
    assert.match(said(ask('/denied', ALICE, undefined, 'POST'))!, /^false: .*unauthenticated: deny/);
    assert.equal(said(farm('/farm/a')), undefined);
    assert.equal(said(farm('/farm/public', 'POST')), undefined);
    assert.equal(said(ask('/x', undefined, 'api.example.com', 'POST')), undefined);
  });

  test('what of the client’s headers does not arrive', () => {
    const { removed, cookies } = ask('/admin', ALICE).headers!;
    for (const name of [
      'X-Forwarded-*',
      'X-Real-IP',
      'X-Original-URL',
      'X-Accel-*',
      'Remote-User',
      'X-Auth-Email',
      'Authorization',
    ])
      assert.ok(removed.includes(name), name);
    assert.equal(removed.includes('X-Forwarded-User'), false, 'said once');
    assert.match(cookies, /without the gate's/);
    const other = farm('/farm/a').headers!;
    assert.equal(other.removed.includes('Authorization'), false);
    assert.match(other.cookies, /jar/);
  });

  test('headers are what the application gets, without the password and tokens', () => {
    const { headers } = ask('/admin', ALICE);
    const sent = Object.fromEntries(headers!.sent);
    assert.equal(sent['Host'], 'wiki:3000');
    assert.equal(sent['X-Forwarded-Host'], 'wiki.example.com');
    assert.equal(sent['X-Forwarded-User'], '1');
    assert.equal(sent['Authorization'], 'Basic, of alice and the password');
    assert.match(sent['X-Portcullis-Assertion']!, /aud wiki/);
    assert.equal(Object.fromEntries(ask('/public/a', ALICE).headers!.sent)['X-Forwarded-User'], undefined);
    const { left_out } = ask('/', { ...ALICE, preferred_username: 'a:b' }).headers!;
    assert.deepEqual(
      left_out.map(({ name }) => name),
      ['Authorization'],
    );
  });
});

describe('portcullis explain', () => {
  let folder: string;
  let user: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portcullis-test-'));
    user = join(folder, 'alice.json');
    await writeFile(user, JSON.stringify({ ...ALICE, name: 'a\nheader    X: y' }));
    await writeFile(join(folder, 'list.json'), '[]');
  });
  after(() => rm(folder, { recursive: true }));
  const run = (...args: string[]) => runCommand(['explain', ...args], { config: CONFIG });

  test('in words', async () => {
    const { code, stdout } = await run('GET', '/admin/x?y=1', '--user', user);
    assert.equal(code, 0);
    assert.match(stdout, /^request {3}GET wiki\.example\.com\/admin\/x\?y=1$/m);
    assert.match(stdout, /^route {5}wiki, the longest path of wiki\.example\.com that fits: \/$/m);
    assert.match(stdout, /^upstream {2}http:\/\/wiki:3000\/admin\/x\?y=1$/m);
    assert.match(stdout, /^rule {6}access\[1\] \/admin: any of the roles wiki-admin; any of the groups \/staff$/m);
    assert.match(stdout, /^outcome {3}allowed: /m);
    assert.match(stdout, /^header {4}X-Forwarded-Preferred-Username: alice$/m);
    assert.match(stdout, /^sign-in {3}kc_idp_hint=corp \(provider\.authorization_params\)$/m);
    assert.match(stdout, /^cookies {3}the client's, without the gate's$/m);
    assert.match(stdout, /^removed {3}Forwarded, X-Forwarded-\*/m);
    assert.ok(!stdout.includes(PASSWORD) && !stdout.includes(Buffer.from(PASSWORD).toString('base64').slice(4, -4)));
  });

  test('in words, for a form', async () => {
    const { stdout } = await run('POST', '/payroll', '--user', user);
    assert.match(stdout, /^outcome {3}step up \(401\): this user's sign-in has no acr, and /m);
    assert.match(stdout, /^sign-in {3}acr_values=2 \(the rule\)$/m);
    assert.match(stdout, /^form {6}kept: up to 1048576 bytes/m);
  });

  test('as JSON, for a whole URL', async () => {
    const { code, stdout } = await run('POST', 'https://api.example.com/public/..;/x', '--json');
    assert.equal(code, 0);
    const { request, outcome } = JSON.parse(stdout) as Record<string, Record<string, unknown>>;
    assert.deepEqual(request, { method: 'POST', host: 'api.example.com', target: '/public/..;/x', user: null });
    assert.deepEqual([outcome!['kind'], outcome!['status']], ['sign_in', 401]);
  });

  test('2 for what it cannot understand, 1 for a configuration with problems', async () => {
    for (const args of [
      ['GET'],
      ['GET', '/a', '/b'],
      ['get', '/a'],
      ['GET', 'wiki'],
      ['GET', '/a', '--user', join(folder, 'nobody.json')],
      ['GET', '/a', '--user', join(folder, 'list.json')],
      ['GET', '/a', '--what'],
    ]) {
      const { code, stderr, stdout } = await run(...args);
      assert.deepEqual([code, stdout], [2, ''], args.join(' '));
      assert.match(stderr, /^portcullis: /);
    }
    assert.equal((await runCommand(['explain', 'GET', '/a'], { config: { routes: [] } })).code, 1);
    assert.match((await runCommand(['explain', '--help'])).stdout, /--user FILE/);
  });
});
