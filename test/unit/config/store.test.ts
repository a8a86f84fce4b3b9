// Where sessions are kept: `session.store` and `session.redis`.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { selfSignedCertificate } from '../../support/self-signed-certificate.ts';
import { BASE, configOf, problemsOf, ROUTES, refuses, SECRET } from './load-text.ts';

const session = (keys: string) => `${ROUTES}${BASE}`.replace(`${SECRET} }`, `${SECRET}, ${keys} }`);
const redis = (keys: string) => session(`store: redis, redis: { ${keys} }`);
const redisOf = (keys: string, surroundings = {}) => configOf(redis(keys), surroundings).session.redis!;

describe('the store in Redis', () => {
  it('is none where nothing asks for it', () => {
    assert.equal(configOf(`${ROUTES}${BASE}`).session.redis, undefined);
    assert.equal(configOf(session('store: memory, redis: null')).session.redis, undefined);
  });

  it('is found by its URL: host, port, user, password and database, percent-encoding taken off', () => {
    const { servers, username, password, database, tls, keyPrefix, commandTimeoutMs } = redisOf(
      'url: "redis://ga%40te:p%2Fw%25d@valkey.internal:6380/3"',
    );
    assert.deepEqual(servers, { address: { host: 'valkey.internal', port: 6380 } });
    assert.deepEqual([username, password?.reveal(), database], ['ga@te', 'p/w%d', 3]);
    assert.deepEqual([tls, keyPrefix, commandTimeoutMs], [undefined, 'portcullis:', 2_000]);
  });

  it('has a port and a database of its own accord, and may be an IPv6 address or a unix socket', () => {
    assert.deepEqual(redisOf('url: "redis://valkey"').servers, { address: { host: 'valkey', port: 6379 } });
    assert.deepEqual(redisOf('url: "redis://[::1]:6379"').servers, { address: { host: '::1', port: 6379 } });
    assert.deepEqual(redisOf('url: "unix:/run/valkey.sock"').servers, { address: { path: '/run/valkey.sock' } });
    assert.equal(redisOf('url: "redis://:p@valkey"').password?.reveal(), 'p');
  });

  it('speaks TLS with rediss://, with the certificates that are named', () => {
    assert.deepEqual(redisOf('url: "rediss://valkey"').tls?.caPem, undefined);
    const { certPem, keyPem } = selfSignedCertificate();
    const tls = redisOf(
      'url: "rediss://valkey", tls: { ca_file: ca, cert_file: crt, key_file: key, server_name: valkey.internal }',
      { files: { ca: certPem, crt: certPem, key: keyPem } },
    ).tls!;
    assert.deepEqual(
      [tls.caPem, tls.certPem, tls.keyPem?.reveal(), tls.serverName],
      [certPem, certPem, keyPem, 'valkey.internal'],
    );
  });

  it('may have its URL in a file', () => {
    const { servers } = redisOf('url_file: url', { files: { url: 'redis://from-a-file:1\n' } });
    assert.deepEqual(servers, { address: { host: 'from-a-file', port: 1 } });
  });

  it('may be a master that sentinels watch, or a cluster, with or without a URL', () => {
    const sentinel = redisOf(
      'url: "rediss://gate:p@any/2", sentinel: { master: m, nodes: ["s1:26379", "[::1]:26380"], password: q }',
    );
    assert.deepEqual([sentinel.username, sentinel.database, sentinel.tls !== undefined], ['gate', 2, true]);
    assert.ok('sentinels' in sentinel.servers);
    const { sentinels, master, sentinelPassword } = sentinel.servers;
    assert.deepEqual(sentinels, [
      { host: 's1', port: 26_379 },
      { host: '::1', port: 26_380 },
    ]);
    assert.deepEqual([master, sentinelPassword?.reveal()], ['m', 'q']);
    assert.deepEqual(redisOf('cluster: { nodes: ["c1:6379"] }').servers, { cluster: [{ host: 'c1', port: 6_379 }] });
  });

  it('keeps the password out of what it says about a wrong URL', () => {
    for (const url of [
      'redis://u:hunter2@',
      'http://u:hunter2@h',
      'redis://u:hunter2@h/x',
      'hunter2',
      'redis://%zz:hunter2@h',
    ]) {
      const problems = problemsOf(redis(`url: "${url}"`));
      assert.equal(problems.length, 1, url);
      assert.doesNotMatch(JSON.stringify(problems), /hunter2/);
    }
  });
});

