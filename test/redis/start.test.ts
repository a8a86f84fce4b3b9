// What a gate says at start about a server that it can never use, and what it does about one that is not there yet.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { newFormId } from '../../src/base/ids.ts';
import { Secret } from '../../src/base/secret.ts';
import { RIGHTS } from '../../src/session/redis/redis-errors.ts';
import { freePort } from '../support/free-port.ts';
import { GateProcess, reserveAddresses } from '../support/gate-process.ts';
import { selfSignedCertificate } from '../support/self-signed-certificate.ts';
import { startOldServer } from './old-server.ts';
import { RedisServer } from './redis-server.ts';
import { Replica, type ReplicaOptions } from './replica.ts';

/** What is wrong is said also by a machine that is busy. */
const PATIENT = { commandTimeoutMs: 20_000 };

describe('starting on a server', () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
    await server.command('ACL', 'SETUSER', 'gate', 'on', '>secret', '~wiki:*', '&wiki:*', '+@all');
    await server.command('ACL', 'SETUSER', 'other', 'on', '>secret', '~shop:*', '&wiki:*', '+@all');
    await server.command('ACL', 'SETUSER', 'reader', 'on', '>secret', '~*', '&*', '+@all', '-evalsha');
  });
  after(() => server.close());

  function as(username: string, password: string): ReplicaOptions {
    return { ...PATIENT, access: { database: 0, username, password: new Secret(password) } };
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

  test('TLS with a private CA and a client certificate; without the CA it is not trusted', async (context) => {
    const { certPem, keyPem } = selfSignedCertificate();
    const [cert, key, port] = [`${server.folder}/tls.crt`, `${server.folder}/tls.key`, await freePort()];
    await writeFile(cert, certPem);
    await writeFile(key, keyPem);
    const tlsPort = ['--tls-port', String(port), '--tls-cert-file', cert, '--tls-key-file', key];
    const secure = await RedisServer.start([...tlsPort, '--tls-ca-cert-file', cert, '--tls-auth-clients', 'yes']);
    context.after(() => secure.close());
    const tls = { cert: certPem, key: keyPem, serverName: 'localhost' };
    const replica = await Replica.start(port, { access: { database: 0, tls: { ...tls, ca: certPem } } });
    assert.equal(replica.store.trouble(), undefined);
    await replica.stop();
    const refused = (tls: object, message: RegExp): Promise<void> =>
      assert.rejects(Replica.start(port, { ...PATIENT, access: { database: 0, tls } }), {
        code: 'store_unavailable',
        message,
      });
    const untrusted = /of no authority that the gate trusts; name its CA in session\.redis\.tls\.ca_file/;
    await refused(tls, untrusted);
    await refused({ ...tls, ca: selfSignedCertificate().certPem }, untrusted);
    await refused({ ...tls, ca: certPem, serverName: 'redis.internal' }, /for another name; .*tls\.server_name/);
    await refused({ ca: certPem, serverName: 'localhost' }, /wants a client certificate .*tls\.cert_file/);
  });

  test('TLS, where the port speaks none, is said', async () => {
    const quick = { commandTimeoutMs: 500, access: { database: 0, tls: {} } };
    const replica = await Replica.start(server.port, quick);
    assert.match(replica.store.trouble() ?? '', /does not answer in time; write redis:\/\//);
    await replica.stop();
  });

  test('the rights that the gate asks for where one is missing are all that it takes', async () => {
    const words = RIGHTS.replace('<user>', 'least').replaceAll('<key_prefix>', 'least:').split(' ').slice(2);
    await server.command(...words, 'on', '>secret');
    const replica = await Replica.start(server.port, { ...as('least', 'secret'), keyPrefix: 'least:' });
    const { store } = replica;
    const [session, other] = [await replica.signIn(), await replica.signIn()];
    await store.jars.write(session, 'wiki', new Map([['/ a', 'a=1']]));
    assert.deepEqual(await store.jars.read(session, 'wiki'), ['a=1']);
    assert.equal(await store.claimRefresh(session), 'ours');
    await store.releaseRefresh(session);
    assert.equal(await store.update(session, { ...session.record, version: 2 }), 'updated');
    store.touch(session);
    assert.equal((await store.list({ user: session.record.user }, 10, undefined)).sessions.length > 0, true);
    const form = { id: newFormId(), owner: 'ada', head: Buffer.from('head'), body: Buffer.from('body') };
    assert.equal(await store.forms.keep(form, 60_000), 'kept');
    assert.ok(typeof (await store.forms.take(form.id)) === 'object');
    assert.equal((await store.end({ by: 'all' })).length, 2);
    assert.equal(other.ended, true);
    assert.deepEqual([store.trouble(), replica.troubles], [undefined, [undefined]]);
    await replica.stop();
  });

  for (const command of ['zadd', 'hset', 'publish', 'pexpireat', 'time', 'info', 'subscribe', 'eval']) {
    test(`a user who may do everything but ${command} is told so at the start`, async () => {
      await server.command('SCRIPT', 'FLUSH');
      await server.command('ACL', 'SETUSER', 'almost', 'reset', 'on', '>secret', '~*', '&*', '+@all', `-${command}`);
      const message = new RegExp(`may not run ${command.toUpperCase()}; allow it: ACL SETUSER`);
      await assert.rejects(Replica.start(server.port, as('almost', 'secret')), { code: 'store_unavailable', message });
    });
  }

  for (const version of ['5.0.14', '6.2.14']) {
    test(`Redis ${version} is too old, and which one is needed is said`, async (context) => {
      const old = await startOldServer(version);
      context.after(() => old.server.close());
      const message = /Redis 7 or Valkey 8 is needed/;
      await assert.rejects(Replica.start(old.port, PATIENT), { code: 'store_unavailable', message });
    });
  }

  test('no password, where the server wants one, is said, and nothing starts', async (context) => {
    const locked = await RedisServer.start();
    context.after(() => locked.close());
    await locked.command('CONFIG', 'SET', 'requirepass', 'secret');
    await assert.rejects(Replica.start(locked.port, PATIENT), {
      code: 'store_unavailable',
      message: /the server wants a password/,
    });
  });

  const hopeless: readonly { title: string; options: ReplicaOptions; prepare?: string[]; why: RegExp }[] = [
    { title: 'a wrong password', options: as('gate', 'wrong'), why: /user name or password is wrong/ },
    {
      title: 'rights on other channels only',
      options: as('gate', 'secret'),
      why: /may not use the channels with our prefix; allow it: .*&<key_prefix>\*/,
    },
    {
      title: 'rights on other keys only',
      options: { ...as('other', 'secret'), keyPrefix: 'wiki:' },
      why: /may not use the keys with our prefix; allow it: .*~<key_prefix>\*/,
    },
    { title: 'a user who may not run scripts', options: as('reader', 'secret'), why: /may not run EVALSHA; allow it:/ },
    {
      title: 'a number of no database',
      options: { access: { database: 99 } },
      why: /no database of this number; write a smaller one behind the host in session\.redis\.url/,
    },
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
      await assert.rejects(Replica.start(server.port, { ...PATIENT, ...options }), {
        code: 'store_unavailable',
        message: why,
      });
    });
  }

  test('a node of a cluster is recognised, and the cure is named', async () => {
    const node = await RedisServer.start(['--cluster-enabled', 'yes']);
    await assert.rejects(Replica.start(node.port, PATIENT), { message: /node of a Redis cluster; name its nodes/ });
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
    assert.match(
      gate.output,
      /^portcullis: the session store cannot be used: the user name or password is wrong\b.*$/m,
    );
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
