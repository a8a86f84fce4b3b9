// An upstream behind TLS.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { connect, createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { resetSocket } from '../../../src/proxy/reset-socket.ts';
import type { Upstream } from '../../../src/proxy/upstream.ts';
import { BareGate } from '../../support/forwarding/bare-gate.ts';
import { get, ok, startForwarding } from '../../support/forwarding/forwarding-test.ts';
import { accept, handshake, serverFrame } from '../../support/forwarding/websocket-parts.ts';
import { selfSignedCertificate } from '../../support/self-signed-certificate.ts';
import { TestGate } from '../../support/test-gate.ts';

/** A whole suite, on a busy machine. */
const TIMEOUT = { timeout: 60_000 };
const { certPem, keyPem } = selfSignedCertificate(['localhost', 'wiki.internal']);

interface SecureUpstream {
  readonly origin: URL;
  /** The server name that each connection asked for. */
  readonly names: (string | false)[];
}

async function secureUpstream(
  context: TestContext,
  answer: (socket: TLSSocket, received: string) => void,
  more: TlsOptions = {},
): Promise<SecureUpstream> {
  const names: (string | false)[] = [];
  const sockets: TLSSocket[] = [];
  const options = { cert: certPem, key: keyPem, ALPNProtocols: ['h2', 'http/1.1'], ...more };
  const server = createServer(options, (socket) => {
    sockets.push(socket);
    names.push((socket as unknown as { servername: string | false }).servername);
    assert.equal(socket.alpnProtocol, 'http/1.1');
    socket.on('error', () => {});
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      answer(socket, received);
    });
  });
  server.on('tlsClientError', () => {});
  await once(server.listen(0, '127.0.0.1'), 'listening');
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { origin: new URL(`https://localhost:${(server.address() as AddressInfo).port}`), names };
}

async function gateTo(
  context: TestContext,
  origin: URL,
  tls: ConstructorParameters<typeof Upstream>[0]['tls'],
): Promise<BareGate> {
  const gate = await BareGate.listen(origin, tls === undefined ? {} : { tls });
  context.after(() => gate.close());
  return gate;
}

describe('an upstream behind TLS', TIMEOUT, () => {
  test('is believed by its private authority, spoken to in HTTP/1.1, and its connection used again', async (t) => {
    const upstream = await secureUpstream(t, (socket, received) => {
      if (received.endsWith('\r\n\r\n')) socket.write(ok('secure'));
    });
    const gate = await gateTo(t, upstream.origin, { ca: certPem });
    const client = gate.client();
    await client.send(get()).untilText('secure');
    await client.send(get()).until(({ received }) => received.split('\r\n\r\nsecure').length === 3);
    assert.deepEqual(upstream.names, ['localhost']);
  });

  test('is asked for by the configured name', async (t) => {
    const upstream = await secureUpstream(t, (socket) => socket.write(ok('secure')));
    const gate = await gateTo(t, upstream.origin, { ca: certPem, serverName: 'wiki.internal' });
    await gate.client().send(get()).untilText('secure');
    assert.deepEqual(upstream.names, ['wiki.internal']);
  });

  test('at an IP address is checked against it, or against a configured name', async (t) => {
    const upstream = await secureUpstream(t, (socket) => socket.write(ok('secure')));
    const warnings: string[] = [];
    const warned = (warning: Error): number => warnings.push(warning.message);
    process.on('warning', warned);
    t.after(() => process.off('warning', warned));
    const origin = new URL(`https://127.0.0.1:${upstream.origin.port}`);
    const nameless = await gateTo(t, origin, { ca: certPem });
    await nameless.client().send(get()).untilText('upstream_unreachable');
    assert.match(nameless.told.failures[0]!.why, /127\.0\.0\.1/);
    const named = await gateTo(t, origin, { ca: certPem, serverName: 'localhost' });
    await named.client().send(get()).untilText('secure');
    assert.deepEqual(upstream.names, ['localhost']);
    assert.deepEqual(warnings, []);
  });

  test('with a certificate that nobody vouches for, or for another name: unreachable, and why', async (t) => {
    const upstream = await secureUpstream(t, (socket) => socket.write(ok('secure')));
    for (const [tls, why] of [
      [undefined, /self-signed/],
      [{ ca: certPem, serverName: 'other.internal' }, /other\.internal/],
    ] as const) {
      const gate = await gateTo(t, upstream.origin, tls);
      await gate.client().send(get()).untilText('upstream_unreachable');
      assert.match(gate.told.failures[0]!.why, why);
      await gate.client().send(handshake()).untilText('upstream_unreachable');
    }
  });

  test('speaks WebSocket too', async (t) => {
    const upstream = await secureUpstream(t, (socket) => socket.write(accept() + serverFrame('secure')));
    const gate = await gateTo(t, upstream.origin, { ca: certPem });
    const client = await gate.client().send(handshake()).untilText('secure');
    assert.match(client.received, /^HTTP\/1\.1 101 /);
    assert.deepEqual(upstream.names, ['localhost']);
  });

  test('whose body ends by a reset reaches the client as a cut', async (t) => {
    const upstream = await secureUpstream(t, (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\npart');
      setTimeout(() => resetSocket(socket), 30);
    });
    const gate = await gateTo(t, upstream.origin, { ca: certPem });
    const client = await gate.client().send(get()).untilOver();
    assert.match(client.received, /part/);
    assert.doesNotMatch(client.received, /0\r\n\r\n$/);
  });
});

