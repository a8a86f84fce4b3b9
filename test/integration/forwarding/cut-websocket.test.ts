// The end of a WebSocket’s owner.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startForwarding, until } from '../../support/forwarding/forwarding-test.ts';
import {
  accept,
  clientFrame,
  handshake,
  maskedClose,
  openTunnel,
  SESSION_ENDED_FRAME,
  serverFrame,
} from '../../support/forwarding/websocket-parts.ts';

/** A whole suite, on a busy machine. */
const TIMEOUT = { timeout: 60_000 };
const MINE = 'X-Owner: me';
const ONE = { requests: 0, streams: 0, websockets: 1 };
const SESSION_ENDED = { code: 1008, reason: 'session ended' };

describe('the end of a WebSocket’s owner', TIMEOUT, () => {
  test('at a boundary: 1008 session ended to both sides, masked towards the upstream', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const tunnel = await openTunnel(gate, upstream, MINE);
    tunnel.upstream.write(serverFrame('hello'));
    tunnel.client.send(clientFrame('hello'));
    await tunnel.client.untilText('hello');
    await tunnel.upstream.until(({ body }) => body === clientFrame('hello'));
    const closing = gate.end('me');
    await tunnel.client.until(({ body }) => body.endsWith(SESSION_ENDED_FRAME));
    assert.equal(tunnel.client.body, serverFrame('hello') + SESSION_ENDED_FRAME);
    await tunnel.upstream.until(({ body }) => maskedClose(body) !== undefined);
    assert.deepEqual(maskedClose(tunnel.upstream.body), SESSION_ENDED);
    tunnel.client.send('\x88\x82\0\0\0\0\x03\xf0');
    tunnel.upstream.write('\x88\x02\x03\xf0');
    assert.deepEqual(await closing, ONE);
    assert.equal(gate.registry.isLive('me'), false);
  });

  test('both sides answer the close: the connections end at once, without reset', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const tunnel = await openTunnel(gate, upstream, MINE);
    const began = performance.now();
    const closing = gate.end('me');
    await tunnel.client.untilText(SESSION_ENDED_FRAME);
    tunnel.client.send('\x88\x82\0\0\0\0\x03\xf0');
    await tunnel.upstream.until(({ body }) => maskedClose(body) !== undefined);
    tunnel.upstream.write('\x88\x02\x03\xf0');
    await closing;
    assert.ok(performance.now() - began < 900, 'it does not wait for the second');
    await tunnel.client.untilOver();
    assert.equal(tunnel.client.wasReset, false);
    await tunnel.upstream.until(({ ended }) => ended);
    assert.equal(tunnel.upstream.error, undefined);
  });

  test('sides that do not answer the close are gone after a second', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const tunnel = await openTunnel(gate, upstream, MINE);
    const began = performance.now();
    await gate.end('me');
    const took = performance.now() - began;
    assert.ok(took > 900 && took < 2_000, `${took} ms`);
    await tunnel.client.untilOver();
    assert.ok(tunnel.client.body.endsWith(SESSION_ENDED_FRAME));
  });

  test('inside a frame towards the client: that side is reset, the other gets its close frame', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const tunnel = await openTunnel(gate, upstream, MINE);
    tunnel.upstream.write(serverFrame('x'.repeat(1_000)).slice(0, 500));
    await tunnel.client.until(({ body }) => body.length === 500);
    const closing = gate.end('me');
    await tunnel.client.until(({ closed }) => closed);
    assert.equal(tunnel.client.wasReset, true);
    assert.equal(tunnel.client.body.length, 500);
    await tunnel.upstream.until(({ body }) => maskedClose(body) !== undefined);
    tunnel.upstream.socket.end();
    await closing;
  });

  test('inside a frame towards the upstream: that side is reset, the other gets its close frame', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const tunnel = await openTunnel(gate, upstream, MINE);
    tunnel.client.send(clientFrame('x'.repeat(1_000)).slice(0, 3));
    await tunnel.upstream.until(({ body }) => body.length === 3);
    const closing = gate.end('me');
    await tunnel.upstream.until(({ closed }) => closed);
    assert.equal((tunnel.upstream.error as { code?: string } | undefined)?.code, 'ECONNRESET');
    assert.equal(tunnel.upstream.body.length, 3);
    await tunnel.client.untilText(SESSION_ENDED_FRAME);
    tunnel.client.socket.end();
    await closing;
  });

  test('with bytes queued for a slow client: reset, and none of them sent later', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const tunnel = await openTunnel(gate, upstream, MINE);
    tunnel.client.socket.pause();
    const frame = Buffer.from(serverFrame('x'.repeat(60_000)), 'latin1');
    while (tunnel.upstream.socket.write(frame));
    const [connection] = gate.registry.find('me')!.connections();
    for (let i = 0; i < 1_000 && !connection!.hasBacklog(); i++) {
      while (!tunnel.upstream.socket.writableNeedDrain) tunnel.upstream.socket.write(frame);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(connection!.hasBacklog(), true);
    const closing = gate.end('me');
    tunnel.client.socket.resume();
    await tunnel.client.until(({ closed }) => closed);
    assert.equal(tunnel.client.wasReset, true);
    assert.doesNotMatch(tunnel.client.body.slice(-100), /session ended/);
    tunnel.upstream.socket.destroy();
    await closing;
  });

  test('nothing passes in either direction after the stop, even before the close', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const tunnel = await openTunnel(gate, upstream, MINE);
    const owner = gate.registry.stop('me')!;
    tunnel.upstream.write(serverFrame('late'));
    tunnel.client.send(clientFrame('late'));
    await tunnel.client.untilText(SESSION_ENDED_FRAME);
    await tunnel.upstream.until(({ body }) => maskedClose(body) !== undefined);
    assert.equal(tunnel.client.body, SESSION_ENDED_FRAME);
    assert.equal(tunnel.upstream.body.length, 4 + SESSION_ENDED_FRAME.length);
    tunnel.client.destroy();
    tunnel.upstream.socket.destroy();
    await gate.registry.close([owner]);
  });

  test('a side that has said close already gets no second one', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const tunnel = await openTunnel(gate, upstream, MINE);
    tunnel.upstream.write('\x88\x02\x03\xe8');
    await tunnel.client.until(({ body }) => body === '\x88\x02\x03\xe8');
    const closing = gate.end('me');
    await tunnel.client.untilOver();
    assert.equal(tunnel.client.body, '\x88\x02\x03\xe8');
    tunnel.upstream.socket.destroy();
    await closing;
  });

  test('a handshake that waits for the upstream: 401, nothing tunnelled, the upstream’s connection destroyed', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(handshake(MINE));
    const connection = await (await upstream.connection()).untilHead();
    const closing = gate.end('me');
    await client.untilOver();
    assert.match(client.received, /^HTTP\/1\.1 401 /);
    await connection.until(({ ended, closed }) => ended || closed);
    assert.deepEqual(await closing, ONE);
    assert.deepEqual(gate.told.finished, [401]);
  });

  test('a 101 that arrives after the stop opens nothing, even before the close', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(handshake(MINE) + clientFrame('early'));
    const connection = await (await upstream.connection()).untilHead();
    const owner = gate.registry.stop('me')!;
    connection.write(accept() + serverFrame('secret'));
    await client.untilOver();
    assert.match(client.received, /^HTTP\/1\.1 401 /);
    assert.equal(connection.body, '');
    await gate.registry.close([owner]);
  });

  test('a shutdown says 1001 going away', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const tunnel = await openTunnel(gate, upstream);
    const closing = gate.registry.shutDown();
    await tunnel.client.untilText('going away');
    assert.ok(tunnel.client.body.endsWith('\x88\x0c\x03\xe9going away'));
    await tunnel.upstream.until(({ body }) => maskedClose(body) !== undefined);
    assert.deepEqual(maskedClose(tunnel.upstream.body), { code: 1001, reason: 'going away' });
    tunnel.client.destroy();
    tunnel.upstream.socket.destroy();
    assert.deepEqual(await closing, ONE);
  });

  test('five hundred sockets: every one is told, on both ends', { timeout: 30_000 }, async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const tunnels = [];
    for (let i = 0; i < 500; i++) tunnels.push(await openTunnel(gate, upstream, MINE));
    const closing = gate.end('me');
    for (const { client, upstream: side } of tunnels) {
      await client.untilText(SESSION_ENDED_FRAME);
      await side.until(({ body }) => maskedClose(body) !== undefined);
      client.socket.end();
      side.socket.end();
    }
    assert.deepEqual(await closing, { ...ONE, websockets: 500 });
    await until(() => gate.registry.totals().websockets === 0);
  });
});
