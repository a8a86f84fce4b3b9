// A kept connection that the upstream closes at the moment of its next use.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BareGate } from '../../support/forwarding/bare-gate.ts';
import { get, ok, post, startForwarding } from '../../support/forwarding/forwarding-test.ts';
import type { RecordingUpstream, UpstreamConnection } from '../../support/forwarding/recording-upstream.ts';

/** A whole suite, on a busy machine. */
const TIMEOUT = { timeout: 60_000 };

/** A client's connection and an upstream's that has served one request already. */
async function usedConnection(gate: BareGate, upstream: RecordingUpstream) {
  const client = gate.client().send(get('/first'));
  const connection = await (await upstream.connection()).untilHead();
  connection.write(ok('first'));
  await client.untilText('first');
  return { client, connection };
}

function requestArrives(connection: UpstreamConnection, start: string): Promise<unknown> {
  return connection.until(({ received }) => received.includes(`\r\n\r\n${start}`));
}

describe('a kept connection that the upstream closes at the moment of its next use', TIMEOUT, () => {
  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    for (const how of ['FIN', 'reset']) {
      test(`${method} without a body is sent once more after a ${how}`, async (t) => {
        const { gate, upstream } = await startForwarding(t);
        const { client, connection } = await usedConnection(gate, upstream);
        client.send(`${method} /again HTTP/1.1\r\nHost: h\r\n\r\n`);
        await requestArrives(connection, method);
        if (how === 'FIN') connection.socket.end();
        else connection.socket.resetAndDestroy();
        const second = await (await upstream.connection(1)).untilHead();
        assert.ok(second.received.startsWith(`${method} /again HTTP/1.1\r\n`));
        second.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Second: 1\r\n\r\n');
        await client.untilText('X-Second: 1');
        assert.deepEqual(gate.told.failures, []);
      });
    }
  }

  test('POST is not', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const { client, connection } = await usedConnection(gate, upstream);
    client.send(post('Content-Length: 0'));
    await requestArrives(connection, 'POST');
    connection.socket.resetAndDestroy();
    await client.untilText('upstream_unreachable');
    assert.equal(upstream.connections.length, 1);
  });

  for (const method of ['DELETE', 'PUT', 'PROPFIND', 'QUERY']) {
    test(`nor is ${method}`, async (t) => {
      const { gate, upstream } = await startForwarding(t);
      const { client, connection } = await usedConnection(gate, upstream);
      client.send(`${method} / HTTP/1.1\r\nHost: h\r\n\r\n`);
      await requestArrives(connection, method);
      connection.socket.resetAndDestroy();
      await client.untilText('upstream_unreachable');
      assert.equal(upstream.connections.length, 1);
    });
  }

  test('nor is GET with a body', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const { client, connection } = await usedConnection(gate, upstream);
    client.send('GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody');
    await connection.until(({ received }) => received.endsWith('body'));
    connection.socket.resetAndDestroy();
    await client.untilText('upstream_unreachable');
    assert.equal(upstream.connections.length, 1);
  });

  test('nor is a GET whose response had begun', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const { client, connection } = await usedConnection(gate, upstream);
    client.send(get('/again'));
    await requestArrives(connection, 'GET /again');
    await new Promise((resolve) => connection.socket.write('HTT', resolve));
    await new Promise((resolve) => setTimeout(resolve, 20));
    connection.socket.resetAndDestroy();
    await client.untilText('upstream_unreachable');
    assert.equal(upstream.connections.length, 1);
  });

  test('nor is a GET on a new connection', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(get());
    (await (await upstream.connection()).untilHead()).socket.resetAndDestroy();
    await client.untilText('upstream_unreachable');
    assert.equal(upstream.connections.length, 1);
  });

  test('it is tried once more, not twice', async (t) => {
    const { gate, upstream } = await startForwarding(t, (connection) => {
      void connection
        .until(({ received }) => received.includes('GET /again'))
        .then(() => connection.socket.resetAndDestroy());
    });
    const { client } = await usedConnection(gate, upstream);
    await client.send(get('/again')).untilText('upstream_unreachable');
    assert.equal(upstream.connections.filter(({ received }) => received.includes('GET /again')).length, 2);
  });

  test('not for an owner that was stopped meanwhile', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const { client, connection } = await usedConnection(gate, upstream);
    client.send(get('/again', 'X-Owner: o'));
    await requestArrives(connection, 'GET /again');
    gate.registry.stop('o');
    connection.socket.resetAndDestroy();
    await client.untilText('ended');
    assert.equal(upstream.connections.length, 1);
  });
});
