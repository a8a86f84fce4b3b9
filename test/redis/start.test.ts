// What a gate says at start about a server that it can never use, and what it does about one that is not there yet.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { Secret } from '../../src/base/secret.ts';
import { freePort } from '../support/free-port.ts';
import { GateProcess, reserveAddresses } from '../support/gate-process.ts';
import { selfSignedCertificate } from '../support/self-signed-certificate.ts';
import { RedisServer } from './redis-server.ts';
import { Replica, type ReplicaOptions } from './replica.ts';

describe('starting on a server', () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
    await server.command('ACL', 'SETUSER', 'gate', 'on', '>secret', '~wiki:*', '&wiki:*', '+@all');
    await server.command('ACL', 'SETUSER', 'reader', 'on', '>secret', '~*', '&*', '+@all', '-evalsha');
  });
  after(() => server.close());

  function as(username: string, password: string): ReplicaOptions {
    return { access: { database: 0, username, password: new Secret(password) } };
  }

  test('a user with a password and rights on the names of the prefix is all that it takes', async () => {
    const replica = await Replica.start(server.port, { ...as('gate', 'secret'), keyPrefix: 'wiki:' });
    assert.equal(replica.store.trouble(), undefined);
    await replica.stop();
  });

  test('a unix socket', async () => {
    const path = `${server.folder}/redis.sock`;
    const local = await RedisServer.start(['--unixsocket', path]);
    const replica = await Replica.start(0, { servers: { address: { path } } });
    assert.equal(replica.store.trouble(), undefined);
    await replica.stop();
    await local.close();
  });

  test('TLS with a private CA and a client certificate; without the CA it is not trusted', async () => {
    const { certPem, keyPem } = selfSignedCertificate();
    const [cert, key, port] = [`${server.folder}/tls.crt`, `${server.folder}/tls.key`, await freePort()];
    await writeFile(cert, certPem);
    await writeFile(key, keyPem);
    const tlsPort = ['--tls-port', String(port), '--tls-cert-file', cert, '--tls-key-file', key];
    const secure = await RedisServer.start([...tlsPort, '--tls-ca-cert-file', cert, '--tls-auth-clients', 'yes']);
    const tls = { cert: certPem, key: keyPem, serverName: 'localhost' };
    const replica = await Replica.start(port, { access: { database: 0, tls: { ...tls, ca: certPem } } });
    assert.equal(replica.store.trouble(), undefined);
    await replica.stop();
    const stranger = await Replica.start(port, { access: { database: 0, tls } });
    assert.match(stranger.store.trouble() ?? '', /CERT|SELF_SIGNED/);
    await stranger.stop();
    const nobody = await Replica.start(port, {
      access: { database: 0, tls: { ca: certPem, serverName: 'localhost' } },
    });
    assert.notEqual(nobody.store.trouble(), undefined, 'it shows no certificate');
    await nobody.stop();
    await secure.close();
  });

  const hopeless: readonly { title: string; options: ReplicaOptions; prepare?: string[]; why: RegExp }[] = [
    { title: 'a wrong password', options: as('gate', 'wrong'), why: /user name or password is wrong/ },
    { title: 'rights on other names only', options: as('gate', 'secret'), why: /may not run a command/ },
    { title: 'a user who may not run scripts', options: as('reader', 'secret'), why: /may not run a command/ },
    {
      title: "another program's data under the prefix",
      options: { keyPrefix: 'taken:' },
      prepare: ['SET', 'taken:{ends}:bus', 'x'],
      why: /another program; choose another session\.redis\.key_prefix/,
    },
    {
      title: "another program's data in the place of the list of sessions",
      options: { keyPrefix: 'busy:' },
      prepare: ['SET', 'busy:all', 'x'],
      why: /another program; choose another session\.redis\.key_prefix/,
    },
  ];
  for (const { title, options, prepare, why } of hopeless) {
    test(`${title} is said, and nothing starts`, async () => {
      if (prepare !== undefined) await server.command(...prepare);
      await assert.rejects(Replica.start(server.port, options), { code: 'store_unavailable', message: why });
    });
  }

  test('a node of a cluster is recognised, and the cure is named', async () => {
    const node = await RedisServer.start(['--cluster-enabled', 'yes']);
    await assert.rejects(Replica.start(node.port), { message: /node of a Redis cluster; name its nodes/ });
    await node.close();
  });

  test('a server that may forget sessions is warned of, one that cannot is not', async () => {
    const forgetful = await RedisServer.start(['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru']);
    const replica = await Replica.start(forgetful.port);
    while (replica.store.trouble() !== undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.match(replica.warnings.join(), /maxmemory-policy is allkeys-lru.*Set noeviction/);
    // The same at every new connection is said once; another one is news.
    const reconnected = async () => {
      const before = replica.troubles.length;
      await forgetful.dropClients();
      while (replica.troubles.length < before + 2) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await reconnected();
    assert.equal(replica.warnings.length, 1);
    await forgetful.command('CONFIG', 'SET', 'maxmemory-policy', 'volatile-lru');
    await reconnected();
    assert.match(replica.warnings.slice(1).join(), /^[^,]*policy is volatile-lru[^,]*$/);
    await replica.stop();
    await forgetful.close();
    const other = await Replica.start(server.port, { keyPrefix: 'other:' });
    assert.deepEqual(other.warnings, []);
    await other.stop();
  });

  test('the command says in one line why it does not start, and no password', async () => {
    const { publicUrl, listen, adminListen } = await reserveAddresses();
    const gate = await GateProcess.run(['start'], {
      public_url: publicUrl,
      server: { listen },
      admin: { listen: adminListen },
      provider: { issuer: 'http://127.0.0.1:1', client_id: 'gate', client_secret: 'x' },
      session: {
        secret: 'a session secret that only tests know',
        store: 'redis',
        redis: { url: `redis://gate:not-the-password@127.0.0.1:${server.port}/0` },
      },
      routes: [{ upstream: 'http://127.0.0.1:1' }],
    });
    assert.equal((await gate.exited).code, 1);
    assert.match(gate.output, /the session store cannot be used: the user name or password is wrong/);
    assert.doesNotMatch(gate.written(), /not-the-password/);
  });

  test('an answer that is here is read, though this process was held up for longer than it waits', async () => {
    const replica = await Replica.start(server.port, { keyPrefix: 'held-up:', commandTimeoutMs: 100 });
    while (replica.store.trouble() !== undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    const asked = replica.store.now();
    // It is sent in this immediate, and its answer comes while nobody reads.
    await new Promise(setImmediate);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    assert.ok((await asked) > 0);
    assert.equal(replica.store.trouble(), undefined);
    await replica.stop();
  });

  test('a server that is not there yet is waited for', async () => {
    const port = await freePort();
    const replica = await Replica.start(port);
    assert.equal(replica.store.trouble(), 'nobody listens there');
    await assert.rejects(replica.store.now(), { code: 'store_unavailable', status: 503 });
    await replica.stop();
  });
});
