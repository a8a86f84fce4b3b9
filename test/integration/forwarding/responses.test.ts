// A response on its way to the client.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { fill, get, ok, startForwarding } from '../../support/forwarding/forwarding-test.ts';
import { answering } from '../../support/forwarding/recording-upstream.ts';

/** A whole suite, on a busy machine. */
const TIMEOUT = { timeout: 60_000 };
/** More than the kernel's and our own buffers hold. */
const MUCH = 64 * 1024 * 1024;

describe('a response on its way to the client', TIMEOUT, () => {
  test('status, reason, header spelling, order and repeats are the upstream’s', async (t) => {
    const lines = 'X-b: 1\r\nx-A: 2\r\nX-B: 3\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nContent-Length: 2\r\n';
    const { gate } = await startForwarding(t, answering(`HTTP/1.1 218 This is fine\r\n${lines}\r\nhi`));
    const client = await gate.client().send(get()).untilText('\r\n\r\nhi');
    assert.ok(client.received.startsWith(`HTTP/1.1 218 This is fine\r\n${lines}`), client.received);
  });

  for (const [title, type] of [
    ['event stream', 'text/event-stream'],
    ['any other response', 'text/plain'],
  ]) {
    test(`the head of an ${title} arrives before its first body byte`, async (t) => {
      const { gate, upstream } = await startForwarding(t);
      const client = gate.client().send(get());
      const connection = await (await upstream.connection()).untilHead();
      connection.write(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\n\r\n`);
      await client.untilText(`Content-Type: ${type}\r\n`);
      connection.write('data: 1\n\n');
      await client.untilText('data: 1\n\n');
      assert.equal(gate.registry.totals().streams, type === 'text/event-stream' ? 1 : 0);
    });
  }

  test('a 100 that nobody asked for is swallowed', async (t) => {
    const { gate } = await startForwarding(
      t,
      answering(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100\r\nX: y\r\n\r\n${ok('hi')}`),
    );
    const client = gate.client();
    await client.send(get()).untilText('\r\n\r\nhi');
    assert.ok(client.received.startsWith('HTTP/1.1 200 OK\r\n'));
    await client.send(get()).until(({ received }) => received.split('\r\n\r\nhi').length === 3);
  });

  test('a 100 that arrives alone is swallowed, and the response behind it is waited for', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(get());
    const connection = await (await upstream.connection()).untilHead();
    connection.write('HTTP/1.1 100 Conti');
    connection.write('nue\r\n\r\n');
    await new Promise((resolve) => setImmediate(resolve));
    connection.write(ok('hi'));
    await client.untilText('\r\n\r\nhi');
  });

  test('early hints are not passed on', async (t) => {
    const { gate } = await startForwarding(t, answering(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok('hi')}`));
    const client = await gate.client().send(get()).untilText('\r\n\r\nhi');
    assert.ok(client.received.startsWith('HTTP/1.1 200 OK\r\n'));
    assert.doesNotMatch(client.received, /Link/);
  });

  test('a 304 with Content-Length neither closes nor hangs', async (t) => {
    const { gate } = await startForwarding(
      t,
      answering('HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: "x"\r\n\r\n'),
    );
    const client = gate.client();
    for (const n of [2, 3, 4]) {
      await client.send(get()).until(({ received }) => received.split('304 Not Modified').length === n);
      await client.until(({ received }) => received.endsWith('\r\n\r\n'));
    }
    assert.match(client.received, /Content-Length: 500\r\n/);
    assert.equal(client.ended, false);
  });

  test('a 204 has no body and no Content-Length', async (t) => {
    const { gate } = await startForwarding(t, answering('HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n'));
    const client = gate.client();
    for (const n of [2, 3])
      await client
        .send(get())
        .until(({ received }) => received.split('204 No Content').length === n && received.endsWith('\r\n\r\n'));
    assert.doesNotMatch(client.received, /content-length|transfer-encoding/i);
  });

  test('HEAD keeps the Content-Length of the body that is not there', async (t) => {
    const { gate } = await startForwarding(t, answering('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n'));
    const client = gate.client();
    for (const n of [2, 3]) {
      client.send('HEAD / HTTP/1.1\r\nHost: h\r\n\r\n');
      await client.until(({ received }) => received.split('200 OK').length === n && received.endsWith('\r\n\r\n'));
    }
    assert.match(client.received, /Content-Length: 500\r\n/);
    assert.equal(client.ended, false);
  });

  test('a chunked body stays chunked, and its trailers are dropped', async (t) => {
    const { gate } = await startForwarding(
      t,
      answering(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2\r\nxy\r\n3\r\nzuv\r\n0\r\nX-T: 1\r\n\r\n',
      ),
    );
    const client = await gate.client().send(get()).untilText('0\r\n\r\n');
    assert.match(client.head, /\r\nTransfer-Encoding: chunked\r\n/);
    assert.equal(client.body.replace(/[0-9a-f]+\r\n/g, '').replaceAll('\r\n', ''), 'xyzuv');
    assert.doesNotMatch(client.received, /X-T|Trailer/);
  });

  test('a body that ends with its connection reaches the client as a complete one', async (t) => {
    const { gate } = await startForwarding(t, (connection) => {
      void connection.untilHead().then(() => connection.socket.end('HTTP/1.1 200 OK\r\n\r\nall of it'));
    });
    const client = await gate.client().send(get()).untilText('\r\n0\r\n\r\n');
    assert.match(client.body, /^9\r\nall of it\r\n0\r\n\r\n$/);
  });

  test('an HTTP/1.0 client gets it unchunked, ended by FIN', async (t) => {
    const { gate } = await startForwarding(
      t,
      answering('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n'),
    );
    const client = await gate.client().send('GET / HTTP/1.0\r\nHost: h\r\n\r\n').untilOver();
    assert.equal(client.body, 'ab');
    assert.equal(client.wasReset, false);
  });

  test('an encoded body is passed as it is, however often it was encoded', async (t) => {
    const zipped = gzipSync(gzipSync('x'.repeat(100_000))).toString('latin1');
    const { gate } = await startForwarding(t, answering(ok(zipped, 'Content-Encoding: gzip, gzip')));
    const client = gate.client().send(get());
    await client.until(({ body }) => body.length >= zipped.length);
    assert.equal(client.body, zipped);
    assert.match(client.head, /Content-Encoding: gzip, gzip\r\n/);
  });

  test('1500 headers arrive, all of them', async (t) => {
    const headers = Array.from({ length: 1_500 }, (_, i) => (i === 1_100 ? 'Set-Cookie: late=1' : `X-${i}: ${i}`));
    const { gate } = await startForwarding(t, answering(ok('hi', ...headers)));
    const client = await gate.client().send(get()).untilText('\r\n\r\nhi');
    for (const header of headers) assert.ok(client.received.includes(`\r\n${header}\r\n`), header);
  });

  test('a header of 20 KiB arrives whole', async (t) => {
    const { gate } = await startForwarding(t, answering(ok('hi', `X-Long: ${'y'.repeat(20_000)}`)));
    const client = await gate.client().send(get()).untilText('\r\n\r\nhi');
    assert.match(client.received, /\r\nX-Long: y{20000}\r\n/);
  });

  test('a reason phrase that cannot be written is left out', async (t) => {
    const { gate } = await startForwarding(t, answering('HTTP/1.1 200 Gr\u00fc\u00dfe\r\nContent-Length: 2\r\n\r\nhi'));
    const client = await gate.client().send(get()).untilText('\r\n\r\nhi');
    assert.match(client.received, /^HTTP\/1\.1 200 [^\r]*\r\n/);
  });

  test('a slow client holds the upstream up instead of filling memory', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client();
    client.socket.pause();
    client.send(get());
    const { socket } = await (await upstream.connection()).untilHead();
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    const taken = await fill(socket, MUCH);
    assert.ok(taken < MUCH, `${taken} bytes went somewhere`);
    client.socket.resume();
    await client.until(({ received }) => received.length > taken + 256 * 1024);
  });
});
