// An upstream that answers before the request’s end.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { get, ok, post, startForwarding, until } from '../../support/forwarding/forwarding-test.ts';

/** A whole suite, on a busy machine. */
const TIMEOUT = { timeout: 60_000 };
const TOO_LARGE = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 8\r\n\r\ntoo much';

describe('an upstream that answers before the request’s end', TIMEOUT, () => {
  for (const framing of ['Content-Length: 100000000', 'Transfer-Encoding: chunked']) {
    test(`${framing.split(':')[0]}: the client gets the answer, then its connection ends, and the upstream’s is destroyed`, async (t) => {
      const { gate, upstream } = await startForwarding(t);
      const client = gate.client().send(post(framing)).send('4\r\npart\r\n');
      const connection = await upstream.connection();
      await connection.until(({ received }) => received.includes('part'));
      connection.write(TOO_LARGE);
      await client.untilText('too much');
      assert.match(client.head, /\r\nConnection: close\r\n/);
      await client.until(({ ended }) => ended);
      await connection.until(({ ended, closed }) => ended || closed);
      client.socket.end();
      await until(() => gate.told.finished.length === 1);
      assert.deepEqual(gate.told.finished, [413]);
      gate.client().send(get());
      await upstream.connection(1);
    });
  }

  test('a client that goes on sending still gets all of the answer', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(post('Content-Length: 1000000000000'));
    let sending = true;
    const more = (): void => {
      if (!sending || client.closed) return;
      client.socket.write(Buffer.alloc(65_536), () => setImmediate(more));
    };
    more();
    const connection = await upstream.connection();
    await connection.until(({ received }) => received.length > 1_000_000);
    const body = 'b'.repeat(500_000);
    connection.write(`HTTP/1.1 401 Unauthorized\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    await client.until(({ received, closed }) => closed || received.endsWith(body));
    assert.equal(client.body.length, body.length);
    // A close with bytes unread would be a reset, which takes from the client what it has not read yet.
    await client.until(({ ended, closed }) => ended || closed);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(client.error, undefined);
    sending = false;
  });

  test('a request behind such a body on the same connection is never forwarded', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(post('Content-Length: 10')).send('part');
    const connection = await upstream.connection();
    await connection.until(({ received }) => received.includes('part'));
    connection.write(TOO_LARGE);
    await client.untilText('too much');
    client.send(`123456${get('/smuggled')}`);
    await client.until(({ ended, closed }) => ended || closed);
    await until(() => gate.told.finished.length >= 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(!upstream.connections.some(({ received }) => received.includes('/smuggled')));
  });

  test('an upload that ends in time leaves both connections open', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(post('Content-Length: 4')).send('body');
    const connection = await upstream.connection();
    await connection.until(({ received }) => received.endsWith('body'));
    connection.write(ok('one'));
    await client.untilText('one');
    client.send(get());
    await connection.until(({ received }) => received.includes('GET /'));
    connection.write(ok('two'));
    await client.untilText('two');
  });

  test('a failure during an upload reaches the client, whose connection then ends', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(post('Content-Length: 100')).send('part');
    const connection = await upstream.connection();
    await connection.until(({ received }) => received.endsWith('part'));
    connection.write('garbage\r\n\r\n');
    await client.untilText('upstream_invalid');
    await client.until(({ ended }) => ended);
  });
});
