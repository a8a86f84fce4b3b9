// Where an application's redirects and cookies lead, for every way in which it can be mounted: under its own host or the
// public one (`preserve_host`), at the root or below a path (`strip_prefix`), for users who come by http or https.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { TestGate } from '../../support/test-gate.ts';

const MOUNTS = [
  { path: '/plain', preserve_host: false, strip_prefix: false },
  { path: '/kept/host', preserve_host: true, strip_prefix: false },
  { path: '/tools/app', preserve_host: false, strip_prefix: true },
  { path: '/host/app', preserve_host: true, strip_prefix: true },
] as const;
const ORIGINS = ['http://wiki.localhost:8080', 'https://wiki.example.com', 'https://wiki.example.com:8443'];

interface Scene {
  /** The upstream's own origin. */
  readonly own: string;
  /** The public origin of the request. */
  readonly seen: string;
  readonly mount: (typeof MOUNTS)[number];
  /** What was stripped. */
  readonly prefix: string;
}
type Text = (scene: Scene) => string;
/** What the application writes, and what the user gets; undefined: the same. */
type Row = [what: string, written: Text, expected?: (scene: Scene) => string | undefined];

const hostOf = (origin: string) => new URL(origin).host;
const below: Text = ({ seen, prefix }) => `${seen}${prefix}/x`;
const whereStripped = (text: Text) => (scene: Scene) => (scene.prefix === '' ? undefined : text(scene));
const whereHostKept = (text: Text) => (scene: Scene) => (scene.mount.preserve_host ? text(scene) : undefined);

const ROWS: readonly Row[] = [
  ['a path', () => '/x?y=/z#f', ({ prefix }) => `${prefix}/x?y=/z#f`],
  ['its own address', ({ own }) => `${own}/x?y#z`, (scene) => `${below(scene)}?y#z`],
  ['its own address without a path', ({ own }) => own, ({ seen, prefix }) => seen + prefix],
  ['its own address with a query only', ({ own }) => `${own}?q`, ({ seen, prefix }) => `${seen}${prefix}?q`],
  ['its own address, the scheme in capitals', ({ own }) => `HTTP${own.slice(4)}/x`, below],
  ['its own address without a scheme', ({ own }) => `//${hostOf(own)}/x`, below],
  ['a path that has the prefix', ({ prefix }) => `${prefix}/x`],
  ['the prefix itself', ({ prefix }) => `${prefix}?x`],
  ['its own address below the prefix', ({ own, prefix }) => `${own}${prefix}/x`, below],
  ['a path that begins like it', ({ mount }) => `${mount.path}let`, ({ mount, prefix }) => `${prefix}${mount.path}let`],
  ['a path with dots', () => '/a/../../x', whereStripped(({ prefix }) => `${prefix}/x`)],
  [
    'dots that lead out of the prefix',
    ({ prefix }) => `${prefix}/../../../x`,
    whereStripped(({ prefix }) => `${prefix}/x`),
  ],
  ['a path with escaped dots', () => '/a/%2e%2E/x', whereStripped(({ prefix }) => `${prefix}/x`)],
  ['dots that lead to another host', () => '/a/..//b.example', whereStripped(({ prefix }) => `${prefix}//b.example`)],
  ['dots in a query', () => '/x?to=/../y', ({ prefix }) => `${prefix}/x?to=/../y`],
  ['the public address', ({ seen }) => `${seen}/x`, whereHostKept(below)],
  ['the public address, by http', ({ seen }) => `${seen.replace('https:', 'http:')}/x`, whereHostKept(below)],
  ['the public address without a scheme', ({ seen }) => `//${hostOf(seen)}/x`, whereHostKept(below)],
  ['the public address below the prefix', ({ seen, prefix }) => `${seen}${prefix}/x`],
  ['another port of its own', ({ own }) => `${own}1/x`],
  ['another port of the public address', ({ seen }) => `${new URL(seen).protocol}//${new URL(seen).hostname}:81/x`],
  ['its own name as a user', ({ own }) => `${own}@evil.example/x`],
  ['a user at its own name', ({ own }) => `${own.replace('//', '//root@')}/x`],
  ['a backslash behind its own name', ({ own }) => `${own}\\@evil.example/x`],
  ['its own name before another', ({ own }) => `${own}.evil.example/x`],
  ...['./x', '../x', '../../../../x', 'x', '?x', '#x', ';x'].map((each): Row => [`relative: ${each}`, () => each]),
  ...[
    ...[
      'https://elsewhere.example/x',
      '//elsewhere.example/x',
      '//',
      '///x',
      'http://',
      'http:///x',
      'http:x',
      'https:/x',
    ],
    ...['http://[::1/x', 'http://%zz/x', 'http://a b/x', 'mailto:a@example.com'],
  ].map((each): Row => [each, () => each]),
];

/** What a default port may be written like; only for an origin that has one. */
const DEFAULT_PORTS: readonly Row[] = ['http://*:80', 'https://*:443', 'http://*:443', 'https://*:80', '//*:443'].map(
  (each) => [each, ({ seen }) => `${each.replace('*', hostOf(seen))}/x`, whereHostKept(below)],
);

