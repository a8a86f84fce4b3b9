// What the drill makes of its arguments: which ends it runs, where, and what it refuses to run.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Allowed, chooseTriggers } from '../../../src/cli/drill/choose-triggers.ts';
import { drillOf, readArguments } from '../../../src/cli/drill/drill-options.ts';
import { UsageError } from '../../../src/cli/usage-error.ts';
import { loadConfig } from '../../../src/config/load-config.ts';

function config(more: object = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-test-'));
  const file = join(folder, 'portcullis.yaml');
  const whole = {
    public_url: ['https://wiki.example.com', 'https://notes.example.com'],
    provider: { issuer: 'https://sso.example.com/realms/acme', client_id: 'gate', client_secret: 'x' },
    session: { secret: 'a session secret that only tests know' },
    routes: [{ upstream: 'http://wiki:3000' }],
    ...more,
  };
  writeFileSync(file, JSON.stringify(whole));
  const loaded = loadConfig({ file, env: {} });
  rmSync(folder, { recursive: true });
  assert.ok('config' in loaded);
  return loaded.config;
}

function plan(args: readonly string[], more?: object) {
  return drillOf(readArguments(['--user', 'carol', ...args]), { config: config(more), password: 'x' });
}

describe('where the drill goes', () => {
  test('the first public_url and the admin listener as configured, 0.0.0.0 being this machine', () => {
    const { origin, gateUrl, pageUrl, adminUrl } = plan([], { admin: { listen: '0.0.0.0:9191' } });
    assert.deepEqual(
      [origin, gateUrl, pageUrl, adminUrl],
      [
        'https://wiki.example.com',
        'https://wiki.example.com/_gate',
        'https://wiki.example.com/',
        'http://127.0.0.1:9191',
      ],
    );
  });

  for (const [place, address] of [
    ['prefix', 'https://notes.example.com/_gate'],
    ['root', 'https://notes.example.com'],
    ['off', undefined],
  ] as const) {
    test(`the client’s Admin URL is where keycloak_admin_url: ${place} serves it`, () => {
      const { clientAdminUrl } = plan(['--url', 'https://notes.example.com'], {
        logout: { keycloak_admin_url: place },
      });
      assert.equal(clientAdminUrl, address);
    });
  }

  test('another public_url, several paths of a kind, another admin address', () => {
    const found = plan([
      ...['--url', 'https://notes.example.com', '--path', '/page', '--admin-url', 'http://gate:9090/'],
      ...['--stream', '/a?x=1', '--stream', '/b', '--within', '2m', '--again-after', '500ms'],
    ]);
    assert.equal(found.pageUrl, 'https://notes.example.com/page');
    assert.deepEqual(found.streams, ['https://notes.example.com/a?x=1', 'https://notes.example.com/b']);
    assert.deepEqual([found.adminUrl, found.withinMs, found.againAfterMs], ['http://gate:9090', 120_000, 500]);
  });

  for (const [args, expected] of [
    [['--path', 'echo'], /echo is no path/],
    [['--stream', '//evil.example/x'], /is no path/],
    [['--within', 'soon'], /--within soon/],
    [['--url', 'https://other.example'], /none of the public_url: https:\/\/wiki/],
    [['--ca-file', '/nowhere/ca.pem'], /--ca-file \/nowhere\/ca\.pem cannot be read: ENOENT/],
    [['--password', 'x'], /--password/],
  ] as const) {
    test(`${args.join(' ')}: usage`, () => {
      assert.throws(
        () => plan(args),
        (error) => error instanceof UsageError && expected.test(error.message),
      );
    });
  }
});

describe('which ends the drill runs', () => {
  const names = (given: readonly string[], allowed: Partial<Allowed> = {}) =>
    chooseTriggers(given, { administer: false, hitEverybody: false, ...allowed }).triggers.map(({ name }) => name);

  test("without a name: the administrator's sign-out where there is one, else the user's logout at the provider", () => {
    assert.deepEqual(names([]), ['logout-elsewhere']);
    assert.deepEqual(names([], { administer: true }), ['admin-sign-out']);
  });

  test('"all" is what is possible, and says of the rest what it needs', () => {
    assert.deepEqual(names(['all']), ['logout-elsewhere', 'logout-here']);
    const { triggers, leftOut } = chooseTriggers(['all'], { administer: true, hitEverybody: false });
    assert.equal(triggers.length, 4);
    assert.deepEqual(
      leftOut.map(({ trigger }) => trigger),
      ['admin-sign-out-all', 'admin-revocation'],
    );
    assert.ok(leftOut.every(({ why }) => why.includes('--everybody')));
    assert.equal(names(['all'], { administer: true, hitEverybody: true }).length, 6);
  });

  for (const [name, allowed, expected] of [
    ['earthquake', {}, /"earthquake"; there are .*admin-sign-out, .*all/],
    ['admin-sign-out', {}, /KEYCLOAK_ADMIN/],
    ['admin-sign-out-all', { administer: true }, /--everybody/],
    ['admin-revocation', { administer: true }, /--everybody/],
  ] as const) {
    test(`${name}, with ${Object.keys(allowed).join() || 'nothing'}: usage`, () => {
      assert.throws(
        () => names([name], allowed),
        (error) => error instanceof UsageError && expected.test(error.message),
      );
    });
  }
});
