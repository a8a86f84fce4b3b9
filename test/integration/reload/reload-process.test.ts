// The configuration read again as operators have it: by SIGHUP, and because a file has changed.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { GateProcess, type LogLine, reserveAddresses } from '../../support/gate-process.ts';
import { selfSignedCertificate } from '../../support/self-signed-certificate.ts';

async function configuration() {
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

const reloads = (gate: GateProcess) => gate.log.filter(({ event }) => event === 'config.reloaded').length;

/** The next reload after `count` of them. */
async function reloadAfter(gate: GateProcess, count: number): Promise<LogLine | undefined> {
  return gate.event('config.reloaded', () => reloads(gate) > count);
}

describe('portcullis start', () => {
  test('SIGHUP reads the file again: a mistake is told and changes nothing, what is right comes into force', async (context) => {
    const config = await configuration();
    const gate = await GateProcess.start(config);
    context.after(() => gate.stop());
    const status = async () => (await fetch(`${config.public_url}/page`)).status;
    assert.equal(await status(), 401);

    await gate.rewrite('public_url: ftp://nowhere');
    gate.signal('SIGHUP');
    const refused = await gate.event('config.refused');
    assert.match(String(refused!['problems']), /public_url/);
    assert.equal(await status(), 401);

    await gate.rewrite({ ...config, routes: [{ upstream: 'http://127.0.0.1:1', auth: 'public' }] });
    gate.signal('SIGHUP');
    await gate.event('config.reloaded');
    assert.equal(await status(), 502, 'the route is public now, and its upstream is not there');
  });

  test('a file that changes is read without a signal', async (context) => {
    const config = await configuration();
    const gate = await GateProcess.start(config);
    context.after(() => gate.stop());
    await gate.rewrite({ ...config, log: { level: 'debug' } });
    await reloadAfter(gate, 0);
  });

  test('a secret in a file of its own, replaced as Kubernetes does it: by a link that leads elsewhere', async (context) => {
    const folder = await mkdtemp(join(tmpdir(), 'portcullis-test-'));
    const config = await configuration();
    await writeFile(join(folder, 'first'), 'the first secret');
    await writeFile(join(folder, 'second'), 'the second secret');
    await symlink(join(folder, 'first'), join(folder, 'secret'));
    const { client_secret: _, ...provider } = config.provider;
    const gate = await GateProcess.start({
      ...config,
      provider: { ...provider, client_secret_file: join(folder, 'secret') },
    });
    context.after(async () => {
      await gate.stop();
      await rm(folder, { recursive: true });
    });
    await symlink(join(folder, 'second'), join(folder, 'new'));
    await rename(join(folder, 'new'), join(folder, 'secret'));
    await reloadAfter(gate, 0);
  });

  test('a new certificate is shown to who connects from now on; who was connected stays', async (context) => {
    const folder = await mkdtemp(join(tmpdir(), 'portcullis-test-'));
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const write = async (name: string) => {
      const { certPem, keyPem } = selfSignedCertificate(['localhost', name]);
      await writeFile(keyFile, keyPem);
      await writeFile(certFile, certPem);
    };
    await write('first.example');
    const config = await configuration();
    const { port } = new URL(config.public_url);
    const gate = await GateProcess.start({
      ...config,
      public_url: `https://localhost:${port}`,
      server: { ...config.server, tls: { cert_file: certFile, key_file: keyFile } },
    });
    context.after(async () => {
      await gate.stop();
      await rm(folder, { recursive: true });
    });
    const open = async (): Promise<TLSSocket> => {
      const socket = connect({
        port: Number(port),
        host: '127.0.0.1',
        servername: 'localhost',
        rejectUnauthorized: false,
      });
      await once(socket, 'secureConnect');
      return socket;
    };
    const names = (socket: TLSSocket) => socket.getPeerCertificate().subjectaltname;
    const before = await open();
    assert.match(names(before)!, /first\.example/);
    await write('second.example');
    await reloadAfter(gate, 0);
    const after = await open();
    assert.match(names(after)!, /second\.example/);
    before.write(`GET /page HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);
    assert.match(String((await once(before, 'data'))[0]), /^HTTP\/1\.1 401/);
    for (const socket of [before, after]) socket.destroy();
  });
});
