// The command line as its users meet it: the real process, its exit codes, and what it prints when something is wrong.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { GateProcess, reserveAddresses } from '../../support/gate-process.ts';

async function configuration(): Promise<Record<string, Record<string, unknown> | unknown>> {
  const { publicUrl, listen, adminListen } = await reserveAddresses();
  return {
    public_url: publicUrl,
    server: { listen },
    admin: { listen: adminListen },
    provider: { issuer: 'http://127.0.0.1:1/realms/acme', client_id: 'gate', client_secret: 'secret' },
    session: { secret: 'a session secret that only tests know' },
    routes: [{ upstream: 'http://127.0.0.1:1' }],
  };
}

/** What `portcullis start` printed to standard error before it gave up. */
async function refusal(config: object | string): Promise<{ code: number | null; lines: string[] }> {
  const gate = await GateProcess.run(['start'], config);
  const { code } = await gate.exited;
  return { code, lines: gate.output.trim().split('\n') };
}

describe('portcullis start', () => {
  test('a port that is taken: one line that names the port, the cure and the key', async () => {
    const config = await configuration();
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    const { code, lines } = await refusal({ ...config, server: { listen: `127.0.0.1:${port}` } });
    taken.close();
    assert.equal(code, 1);
    const line = lines.at(-1)!;
    assert.match(line, new RegExp(`127\\.0\\.0\\.1:${port}`));
    assert.match(line, /taken.*server\.listen/);
  });

  for (const [what, change, expected] of [
    [
      'a secret file that cannot be read',
      { session: { secret_file: '/nowhere/secret' } },
      /secret_file.*\/nowhere\/secret/,
    ],
    ['a short secret', { session: { secret: 'short' } }, /session\.secret.*32/],
    [
      'a plain-http issuer outside loopback',
      { provider: { issuer: 'http://sso.example.com/realms/acme', client_id: 'gate', client_secret: 'x' } },
      /provider\.issuer.*(?:https|allow_http)/,
    ],
    ['a key that is not available yet', { server: { workers: 2 } }, /server\.workers.*not available yet/],
  ] as const) {
    test(`${what}: refused in one line that names the cure`, async () => {
      const { code, lines } = await refusal({ ...(await configuration()), ...change });
      assert.equal(code, 1);
      assert.match(lines[0]!, expected);
      assert.match(lines[0]!, /portcullis\.yaml:\d+:\d+ /);
    });
  }

  test('a wrong file: all mistakes at once, each with its place', async () => {
    const yaml = [
      'public_url: ftp://wiki.example.com',
      'provider:',
      '  isuer: https://sso.example.com',
      '  client_id: 7',
      'session:',
      '  secret: ${NOWHERE_SET}',
      '  idle_timeout: half an hour',
      'routes:',
      '  - upstream: wiki:3000',
    ].join('\n');
    const { code, lines } = await refusal(yaml);
    assert.equal(code, 1);
    const text = lines.join('\n');
    for (const place of [
      /:1:\d+ public_url/,
      /:3:\d+ provider\.isuer.*issuer/,
      /:6:\d+ session\.secret.*NOWHERE_SET/,
      /:7:\d+ session\.idle_timeout/,
      /:9:\d+ routes\[0\]\.upstream/,
    ]) {
      assert.match(text, place);
    }
  });

  test('SIGTERM ends it with exit code 0', async () => {
    const gate = await GateProcess.start(await configuration());
    const { code } = await gate.stop('SIGTERM');
    assert.equal(code, 0);
    assert.ok(gate.log.some(({ event }) => event === 'gate.stopped'));
  });

  test('check says ok, or everything that is wrong, and an unknown command is a usage error', async () => {
    const good = await GateProcess.run(['check'], await configuration());
    assert.equal((await good.exited).code, 0);
    assert.match(good.written(), /ok/);
    const bad = await GateProcess.run(['check'], 'routes: []');
    assert.equal((await bad.exited).code, 1);
    const unknown = await GateProcess.run(['open'], await configuration());
    assert.equal((await unknown.exited).code, 2);
    const later = await GateProcess.run(['doctor'], await configuration());
    assert.equal((await later.exited).code, 2);
    assert.match(later.output, /not available yet/);
  });
});