describe('an application’s own addresses', () => {
  let gate: TestGate;
  before(async () => {
    const routes = (upstream: string) => [
      ...MOUNTS.map((mount) => ({ ...mount, upstream, auth: 'public' })),
      { path: '/itself', upstream, auth: 'public', strip_prefix: true, preserve_host: true, rewrite_location: false },
      { path: '/café/x', upstream, auth: 'public', strip_prefix: true },
    ];
    gate = await TestGate.start({ config: { public_url: ORIGINS, routes } });
  });
  after(() => gate.close());

  async function ask(seen: string, path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
    const options = { headers: { Host: hostOf(seen), ...headers }, agent: false };
    const [answer] = await once(request(`${gate.addresses.publicUrl}${path}`, options).end(), 'response');
    answer.resume();
    return answer;
  }

  async function answered(scene: Scene, lines: readonly string[]): Promise<IncomingMessage['headers']> {
    const query = lines.map((line) => `header=${encodeURIComponent(line)}`).join('&');
    const { statusCode, headers } = await ask(scene.seen, `${scene.mount.path}/echo?${query}`);
    assert.equal(statusCode, 200);
    return headers;
  }

  const scene = (seen: string, mount: Scene['mount']): Scene => {
    return { own: gate.app.origin, seen, mount, prefix: mount.strip_prefix ? mount.path : '' };
  };

  for (const mount of MOUNTS) {
    const how = `preserve_host: ${mount.preserve_host}, strip_prefix: ${mount.strip_prefix}`;
    for (const seen of ORIGINS) {
      test(`${how}, for users of ${seen}`, async () => {
        const here = scene(seen, mount);
        for (const [what, written, expected] of [...ROWS, ...(new URL(seen).port === '' ? DEFAULT_PORTS : [])]) {
          const value = written(here);
          const wanted = expected?.(here) ?? value;
          const headers = await answered(here, [
            `Location: ${value}`,
            `Content-Location: ${value}`,
            `Refresh: 0; url=${value}`,
          ]);
          const got = [headers.location, headers['content-location'], headers['refresh']];
          assert.deepEqual(got, [wanted, wanted, `0; url=${wanted}`], what);
        }
      });
    }

    test(`${how}: cookies`, async () => {
      const here = scene(ORIGINS[1]!, mount);
      const { prefix, own, seen } = here;
      for (const [written, wanted] of [
        ['a=1', 'a=1'],
        ['a=1; Path=/', `a=1; Path=${prefix || '/'}`],
        ['a=1; path=/x ; Secure', `a=1; path=${prefix}/x ; Secure`],
        [`a=1; Path=${mount.path}`, mount.strip_prefix ? undefined : `a=1; Path=${mount.path}`],
        [`a=1; Path=${prefix}/x; HttpOnly`, `a=1; Path=${prefix}/x; HttpOnly`],
        [`a=1; Path=${mount.path}let`, `a=1; Path=${prefix}${mount.path}let`],
        [`a=1; Domain=${new URL(own).hostname}; Path=/x`, `a=1; Path=${prefix}/x`],
        [`a=1; Domain=${new URL(seen).hostname}; Path=/x`, `a=1; Domain=${new URL(seen).hostname}; Path=${prefix}/x`],
        ['__Host-a=1; Path=/; Secure', '__Host-a=1; Path=/; Secure'],
      ] as const) {
        const headers = await answered(here, [`Set-Cookie: ${written}`]);
        assert.deepEqual(headers['set-cookie'], [wanted ?? written]);
      }
    });
  }

  test('stay as they are with rewrite_location: false', async () => {
    const { own, seen } = scene(ORIGINS[1]!, MOUNTS[3]);
    for (const each of ['/x', `${own}/x`, `${seen}/x`, '//elsewhere.example']) {
      const { headers } = await ask(seen, `/itself/echo?header=${encodeURIComponent(`Location: ${each}`)}`);
      assert.equal(headers.location, each);
    }
  });

  test('X-Forwarded-Prefix tells it what was stripped, and is never the client’s own', async () => {
    const forged = { 'X-Forwarded-Prefix': '/forged', X_Forwarded_Prefix: '/forged', 'x-forwarded.prefix': '/forged' };
    const webSocket = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' };
    for (const [path, wanted] of [
      ...MOUNTS.map((mount) => [mount.path, mount.strip_prefix ? mount.path : undefined] as const),
      ['/caf%C3%A9/x', '/caf%C3%A9/x'],
      ['/caf%c3%a9/x', '/caf%C3%A9/x'],
    ] as const) {
      await ask(ORIGINS[1]!, `${path}/echo`, forged);
      const { rawHeaders } = gate.app.exchanges.at(-1)!;
      const told = rawHeaders.flatMap((name, i) => (i % 2 === 0 && /prefix/i.test(name) ? [rawHeaders[i + 1]] : []));
      assert.deepEqual(told, wanted === undefined ? [] : [wanted], path);
      const key = { 'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64') };
      const asking = request(`${gate.addresses.publicUrl}${path}/ws`, {
        headers: { Host: hostOf(ORIGINS[1]!), ...webSocket, ...key, ...forged },
      }).end();
      const [, socket] = await once(asking, 'upgrade');
      socket.destroy();
      assert.equal(gate.app.sockets.at(-1)!.headers['x-forwarded-prefix'], wanted);
    }
  });
});
