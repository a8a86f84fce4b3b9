// An upgrade is no way around the gate.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fill, get, ok, startForwarding, until } from '../support/forwarding/forwarding-test.ts';
import { answering } from '../support/forwarding/recording-upstream.ts';
import { handshake } from '../support/forwarding/websocket-parts.ts';

/** A whole suite, on a busy machine. */
const TIMEOUT = { timeout: 60_000 };
/** More than the kernel's and our own buffers hold. */
const MUCH = 64 * 1024 * 1024;

describe('an upgrade is no way around the gate', TIMEOUT, () => {
  test('an upstream that takes an h2c upgrade it never saw gets no tunnel (CVE-2026-88008)', async (t) => {
    const { gate, upstream } = await startForwarding(
      t,
      answering('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'),
    );
    const client = gate
      .client()
      .send(get('/', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'));
    await client.untilText('upstream_invalid');
    client.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    await client.until(({ ended, closed }) => ended || closed);
    const { received } = await upstream.connection();
    assert.doesNotMatch(received, /PRI|upgrade|http2-settings/i);
  });

  test('a request hidden behind a handshake never reaches the upstream without a 101 (CVE-2026-73548)', async (t) => {
    const { gate, upstream } = await startForwarding(t, answering(ok('refused')));
    const client = gate.client().send(handshake() + get('/hidden', 'X-Forwarded-User: admin'));
    await client.untilText('refused');
    await client.until(({ ended, closed }) => ended || closed);
    const connection = await upstream.connection();
    await connection.until(({ ended, closed }) => ended || closed);
    assert.ok(!upstream.connections.some(({ received }) => received.includes('/hidden')));
  });

  test('a socket that was refused an upgrade is not used for another request', async (t) => {
    const { gate, upstream } = await startForwarding(t, answering(ok('refused', 'Connection: keep-alive')));
    const client = gate.client().send(handshake());
    await client.untilText('refused');
    client.send(get('/second'));
    await client.until(({ ended, closed }) => ended || closed);
    await gate.client().send(get('/third')).untilText('refused');
    assert.equal(upstream.connections.length, 2);
    assert.ok(!upstream.connections.some(({ received }) => received.includes('/second')));
  });

  test('what a client floods before the 101 is bounded', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(handshake());
    const connection = await (await upstream.connection()).untilHead();
    const taken = await fill(client.socket, MUCH);
    assert.ok(taken < MUCH, `${taken} bytes went somewhere`);
    assert.equal(connection.body, '');
    client.destroy();
    await connection.until(({ ended, closed }) => ended || closed);
    await until(() => gate.told.finished.length === 1);
  });
});