describe('an upstream that asks for a certificate', TIMEOUT, () => {
  const [gateway, stranger] = [selfSignedCertificate(['gateway']), selfSignedCertificate(['stranger'])];
  const asking = { requestCert: true, rejectUnauthorized: true, ca: gateway.certPem };
  const shown = ({ certPem: cert, keyPem: key }: typeof gateway) => ({ ca: certPem, cert, key });
  const answerBoth = (socket: TLSSocket, received: string) => {
    if (!received.endsWith('\r\n\r\n')) return;
    const { CN } = socket.getPeerCertificate().subject;
    socket.write(/upgrade: websocket/i.test(received) ? accept() + serverFrame(`for ${CN}`) : ok(`for ${CN}`));
  };

  test('is shown the route’s, by requests and WebSockets', async (t) => {
    const upstream = await secureUpstream(t, answerBoth, asking);
    const gate = await gateTo(t, upstream.origin, shown(gateway));
    await gate.client().send(get()).untilText('for gateway');
    const socket = await gate.client().send(handshake()).untilText('for gateway');
    assert.match(socket.received, /^HTTP\/1\.1 101 /);
  });

  test('and gets none, or a stranger’s: unreachable, by requests and WebSockets', async (t) => {
    const upstream = await secureUpstream(t, answerBoth, asking);
    for (const tls of [{ ca: certPem }, shown(stranger)]) {
      const gate = await gateTo(t, upstream.origin, tls);
      for (const asked of [get(), handshake()]) {
        const { received } = await gate.client().send(asked).untilText('upstream_');
        assert.match(received, /^HTTP\/1\.1 502 /);
      }
    }
  });

  test('is reached by what `upstream_tls` says: authority, certificate and name', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'portcullis-tls-'));
    t.after(() => rm(folder, { recursive: true }));
    const file = async (name: string, text: string) => {
      await writeFile(join(folder, name), text);
      return join(folder, name);
    };
    const internal = selfSignedCertificate(['wiki.internal']);
    const own = { ...asking, cert: internal.certPem, key: internal.keyPem };
    const upstream = await secureUpstream(t, answerBoth, own);
    const route = {
      name: 'secure',
      upstream: upstream.origin.origin,
      auth: 'public',
      upstream_tls: {
        ca_file: await file('ca.pem', internal.certPem),
        cert_file: await file('gateway.pem', gateway.certPem),
        key_file: await file('gateway.key', gateway.keyPem),
        server_name: 'wiki.internal',
      },
    };
    const gate = await TestGate.start({ config: { routes: [route] } });
    t.after(() => gate.close());
    const answer = await gate.browser().request(gate.url('/'));
    assert.deepEqual([answer.status, answer.text], [200, 'for gateway']);
    assert.deepEqual(upstream.names, ['wiki.internal']);
  });
});

describe('a client behind TLS', TIMEOUT, () => {
  test('whose body would end with the connection sees a reset, not an end', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const server = createHttpsServer({ cert: certPem, key: keyPem });
    for (const listener of gate.server.listeners('request')) server.on('request', listener as never);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    t.after(() => server.close());
    const client = connect({
      port: (server.address() as AddressInfo).port,
      host: '127.0.0.1',
      ca: certPem,
      servername: 'localhost',
    });
    let received = '';
    client.on('data', (chunk) => {
      received += chunk;
    });
    client.write(`GET / HTTP/1.0\r\nHost: h\r\nX-Owner: me\r\n\r\n`);
    const connection = await (await upstream.connection()).untilHead();
    connection.write('HTTP/1.1 200 OK\r\n\r\npart');
    while (!received.includes('part')) await once(client, 'data');
    const ended = once(client, 'end').then(
      () => 'ended',
      (error) => error.code,
    );
    await gate.end('me');
    assert.equal(await ended, 'ECONNRESET');
  });
});
