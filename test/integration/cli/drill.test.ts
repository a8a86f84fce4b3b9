// portcullis drill as an operator runs it: the real command against a real gate, with the embedded provider.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { EmbeddedProvider } from '../../support/embedded-provider.ts';
import { GateProcess, reserveAddresses } from '../../support/gate-process.ts';
import { LegacyApp } from '../../support/legacy-app.ts';
import { type Finished, runCommand } from '../../support/run-command.ts';

const PASSWORD = 'a password that only the drill knows';
const CLIENT_SECRET = 'secret of gate';

interface Report {
  ok: boolean;
  fault?: string;
  triggers: {
    trigger: string;
    ok: boolean;
    problems: string[];
    stop_ms: number;
    close_ms: number;
    answered_ms: number;
    connections: { kind: string; path: string; bytes: number; how: string; cut: boolean; closed_ms: number | null }[];
    refused: { after_ms: number; request: number; page: number; websocket: number | null; ok: boolean }[];
    gate: { notices: Record<string, number>; sessions_ended: number; stop_ms: number | null } | null;
  }[];
  left_out: { trigger: string; why: string }[];
}

/** A gate with its provider and application; `told`: the provider knows where to send its notices. */
class Castle {
  readonly config: object;
  readonly #parts: { close(): Promise<unknown> }[];

  private constructor(config: object, parts: { close(): Promise<unknown> }[]) {
    this.config = config;
    this.#parts = parts;
  }

  static async raise({ notices }: { notices: 'sent' | 'lost' }): Promise<Castle> {
    const { publicUrl, adminUrl, listen, adminListen } = await reserveAddresses();
    const app = await new LegacyApp().listen();
    const provider = await EmbeddedProvider.start({
      clients: [
        {
          id: 'gate',
          redirectUris: [`${publicUrl}/_gate/callback`],
          postLogoutRedirectUris: [`${publicUrl}/_gate/logged-out`],
          ...(notices === 'sent' && { backchannelLogoutUri: `${adminUrl}/backchannel-logout` }),
        },
      ],
    });
    const config = {
      public_url: publicUrl,
      server: { listen },
      admin: { listen: adminListen },
      provider: { issuer: provider.issuer, client_id: 'gate', client_secret: CLIENT_SECRET },
      session: { secret: 'a session secret that only tests know' },
      routes: [
        { name: 'app', upstream: app.origin, access: [{ path: '/open', auth: 'public' }] },
        { name: 'dead', path: '/dead', upstream: 'http://127.0.0.1:1' },
      ],
    };
    const gate = await GateProcess.start(config);
    await gate.event('provider.ready');
    return new Castle(config, [app, { close: () => gate.stop() }, provider]);
  }

  drill(...args: string[]): Promise<Finished> {
    return runCommand(['drill', '--user', 'alice', '--path', '/echo', '--again-after', '300ms', ...args], {
      config: this.config,
      env: { DRILL_PASSWORD: PASSWORD },
    });
  }

