// portcullis drill against the real Keycloak: its own sign-in form, its own question at logout, its Admin REST API.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Finished, runCommand } from '../support/run-command.ts';
import { CLIENT_SECRET, PASSWORD } from './keycloak-realm.ts';
import { ADMIN, KeycloakServer } from './keycloak-server.ts';
import { Stage } from './stage.ts';

const LIVE = ['--path', '/echo', '--websocket', '/ws', '--stream', '/events', '--download', '/download'];

interface Report {
  ok: boolean;
  fault?: string;
  triggers: {
    trigger: string;
    problems: string[];
    stop_ms: number;
    close_ms: number;
    connections: { how: string; cut: boolean; bytes: number }[];
    refused: { request: number; page: number; websocket: number }[];
    gate: { notices: Record<string, number>; stop_ms: number };
  }[];
}

describe('portcullis drill', () => {
  let keycloak: KeycloakServer;
  let stage: Stage;

  before(async () => {
    keycloak = await KeycloakServer.use();
    stage = await Stage.set(keycloak);
  });

  after(async () => {
    await stage.close();
    await keycloak.stop();
  });

  function drill(args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
    return drillAt(stage, args, { env });
  }

  /** As an operator runs it, with the configuration of the gate; `env` over the administrator's. */
  function drillAt(
    { url, adminUrl, issuer, app }: Stage,
    args: readonly string[],
    { env, logout }: { env?: Record<string, string>; logout?: object } = {},
  ): Promise<Finished> {
    return runCommand(['drill', '--again-after', '1s', ...args], {
      config: {
        public_url: url,
        admin: { listen: new URL(adminUrl).host },
        provider: { issuer, client_id: 'gate', client_secret: CLIENT_SECRET },
        session: { secret: 'a session secret that only tests know' },
        ...(logout && { logout }),
        routes: [{ upstream: app.origin }],
      },
      env: {
        DRILL_PASSWORD: PASSWORD,
        KEYCLOAK_ADMIN: ADMIN.username,
        KEYCLOAK_ADMIN_PASSWORD: ADMIN.password,
        ...env,
      },
    });
  }

  const asNobody = { KEYCLOAK_ADMIN: '', KEYCLOAK_ADMIN_PASSWORD: '' };

  test('every end of one session or one user, as JSON: all cut, all refused, each by a notice of Keycloak', async () => {
    const { code, stdout, stderr } = await drill(['--user', 'carol', '--trigger', 'all', '--json', ...LIVE]);
    assert.equal(code, 0, stdout + stderr);
    const { ok, triggers } = JSON.parse(stdout) as Report;
    assert.ok(ok);
    assert.deepEqual(
      triggers.map(({ trigger }) => trigger),
      ['logout-elsewhere', 'logout-here', 'admin-sign-out', 'admin-sign-out-user'],
    );
    for (const { trigger, connections, refused, gate, stop_ms, close_ms } of triggers) {
      assert.deepEqual(
        connections.map(({ how, cut }) => [how, cut]),
        [
          ['1008 session ended', true],
          ['incomplete', true],
          ['incomplete', true],
        ],
      );
      assert.ok(connections.every(({ bytes }) => bytes > 0));
      assert.ok(refused.every(({ request, page, websocket }) => request === 401 && page === 302 && websocket === 401));
      assert.ok(stop_ms <= close_ms, trigger);
      if (trigger !== 'logout-here') assert.deepEqual(gate.notices, { backchannel: 1 }, trigger);
    }
    for (const secret of [PASSWORD, CLIENT_SECRET, 'eyJ']) assert.ok(!(stdout + stderr).includes(secret));
    assert.deepEqual(await keycloak.admin.sessions(stage.realm, 'carol'), [], 'nothing is left signed in');
  });

  test('every end of everybody’s sessions, where the client has an Admin URL: all cut, all refused, by a notice of that kind', async (context) => {
    const everybody = await Stage.set(keycloak, { client: (base) => ({ adminUrl: base }) });
    context.after(() => everybody.close());
    const triggers = ['--trigger', 'admin-sign-out-all', '--trigger', 'admin-revocation', '--everybody'];
    const { code, stdout, stderr } = await drillAt(everybody, ['--user', 'carol', ...triggers, '--json', ...LIVE]);
    assert.equal(code, 0, stdout + stderr);
    const report = JSON.parse(stdout) as Report;
    assert.deepEqual(
      report.triggers.map(({ trigger, gate, connections }) => [
        trigger,
        gate.notices,
        connections.map(({ cut, bytes }) => cut && bytes > 0),
      ]),
      [
        ['admin-sign-out-all', { k_logout: 1 }, [true, true, true]],
        ['admin-revocation', { k_push_not_before: 1 }, [true, true, true]],
      ],
    );
    for (const { refused } of report.triggers) {
      assert.ok(refused.every(({ request, page, websocket }) => request === 401 && page === 302 && websocket === 401));
    }
  });

  test('a client without an Admin URL, which belongs at the root: nobody hears, and the cure names the address', async (context) => {
    const logout = { keycloak_admin_url: 'root' };
    const deaf = await Stage.set(keycloak, { logout, client: () => ({ adminUrl: '' }) });
    context.after(() => deaf.close());
    const asked = ['--user', 'carol', '--trigger', 'admin-sign-out-all', '--everybody', '--within', '500ms', ...LIVE];
    const { code, stdout } = await drillAt(deaf, asked, { logout });
    assert.equal(code, 1, stdout);
    assert.match(stdout, /PROBLEM +WebSocket \/ws: still open/);
    const cure = `no notice came: in Keycloak the client's "Admin URL" must be ${deaf.url}, or`;
    assert.ok(stdout.includes(cure), stdout);
  });

  test('in words, and another session of the same user goes on', async () => {
    const browser = stage.browser();
    await stage.signIn(browser, 'dave');
    const { code, stdout } = await drill(['--user', 'dave', ...LIVE]);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^admin-sign-out: an administrator signs this session out$/m);
    assert.match(stdout, /ms {2}WebSocket \/ws: 1008 session ended, last byte at [-\d.]+ ms/);
    assert.match(
      stdout,
      /a notice \(backchannel\); it stopped the session [\d.]+ ms after the notice had come, .* everything after [\d.]+ ms/,
    );
    assert.match(stdout, /with the old cookie: a request 401, a page 302, a WebSocket 401/);
    assert.equal((await browser.request(`${stage.url}/echo`)).status, 200);
  });

  test('without an administrator: the logout that every user has', async () => {
    const { code, stdout } = await drill(['--user', 'erin', ...LIVE], asNobody);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^logout-elsewhere: /m);
  });

  test('a wrong password: said once, not tried again, and not printed', async () => {
    const { code, stdout, stderr } = await drill(['--user', 'frank', '--path', '/echo'], {
      DRILL_PASSWORD: 'wrong-one',
    });
    assert.equal(code, 1);
    assert.match(stderr, /refuses frank: the password is wrong/);
    assert.ok(!(stdout + stderr).includes('wrong-one'));
  });

  for (const [action, expected] of [
    ['UPDATE_PASSWORD', /something for frank to do first \(UPDATE_PASSWORD\)/],
    ['CONFIGURE_TOTP', /something for frank to do first \(CONFIGURE_TOTP\)/],
  ] as const) {
    test(`a user who must do something first (${action}): says what`, async (context) => {
      await keycloak.admin.changeUser(stage.realm, 'frank', { requiredActions: [action] });
      context.after(() => keycloak.admin.changeUser(stage.realm, 'frank', { requiredActions: [] }));
      const { code, stderr } = await drill(['--user', 'frank', '--path', '/echo'], asNobody);
      assert.equal(code, 1);
      assert.match(stderr, expected);
    });
  }

  test('a wrong administrator: says which realm refused whom', async () => {
    const { code, stderr } = await drill(['--user', 'frank', '--path', '/echo'], { KEYCLOAK_ADMIN_PASSWORD: 'no' });
    assert.equal(code, 1);
    assert.match(stderr, /gave the administrator admin no token in the realm master: user name or password is wrong/);
  });

  test('an unknown test user: says so', async () => {
    const { code, stderr } = await drill(['--user', 'mallory', '--path', '/echo']);
    assert.equal(code, 1);
    assert.match(stderr, /the realm acme-\w+ has no user mallory/);
  });
});
