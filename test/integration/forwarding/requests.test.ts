// A request on its way to the upstream.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { get, ok, post, startForwarding } from '../../support/forwarding/forwarding-test.ts';
import { answering } from '../../support/forwarding/recording-upstream.ts';

/** A whole suite, on a busy machine. */
const TIMEOUT = { timeout: 60_000 };

describe('a request on its way to the upstream', TIMEOUT, () => {
  const targets = [
    '/',
    '//double//slash',
    '/a/../b/./c',
    '/%2e%2e/%2F%5c%00',
    '/a;b=c;jsessionid=1?x=/../y&z',
    '/quote\'and"double',
    '/back\\slash',
    '/pipe|^`{}[]<>',
    '/?',
    '/a?b?c',
    '/caf%C3%A9',
    `/${'long/'.repeat(1_500)}`,
  ];
  for (const target of targets) {
    test(`the target ${target.slice(0, 40)} arrives byte for byte`, async (t) => {
      const { gate, upstream } = await startForwarding(t, answering(ok('')));
      await gate.client().send(get(target)).untilText('\r\n\r\n');
      assert.equal((await upstream.connection()).received.split('\r\n')[0], `GET ${target} HTTP/1.1`);
    });
  }

  for (const method of [
    'GET',
    'DELETE',
    'OPTIONS',
    'QUERY',
    'PROPFIND',
    'REPORT',
    'PURGE',
    'LINK',
    'PATCH',
    'PUT',
    'POST',
    'SEARCH',
  ]) {
    test(`${method} without a body arrives without one, and the connection is used again`, async (t) => {
      const { gate, upstream } = await startForwarding(t, answering(ok('x')));
      const client = gate.client();
      await client.send(`${method} /m HTTP/1.1\r\nHost: h\r\n\r\n`).untilText('\r\n\r\nx');
      await client.send(get('/next')).until(({ received }) => received.split('\r\n\r\nx').length === 3);
      assert.equal(upstream.connections.length, 1);
      const { received } = await upstream.connection();
      assert.ok(received.startsWith(`${method} /m HTTP/1.1\r\n`));
      assert.ok(!/transfer-encoding/i.test(received));
      assert.ok(!/content-length: [^0]/i.test(received));
    });

    test(`${method} with a Content-Length body keeps it, and nothing is left for the next request`, async (t) => {
      const { gate, upstream } = await startForwarding(t, (connection) => {
        void connection.until(({ received }) => received.endsWith('GET /x')).then(() => connection.write(ok('done')));
      });
      const client = gate.client();
      client.send(`${method} /m HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nGET /x`);
      await client.untilText('done');
      const connection = await upstream.connection();
      assert.match(connection.head, /\r\ncontent-length: 6\r\n/i);
      assert.doesNotMatch(connection.head, /transfer-encoding/i);
      assert.equal(connection.body, 'GET /x');
    });

    test(`${method} with a chunked body stays chunked`, async (t) => {
      const { gate, upstream } = await startForwarding(t, (connection) => {
        void connection
          .until(({ received }) => received.endsWith('\r\n0\r\n\r\n'))
          .then(() => connection.write(ok('done')));
      });
      const client = gate.client();
      client.send(
        `${method} /m HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n6;ext=1\r\nGET /x\r\n0\r\nX-Trailer: 1\r\n\r\n`,
      );
      await client.untilText('done');
      const connection = await upstream.connection();
      assert.match(connection.head, /\r\ntransfer-encoding: chunked\r\n/i);
      assert.doesNotMatch(connection.received, /content-length|trailer/i);
      assert.equal(connection.body, '6\r\nGET /x\r\n0\r\n\r\n');
    });
  }

  test('an empty POST keeps its Content-Length of 0', async (t) => {
    const { gate, upstream } = await startForwarding(t, answering(ok('done')));
    await gate.client().send(post('Content-Length: 0')).untilText('done');
    assert.match((await upstream.connection()).head, /\r\ncontent-length: 0\r\n/i);
  });

  test('a body arrives while the client is still sending it', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(post('Content-Length: 10'));
    client.send('abcde');
    const connection = await upstream.connection();
    await connection.until(({ received }) => received.endsWith('abcde'));
    client.send('fghij');
    await connection.until(({ received }) => received.endsWith('abcdefghij'));
    connection.write(ok('done'));
    await client.untilText('done');
  });

  test('requests on one connection arrive in order, each with its own headers', async (t) => {
    const { gate, upstream } = await startForwarding(t, answering(ok('x')));
    const client = gate.client();
    client.send(get('/1', 'X-N: 1') + get('/2', 'X-N: 2'));
    await client.until(({ received }) => received.split('\r\n\r\nx').length === 3);
    const all = upstream.connections.map(({ received }) => received).join('');
    for (const n of [1, 2]) assert.match(all, new RegExp(`GET /${n} HTTP/1.1\r\n(?:[^\r]+\r\n)*X-N: ${n}\r\n`));
  });

  test('Expect is answered by the door and not forwarded', async (t) => {
    const { gate, upstream } = await startForwarding(t, (connection) => {
      void connection.until(({ received }) => received.endsWith('abc')).then(() => connection.write(ok('done')));
    });
    const client = gate.client().send(post('Content-Length: 3', 'Expect: 100-continue'));
    await client.untilText('100 Continue\r\n\r\n');
    await client.send('abc').untilText('done');
    assert.doesNotMatch((await upstream.connection()).received, /expect/i);
  });

  test('Upgrade to anything but WebSocket is not forwarded, and the request goes on as plain HTTP', async (t) => {
    const { gate, upstream } = await startForwarding(t, answering(ok('plain')));
    const client = gate.client();
    client.send(get('/', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'));
    await client.untilText('plain');
    assert.doesNotMatch((await upstream.connection()).received, /upgrade|http2-settings/i);
  });

  test('a large body passes whole and in order', async (t) => {
    const size = 20 * 1024 * 1024;
    const { gate, upstream } = await startForwarding(t);
    const body = Buffer.alloc(size);
    for (let i = 0; i < size; i += 4) body.writeUInt32LE(i, i);
    const client = gate
      .client()
      .send(post(`Content-Length: ${size}`))
      .send(body);
    const connection = await upstream.connection();
    await connection.until(({ received }) => received.length > size && connection.body.length === size);
    assert.ok(Buffer.from(connection.body, 'latin1').equals(body));
    connection.write(ok('done'));
    await client.untilText('done');
  });
});
