// YAML as the configuration reads it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BASE, configOf, problemsOf, ROUTES, refuses } from './load-text.ts';

const whole = (more: string) => `${BASE}${ROUTES}${more}`;

describe('YAML', () => {
  const syntax: readonly { title: string; text: string; message: RegExp; cure: RegExp }[] = [
    { title: 'a tab as indentation', text: whole('server:\n▸\tlisten: ":1"\n'), message: /tab/, cure: /spaces/ },
    {
      title: 'a quote that is not closed',
      text: whole('log: { level: ▸"info }\nserver: {}\n'),
      message: /quote is never closed/,
      cure: /close it/,
    },
    {
      title: 'a brace that is not closed',
      text: whole('log: ▸{ level: info\nserver: {}\n'),
      message: /`\{` is never closed/,
      cure: /write `\}`/,
    },
    {
      title: 'a bracket that is not closed',
      text: whole('server:\n  trusted_proxies: ▸[10.0.0.0/8,\n    10.1.0.0/16\n  listen: :1\nlog: {}\n'),
      message: /`\[` is never closed/,
      cure: /write `\]`/,
    },
    {
      title: 'a bracket that is not closed by the end of the file',
      text: `${BASE}routes: ▸[{ upstream: http://wiki:3000 }\n`,
      message: /`\[` is never closed/,
      cure: /write `\]`/,
    },
    {
      title: 'a bracket inside another one, neither closed: the inner one, and then the outer one,',
      text: `${BASE}routes: [▸{ upstream: http://wiki:3000\nlog: {}\n`,
      message: /`\{` is never closed/,
      cure: /write `\}`/,
    },
    {
      title: 'a bracket inside another one that alone is not closed',
      text: `${BASE}routes: [{ upstream: ▸[http://wiki:3000 }]\n`,
      message: /`\[` is never closed/,
      cure: /write `\]`/,
    },
    {
      title: 'a value that begins with an at sign',
      text: whole('log: { level: ▸@info }\n'),
      message: /cannot begin/,
      cure: /quotes/,
    },
    {
      title: 'a key in the middle of a value',
      text: whole('proxy_prefix: ▸a: b\n'),
      message: /in the middle of a line/,
      cure: /line of its own/,
    },
    {
      title: 'an escape that does not exist',
      text: whole('proxy_prefix: "a▸\\q"\n'),
      message: /backslash/,
      cure: /single quotes/,
    },
    { title: 'a second document', text: whole('▸---\na: 1\n'), message: /second document/, cure: /one document/ },
    { title: 'a tag', text: whole('proxy_prefix: ▸!secret /x\n'), message: /tag/, cure: /plain value/ },
    { title: 'a tag of YAML 1.1', text: whole('proxy_prefix: ▸!!binary L3g=\n'), message: /tag/, cure: /plain value/ },
    {
      title: 'a variable without quotes inside braces',
      text: whole('admin: { token: $▸{TOKEN} }\n'),
      message: /needs quotes/,
      cure: /"\$\{NAME\}"/,
    },
  ];
  for (const { title, text, message, cure } of syntax) {
    it(`${title} is refused in words`, () => refuses(text, { path: '', message, cure }));
  }

  it('a key given twice is refused at the second place, which names the first', () => {
    const expected = { path: 'log', message: /twice, first in line 5/, cure: /keep one/ };
    refuses(whole('log: { level: info }\n▸log: { level: debug }\n'), expected);
  });

  it('a key given twice keeps nothing else from being reported', () => {
    const problems = problemsOf(whole('log: { level: info, level: debug }\nlogg: 1\nserver: { listen: 1 }\n'));
    assert.deepEqual(
      problems.map(({ path }) => path),
      ['log.level', 'logg', 'server.listen'],
    );
  });

  it('a key that is no text is refused', () => {
    const expected = { path: 'provider.authorization_params', message: /key must be plain text/, cure: /name: value/ };
    refuses(
      whole('').replace('client_secret: s3cret', 'client_secret: s3cret, authorization_params: { ▸[a]: b }'),
      expected,
    );
  });

  it('an alias stands for its value', () => {
    const config = configOf(`${BASE}routes:
  - { upstream: "http://a", timeouts: &slow { idle: 10m } }
  - { upstream: "http://b", path: /b, timeouts: *slow }
`);
    assert.deepEqual(
      config.routes.map(({ timeouts }) => timeouts.idleMs),
      [600_000, 600_000],
    );
  });

  it('a mistake behind an alias is reported for the key that uses it', () => {
    const problems = problemsOf(`${BASE}routes:
  - { upstream: "http://a", timeouts: &slow { idle: soon } }
  - { upstream: "http://b", path: /b, timeouts: *slow }
`);
    assert.deepEqual(
      problems.map(({ path, line }) => [path, line]),
      [
        ['routes[0].timeouts.idle', 5],
        ['routes[1].timeouts.idle', 5],
      ],
    );
  });

  it('an alias without an anchor is refused', () => {
    const expected = { path: 'proxy_prefix', message: /nothing above has that name/, cure: /single quotes/ };
    refuses(whole('proxy_prefix: ▸*nowhere\n'), expected);
  });

  it('an alias inside its own value is refused', () => {
    const problems = problemsOf(whole('server: &server { tls: *server }\n'));
    assert.deepEqual(
      problems.map(({ path }) => path),
      ['server.tls'],
    );
    assert.match(problems[0]!.message, /inside the value that it names/);
  });

  it('a billion laughs are refused, and quickly', () => {
    const levels = Array.from({ length: 20 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i}, `.repeat(9)}*l${i}]`);
    const startedAt = performance.now();
    const problems = problemsOf(`l0: &l0 [lol]\n${levels.join('\n')}\n`);
    assert.equal(problems.filter(({ message }) => /too many values/.test(message)).length, 1);
    assert.ok(performance.now() - startedAt < 5_000);
  });

  it('nesting without end is refused', () => {
    for (const depth of [100, 20_000]) {
      const problems = problemsOf(`a: ${'['.repeat(depth)}${']'.repeat(depth)}\n`);
      assert.ok(
        problems.some(({ message }) => /nested too deeply/.test(message)),
        `${depth} levels`,
      );
    }
  });

  it('a directive does not change what the words mean', () => {
    const problems = problemsOf(`%YAML 1.1\n---\n${whole('logout: { revoke_tokens: no }\n')}`);
    assert.deepEqual(
      problems.map(({ path }) => path),
      ['logout.revoke_tokens'],
    );
  });

  it('words that other YAML versions read as something else are texts', () => {
    const { logout } = configOf(whole('logout: { keycloak_admin_url: off }\n'));
    assert.equal(logout.revokeTokens, true);
  });

  it('comments, a byte order mark, Windows line ends and a document marker change nothing', () => {
    configOf(`\uFEFF# comment\r\n---\r\n${whole('').replaceAll('\n', '\r\n')}`);
  });

  it('JSON is YAML', () => {
    const { provider } = configOf(
      JSON.stringify({
        public_url: 'https://wiki.example.com',
        provider: { issuer: 'https://sso.example.com', client_id: 'x', client_secret: 'y' },
        session: { secret: 'x'.repeat(32) },
        routes: [{ upstream: 'http://wiki:3000' }],
      }),
    );
    assert.equal(provider.issuer, 'https://sso.example.com');
  });

  it('an empty file is refused with what to begin with', () => {
    for (const text of ['', '# nothing\n', '---\n', 'null\n']) {
      const [problem] = problemsOf(text);
      assert.match(problem!.message, /empty/, JSON.stringify(text));
      assert.match(problem!.cure, /public_url, provider, session and routes/);
    }
  });

  it('a file that is no UTF-8 text is refused', () => {
    const [problem] = problemsOf(Buffer.from([0xff, 0xfe, 0x61, 0x00]));
    assert.match(problem!.message, /not UTF-8/);
  });

  it('a file that is far too large is refused unread', () => {
    const [problem] = problemsOf(`# ${'x'.repeat(1024 * 1024)}\n${whole('')}`);
    assert.match(problem!.message, /larger than 1 MiB/);
  });
});
