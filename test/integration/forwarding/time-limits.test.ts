// Time limits towards the upstream.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { BareGate } from '../../support/forwarding/bare-gate.ts';
import { get, ok, post, startForwarding, until } from '../../support/forwarding/forwarding-test.ts';

/** A whole suite, on a busy machine. */
const TIMEOUT = { timeout: 60_000 };

describe('time limits towards the upstream', TIMEOUT, () => {
  test('an upstream that sends no head in time: timeout, its connection destroyed', async (t) => {
    const { gate, upstream } = await startForwarding(t, undefined, { timeouts: { responseHeadMs: 100 } });
    const client = gate.client().send(get());
    const connection = await (await upstream.connection()).untilHead();
    await client.untilText('upstream_timeout');
    await connection.until(({ ended, closed }) => ended || closed);
    assert.deepEqual(
      gate.told.failures.map(({ code }) => code),
      ['upstream_timeout'],
    );
  });

  test('an upstream that cannot be connected in time: timeout', async (t) => {
    // A full accept queue: the kernel drops further handshakes.
    const full = createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 });
    await once(full, 'listening');
    const address = full.address() as import('node:net').AddressInfo;
    const gate = await BareGate.listen(new URL(`http://10.255.255.1:${address.port}`), {
      timeouts: { connectMs: 100 },
    });
    t.after(async () => {
      await gate.close();
      full.close();
    });
    await gate
      .client()
      .send(get())
      .until(({ received }) => received.includes('upstream_'));
    assert.ok(['upstream_timeout', 'upstream_unreachable'].includes(gate.told.failures[0]!.code));
  });

  test('a response body that stands still is cut on both sides', async (t) => {
    const { gate, upstream } = await startForwarding(t, undefined, { timeouts: { idleMs: 100 } });
    const client = gate.client().send(get());
    const connection = await (await upstream.connection()).untilHead();
    connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n');
    await client.untilOver();
    await connection.until(({ ended, closed }) => ended || closed);
    assert.doesNotMatch(client.received, /0\r\n\r\n$/);
  });

  test('a response body that moves, however slowly, is not', async (t) => {
    const { gate, upstream } = await startForwarding(t, undefined, { timeouts: { idleMs: 200 } });
    const client = gate.client().send(get());
    const connection = await (await upstream.connection()).untilHead();
    connection.write('HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n');
    for (let i = 0; i < 12; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      connection.write('x');
    }
    await client.untilText('x'.repeat(12));
  });

  test('an event stream may stand still', async (t) => {
    const { gate, upstream } = await startForwarding(t, undefined, { timeouts: { idleMs: 50 } });
    const client = gate.client().send(get());
    const connection = await (await upstream.connection()).untilHead();
    connection.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n');
    await client.untilText('text/event-stream');
    await new Promise((resolve) => setTimeout(resolve, 300));
    connection.write('data: late\n\n');
    await client.untilText('data: late');
  });

  test('a client whose upload stands still gets 408, and the upstream never a complete body', async (t) => {
    const { gate, upstream } = await startForwarding(t, undefined, { timeouts: { idleMs: 100 } });
    const client = gate.client().send(post('Transfer-Encoding: chunked')).send('4\r\npart\r\n');
    const connection = await upstream.connection();
    await connection.until(({ ended, closed }) => ended || closed);
    await client.untilText('408 Request Timeout');
    await client.until(({ ended }) => ended);
    assert.doesNotMatch(connection.received, /0\r\n\r\n$/);
    client.destroy();
    await until(() => gate.told.finished.length === 1);
    assert.deepEqual(gate.told.finished, [408]);
  });

  test('an upload is not ended by the limit for the response’s head while it moves', async (t) => {
    const { gate, upstream } = await startForwarding(t, undefined, {
      timeouts: { responseHeadMs: 100, idleMs: 5_000 },
    });
    const client = gate.client().send(post('Content-Length: 8'));
    for (let i = 0; i < 8; i++) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      client.send('x');
    }
    const connection = await upstream.connection();
    await connection.until(({ received }) => received.endsWith('xxxxxxxx'));
    connection.write(ok('done'));
    await client.untilText('done');
  });

  test('waiting for a response is no standing still of the upload before it', async (t) => {
    const { gate, upstream } = await startForwarding(t, undefined, { timeouts: { idleMs: 50 } });
    const client = gate.client().send(post('Content-Length: 4')).send('body');
    const connection = await upstream.connection();
    await connection.until(({ received }) => received.endsWith('body'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    connection.write(ok('done'));
    await client.untilText('done');
  });

  test('an upstream that takes no more of a body: timeout', async (t) => {
    const { gate, upstream } = await startForwarding(t, (connection) => connection.socket.pause(), {
      timeouts: { idleMs: 200 },
    });
    const client = gate.client().send(post('Content-Length: 100000000'));
    const more = (): void => {
      if (!client.closed && !client.received.includes('upstream_')) client.socket.write(Buffer.alloc(262_144), more);
    };
    more();
    await client.untilText('upstream_timeout');
    assert.equal(upstream.connections.length, 1);
  });

  test('a transfer that moves is activity, at most once a second; an event stream is none', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(get());
    const connection = await (await upstream.connection()).untilHead();
    connection.write('HTTP/1.1 200 OK\r\n\r\n');
    const ticking = setInterval(() => connection.write('x'), 20);
    await until(() => gate.told.activity >= 2);
    clearInterval(ticking);
    client.destroy();
    const stream = gate.client().send(get());
    const second = await (await upstream.connection(1)).untilHead();
    second.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n');
    await stream.untilText('event-stream');
    const before = gate.told.activity;
    const streaming = setInterval(() => second.write('data: x\n\n'), 20);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    clearInterval(streaming);
    assert.equal(gate.told.activity, before);
  });
});