  async close(): Promise<void> {
    for (const part of this.#parts) await part.close();
  }
}

const LIVE = ['--websocket', '/ws', '--stream', '/events', '--download', '/download'];

describe('portcullis drill', () => {
  let castle: Castle;

  before(async () => {
    castle = await Castle.raise({ notices: 'sent' });
  });

  after(() => castle.close());

  test('a logout elsewhere: everything that was open is cut, what comes next is refused, and the times are told', async () => {
    const { code, stdout, stderr } = await castle.drill(...LIVE, '--json');
    assert.equal(code, 0, stdout + stderr);
    const { ok, triggers, left_out } = JSON.parse(stdout) as Report;
    assert.ok(ok);
    assert.deepEqual(left_out, []);
    assert.deepEqual(
      triggers.map(({ trigger }) => trigger),
      ['logout-elsewhere'],
    );
    const [{ connections, refused, gate, stop_ms, close_ms, answered_ms, problems }] = triggers as [
      Report['triggers'][0],
    ];
    assert.deepEqual(problems, []);
    assert.deepEqual(
      connections.map(({ kind, path, how, cut }) => [kind, path, how, cut]),
      [
        ['WebSocket', '/ws', '1008 session ended', true],
        ['event stream', '/events', 'incomplete', true],
        ['download', '/download', 'incomplete', true],
      ],
    );
    assert.ok(connections.every(({ bytes }) => bytes > 0));
    assert.ok(stop_ms <= close_ms && close_ms > 0 && answered_ms > 0);
    assert.deepEqual(
      refused.map(({ request, page, websocket, ok }) => [request, page, websocket, ok]),
      [
        [401, 302, 401, true],
        [401, 302, 401, true],
      ],
    );
    assert.ok(refused[0]!.after_ms < 250 && refused[1]!.after_ms >= 300);
    assert.deepEqual([gate?.notices, gate?.sessions_ended], [{ backchannel: 1 }, 1]);
    assert.ok(gate!.stop_ms! < 1_000);
  });

  test('all that is possible without an administrator, in words; what was left out is said with what it needs', async () => {
    const { code, stdout } = await castle.drill(...LIVE, '--trigger', 'all');
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^logout-elsewhere: .*$/m);
    assert.match(stdout, /^logout-here: .*$/m);
    assert.match(stdout, /ms {2}WebSocket \/ws: 1008 session ended/);
    assert.match(stdout, /ms {2}all of them were closed; the last byte of any came at [\d.]+ ms$/m);
    assert.match(
      stdout,
      /says: a notice \(backchannel\); it stopped the session [\d.]+ ms after .* everything after [\d.]+ ms$/m,
    );
    assert.equal(stdout.match(/^ +ok$/gm)?.length, 2);
    assert.match(stdout, /^admin-sign-out: left out, .*KEYCLOAK_ADMIN/m);
    assert.match(stdout, /^admin-revocation: left out/m);
  });

  test('with nothing to hold open it still says whether the next request is refused', async () => {
    const { code, stdout } = await castle.drill('--trigger', 'logout-here');
    assert.equal(code, 0, stdout);
    assert.match(stdout, /with the old cookie: a request 401, a page 302$/m);
    assert.doesNotMatch(stdout, /the last byte of any/);
  });

  test('a connection that ends by itself is a problem, and so is an answer that is whole', async () => {
    const { code, stdout } = await castle.drill('--download', '/echo', '--json');
    assert.equal(code, 1);
    const { ok, triggers } = JSON.parse(stdout) as Report;
    assert.equal(ok, false);
    assert.match(triggers[0]!.problems[0]!, /^download \/echo: had ended before anybody ended the session/);
  });

  test('no password and no secret is in what it prints', async () => {
    const { stdout, stderr } = await castle.drill(...LIVE, '--trigger', 'all', '--json');
    for (const secret of [PASSWORD, CLIENT_SECRET, 'portcullis=', 'eyJ']) {
      assert.ok(!(stdout + stderr).includes(secret), secret);
    }
  });

  for (const [title, args, expected] of [
    ['a page that needs no sign-in', ['--path', '/open'], /\/open was answered 200 without a sign-in.*--path/],
    ['a user whom the provider does not know', ['--user', 'mallory'], /signing in stops at .*no form|refuses mallory/],
    ['a WebSocket that cannot be opened', ['--websocket', '/dead'], /\/dead \(WebSocket\) was answered 502/],
  ] as const) {
    test(`${title}: one line that says what to do, as JSON too`, async () => {
      const { code, stdout, stderr } = await castle.drill(...args, '--json');
      assert.equal(code, 1);
      assert.match(stderr, expected);
      const { ok, fault } = JSON.parse(stdout) as Report;
      assert.equal(ok, false);
      assert.match(fault!, expected);
    });
  }

  for (const [title, args, env, expected] of [
    ['no user', [], { DRILL_PASSWORD: 'x' }, /--user/],
    ['no password, and nobody to ask', ['--user', 'alice'], {}, /DRILL_PASSWORD.*--password-file/],
    ['a password as an argument', ['--user', 'alice', '--password', 'x'], {}, /--password/],
  ] as const) {
    test(`${title}: usage, exit code 2`, async () => {
      const { code, stdout, stderr } = await runCommand(['drill', ...args], { config: castle.config, env });
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, expected);
    });
  }

  test('a gate that is not there: which address, and what to look at', async () => {
    const config = { ...castle.config, public_url: 'http://127.0.0.1:2' };
    const { code, stderr } = await runCommand(['drill', '--user', 'alice'], { config, env: { DRILL_PASSWORD: 'x' } });
    assert.equal(code, 1);
    assert.match(stderr, /http:\/\/127\.0\.0\.1:2.*ECONNREFUSED.*is it running/);
  });
});

test('a gate that hears no notice: the drill finds everything still open, and says what to set', async (context) => {
  const castle = await Castle.raise({ notices: 'lost' });
  context.after(() => castle.close());
  const { code, stdout } = await castle.drill(...LIVE, '--within', '300ms');
  assert.equal(code, 1);
  for (const name of ['WebSocket /ws', 'event stream /events', 'download /download']) {
    assert.match(stdout, new RegExp(`PROBLEM +${name}: still open 0.3 s after the answer`));
  }
  assert.match(stdout, /PROBLEM +the session's cookie was still good/);
  assert.match(stdout, /PROBLEM +no notice came: .*Backchannel logout URL/);
});