describe('the file of sessions in memory', () => {
  it('is named by its whole path, or from the folder of the configuration', () => {
    const fileOf = (name: string) => configOf(session(`memory: { file: ${name} }`)).session.memory.file;
    assert.equal(fileOf('/var/lib/portcullis/sessions'), '/var/lib/portcullis/sessions');
    assert.match(fileOf('state/sessions')!, /^\/.*\/portcullis-config-\w+\/state\/sessions$/);
    assert.equal(fileOf('null'), undefined);
  });
});

describe('a store that cannot be meant is refused where it can be mended', () => {
  const cases: readonly { title: string; text: string; path: string; message: RegExp; cure: RegExp }[] = [
    {
      title: 'redis without a section',
      text: session('store: ▸redis'),
      path: 'session.store',
      message: /does not say where/,
      cure: /add redis:/,
    },
    {
      title: 'a section without store: redis',
      text: session('▸redis: { url: "redis://x" }'),
      path: 'session.redis',
      message: /session\.store is memory/,
      cure: /store: redis/,
    },
    {
      title: 'a file of sessions in memory beside redis',
      text: redis('url: "redis://x" }, memory: { file: ▸/var/lib/portcullis/sessions'),
      path: 'session.memory.file',
      message: /outlive a restart anyway/,
      cure: /remove it/,
    },
    {
      title: 'forms too large for it',
      text: redis('url: "redis://x"').replace(
        'http://wiki:3000',
        'http://wiki:3000, preserve_post: { max_bytes: ▸5MiB }',
      ),
      path: 'routes[0].preserve_post.max_bytes',
      message: /in one command, and this is too much for one/,
      cure: /4MiB or less/,
    },
    {
      title: 'no address',
      text: session('store: redis, ▸redis: { key_prefix: "x:" }'),
      path: 'session.redis',
      message: /no address/,
      cure: /add url/,
    },
    {
      title: 'another scheme',
      text: redis('url: ▸"http://x"'),
      path: 'session.redis.url',
      message: /no URL of Redis/,
      cure: /rediss:\/\//,
    },
    {
      title: 'options behind the URL',
      text: redis('url: ▸"redis://x/0?timeout=5"'),
      path: 'session.redis.url',
      message: /goes on behind/,
      cure: /own key/,
    },
    {
      title: 'certificates for a URL without TLS',
      text: redis('url: "redis://x", ▸tls: { server_name: y }'),
      path: 'session.redis.tls',
      message: /without TLS/,
      cure: /rediss:/,
    },
    {
      title: 'sentinels without the name of the master',
      text: redis('▸sentinel: { nodes: ["s1:26379"] }'),
      path: 'session.redis.sentinel',
      message: /master is missing/,
      cure: /add master/,
    },
    {
      title: 'a cluster without nodes',
      text: redis('▸cluster: {}'),
      path: 'session.redis.cluster',
      message: /nodes is missing/,
      cure: /add nodes/,
    },
    {
      title: 'sentinels and a cluster',
      text: redis('▸sentinel: { master: m, nodes: ["s1:1"] }, cluster: { nodes: ["c1:1"] }'),
      path: 'session.redis.sentinel',
      message: /no sentinels/,
      cure: /keep one/,
    },
    {
      title: 'a node without a port',
      text: redis('cluster: { nodes: [▸c1] }'),
      path: 'session.redis.cluster.nodes[0]',
      message: /no host and port/,
      cure: /host:port/,
    },
    {
      title: 'a numbered database in a cluster',
      text: redis('url: ▸"redis://x/1", cluster: { nodes: ["c1:1"] }'),
      path: 'session.redis.url',
      message: /no numbered databases/,
      cure: /write 0/,
    },
    {
      title: 'braces in the prefix',
      text: redis('url: "redis://x", key_prefix: ▸"{a}:"'),
      path: 'session.redis.key_prefix',
      message: /braces/,
      cure: /portcullis:/,
    },
    {
      title: 'a deadline with which no notice is answered in time',
      text: redis('url: "redis://x", command_timeout: ▸5s'),
      path: 'session.redis.command_timeout',
      message: /no notice/,
      cure: /2500ms/,
    },
  ];
  for (const { title, text, ...expected } of cases) it(title, () => refuses(text, expected));
});
