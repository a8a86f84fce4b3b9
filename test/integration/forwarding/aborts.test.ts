// A client that goes away.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { get, ok, post, startForwarding, until } from '../../support/forwarding/forwarding-test.ts';

/** A whole suite, on a busy machine. */
const TIMEOUT = { timeout: 60_000 };
const CHUNKED_HEAD = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

describe('a client that goes away', TIMEOUT, () => {
  for (const how of ['FIN', 'reset'] as const) {
    const leave = (socket: import('node:net').Socket): unknown =>
      how === 'FIN' ? socket.destroy() : socket.resetAndDestroy();

    test(`while it waits, by ${how}: the upstream’s connection is destroyed`, async (t) => {
      const { gate, upstream } = await startForwarding(t);
      const client = gate.client().send(get());
      const connection = await (await upstream.connection()).untilHead();
      leave(client.socket);
      await connection.until(({ ended, closed }) => ended || closed);
      await until(() => gate.told.finished.length === 1);
      assert.deepEqual(gate.told, { failures: [], finished: [499], ended: 0, activity: 0 });
    });

    test(`in the middle of its upload, by ${how}: the upstream never sees a complete body`, async (t) => {
      const { gate, upstream } = await startForwarding(t);
      const client = gate.client().send(post('Transfer-Encoding: chunked')).send('4\r\npart\r\n');
      const connection = await upstream.connection();
      await connection.until(({ received }) => received.includes('part'));
      leave(client.socket);
      await connection.until(({ ended, closed }) => ended || closed);
      assert.doesNotMatch(connection.received, /0\r\n\r\n$/);
      await until(() => gate.told.finished.length === 1);
      assert.deepEqual(gate.told, { failures: [], finished: [499], ended: 0, activity: gate.told.activity });
    });

    test(`in the middle of its response, by ${how}: the upstream’s connection is destroyed`, async (t) => {
      const { gate, upstream } = await startForwarding(t);
      const client = gate.client().send(get());
      const connection = await (await upstream.connection()).untilHead();
      connection.write(`${CHUNKED_HEAD}4\r\npart\r\n`);
      await client.untilText('part');
      leave(client.socket);
      await connection.until(({ ended, closed }) => ended || closed);
      await until(() => gate.told.finished.length === 1);
      assert.deepEqual(gate.told.finished, [499]);
    });
  }

  test('before the upstream is connected: nothing is sent there', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client();
    client.socket.on('connect', () => client.socket.end(get(), () => client.socket.resetAndDestroy()));
    await until(() => gate.told.finished.length === 1);
    const next = gate.client().send(get('/next'));
    await until(() => upstream.connections.some(({ received }) => received.includes('GET /next')));
    assert.equal(upstream.connections.filter(({ closed }) => !closed).length <= 2, true);
    next.destroy();
    await until(() => gate.told.finished.length === 2);
    assert.deepEqual(gate.registry.totals(), { requests: 0, streams: 0, websockets: 0 });
  });

  test('with a second request waiting behind the first: both are over', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(get('/1') + get('/2'));
    for (const i of [0, 1]) await (await upstream.connection(i)).untilHead();
    client.destroy();
    for (const connection of upstream.connections) await connection.until(({ ended, closed }) => ended || closed);
    await until(() => gate.told.finished.length === 2);
    assert.deepEqual(gate.told.finished, [499, 499]);
    assert.deepEqual(gate.registry.totals(), { requests: 0, streams: 0, websockets: 0 });
  });

  test('a thousand times at every stage: no connection is left over', { timeout: 60_000 }, async (t) => {
    const { gate, upstream } = await startForwarding(t, (connection) => {
      void connection.untilHead().then(() => connection.write(`${CHUNKED_HEAD}4\r\npart\r\n`));
    });
    for (let round = 0; round < 250; round++) {
      const clients = [
        gate.client().send(get()),
        gate.client().send(post('Content-Length: 9')).send('part'),
        gate.client().send(get()),
        gate.client(),
      ];
      await clients[0]!.untilText('part');
      for (const client of clients) client.destroy();
    }
    await until(() => upstream.connections.every(({ ended, closed }) => ended || closed));
    await until(() => gate.registry.anonymous.size === 0);
    const last = gate.client().send(get());
    await last.untilText('part');
  });

  test('a request that failed late does not disturb the next on the same connection', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(get('/1'));
    const connection = await (await upstream.connection()).untilHead();
    connection.write(`${ok('one')}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray`);
    await client.untilText('one');
    client.send(get('/2'));
    (await (await upstream.connection(1)).untilHead()).write(ok('two'));
    await client.untilText('two');
    assert.doesNotMatch(client.received, /stray/);
  });
});
