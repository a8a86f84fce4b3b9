// A WebSocket handshake.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fill, get, ok, startForwarding, until } from '../../support/forwarding/forwarding-test.ts';
import {
  accept,
  clientFrame,
  handshake,
  KEY,
  openTunnel,
  PING,
  serverFrame,
} from '../../support/forwarding/websocket-parts.ts';

/** A whole suite, on a busy machine. */
const TIMEOUT = { timeout: 60_000 };
/** More than the kernel's and our own buffers hold. */
const MUCH = 64 * 1024 * 1024;

describe('a WebSocket handshake', TIMEOUT, () => {
  test('reaches the upstream with the client’s target and headers, ours added, hop-by-hop ones replaced', async (t) => {
    const { gate, upstream } = await startForwarding(t, undefined, { identity: ['X-Forwarded-User', 'ada'] });
    const spoofed = [
      'X-Forwarded-User: admin',
      'x_forwarded_user: admin',
      'OIDC_CLAIM_sub: admin',
      'Connection: X-Custom',
      'X-Custom: 1',
    ];
    gate.client().send(handshake('Sec-WebSocket-Protocol: chat', 'Cookie: a=1; __Host-portcullis=secret', ...spoofed));
    const { head } = await (await upstream.connection()).untilHead();
    const lines = head.trimEnd().split('\r\n');
    assert.equal(lines[0], 'GET /socket?x=1 HTTP/1.1');
    for (const line of [
      `Host: ${gate.upstream.host}`,
      `Sec-WebSocket-Key: ${KEY}`,
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Protocol: chat',
      'Cookie: a=1',
      'X-Forwarded-User: ada',
      'X-Forwarded-Proto: https',
      'Connection: Upgrade',
      'Upgrade: websocket',
    ]) {
      assert.equal(lines.filter((other) => other === line).length, 1, line);
    }
    assert.doesNotMatch(head, /admin|secret|X-Custom|keep-alive/i);
  });

  test('the upstream’s 101 reaches the client with its headers', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(handshake());
    (await (await upstream.connection()).untilHead()).write(
      accept(
        'sec-websocket-protocol: chat',
        'Set-Cookie: a=1',
        'Set-Cookie: __Host-portcullis=evil',
        'Keep-Alive: timeout=5',
      ),
    );
    await client.untilText('\r\n\r\n');
    const lines = client.head.split('\r\n');
    assert.equal(lines[0], 'HTTP/1.1 101 Switching Protocols');
    for (const line of [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'sec-websocket-protocol: chat',
      'Set-Cookie: a=1',
    ]) {
      assert.equal(lines.filter((other) => other === line).length, 1, line);
    }
    assert.doesNotMatch(client.head, /evil|Keep-Alive/);
    assert.deepEqual(gate.told.finished, [101]);
  });

  test('frames that the client sends early reach the upstream after its 101, not before', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(handshake() + clientFrame('early'));
    const connection = await (await upstream.connection()).untilHead();
    client.send(clientFrame('also early'));
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(connection.body, '');
    connection.write(accept());
    await connection.until(({ body }) => body === clientFrame('early') + clientFrame('also early'));
  });

  test('frames that the upstream sends right behind its 101 are not lost', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(handshake());
    (await (await upstream.connection()).untilHead()).write(accept() + serverFrame('early'));
    await client.untilText(serverFrame('early'));
    assert.equal(client.body, serverFrame('early'));
  });

  for (const [title, answer] of [
    ['a 403 with a length', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nX-Why: no\r\n\r\nno'],
    [
      'a chunked 426',
      'HTTP/1.1 426 Upgrade Required\r\nTransfer-Encoding: chunked\r\nX-Why: no\r\n\r\n2\r\nno\r\n0\r\n\r\n',
    ],
    ['a 302', 'HTTP/1.1 302 Found\r\nLocation: /login\r\nX-Why: no\r\nContent-Length: 2\r\n\r\nno'],
    ['a 200', 'HTTP/1.1 200 OK\r\nX-Why: no\r\nContent-Length: 2\r\n\r\nno'],
  ] as const) {
    test(`${title} instead of a 101 reaches the client whole, and its connection ends`, async (t) => {
      const { gate, upstream } = await startForwarding(t);
      const client = gate.client().send(handshake('X-Owner: me'));
      const connection = await (await upstream.connection()).untilHead();
      connection.write(answer);
      await client.until(({ ended }) => ended);
      assert.equal(client.head.split('\r\n')[0], answer.split('\r\n')[0]);
      assert.match(client.head, /\r\nX-Why: no\r\n/);
      assert.match(client.head, /\r\nConnection: close\r\n/);
      assert.match(client.body, /no(?:\r\n0\r\n\r\n)?$/);
      await connection.until(({ ended, closed }) => ended || closed);
      client.socket.end();
      await until(() => gate.told.finished.length === 1);
      assert.equal(gate.registry.isLive('me'), false);
    });
  }

  test('an answer that breaks off is seen as broken off', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    for (const [i, head] of [
      'HTTP/1.1 403 No\r\nContent-Length: 100\r\n\r\npart',
      'HTTP/1.1 403 No\r\n\r\npart',
    ].entries()) {
      const client = gate.client().send(handshake());
      const connection = await (await upstream.connection(i)).untilHead();
      connection.write(head);
      await client.untilText('part');
      connection.socket.resetAndDestroy();
      await client.untilOver();
      assert.doesNotMatch(client.received, /0\r\n\r\n$/);
    }
  });

  for (const [title, answer] of [
    ['no Sec-WebSocket-Accept', 'HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'],
    [
      'a wrong Sec-WebSocket-Accept',
      'HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n',
    ],
    ['another protocol', accept().replace('Upgrade: websocket', 'Upgrade: h2c')],
    ['two Sec-WebSocket-Accept', accept('Sec-WebSocket-Accept: AAAA')],
  ] as const) {
    test(`a 101 with ${title} is no WebSocket: 502`, async (t) => {
      const { gate, upstream } = await startForwarding(t);
      const client = gate.client().send(handshake() + clientFrame('GET /smuggled'));
      const connection = await (await upstream.connection()).untilHead();
      connection.write(answer + serverFrame('x'));
      await client.untilText('upstream_invalid');
      await connection.until(({ ended, closed }) => ended || closed);
      assert.equal(connection.body, '');
      assert.match(client.received, /^HTTP\/1\.1 502 /);
    });
  }

  test('an upstream that answers nonsense, or nothing, or is not there', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const garbage = gate.client().send(handshake());
    (await (await upstream.connection(0)).untilHead()).write('SSH-2.0-x\r\n\r\n');
    await garbage.untilText('upstream_invalid');
    const nothing = gate.client().send(handshake());
    (await (await upstream.connection(1)).untilHead()).socket.end();
    await nothing.untilText('upstream_unreachable');
    await upstream.close();
    await gate.client().send(handshake()).untilText('upstream_unreachable');
    assert.equal(gate.told.failures.length, 3);
  });

  test('an upstream that does not answer in time', async (t) => {
    const { gate, upstream } = await startForwarding(t, undefined, { timeouts: { responseHeadMs: 50 } });
    const client = gate.client().send(handshake());
    const connection = await upstream.connection();
    await client.untilText('upstream_timeout');
    await connection.until(({ ended, closed }) => ended || closed);
  });

  test('a client that goes away while it waits: the upstream’s connection is destroyed', async (t) => {
    for (const how of ['end', 'reset'] as const) {
      const { gate, upstream } = await startForwarding(t);
      const client = gate.client().send(handshake('X-Owner: me'));
      const connection = await (await upstream.connection()).untilHead();
      if (how === 'end') client.socket.end();
      else client.socket.resetAndDestroy();
      await connection.until(({ ended, closed }) => ended || closed);
      await until(() => gate.told.finished.length === 1);
      assert.deepEqual(gate.told, { failures: [], finished: [499], ended: 0, activity: 0 });
      assert.equal(gate.registry.isLive('me'), false);
    }
  });

  for (const key of ['', 'c2hvcnQ=', `${KEY}\r\nSec-WebSocket-Key: ${KEY}`]) {
    test(`a Sec-WebSocket-Key that is none (${JSON.stringify(key.slice(0, 8))}…) is refused before the upstream hears of it`, async (t) => {
      const { gate, upstream } = await startForwarding(t);
      const client = gate.client().send(handshake().replace(KEY, key));
      await client.untilText('HTTP/1.1 400 ');
      assert.equal(upstream.connections.length, 0);
    });
  }

  test('interim responses before the answer are swallowed, a flood of them is not', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(handshake());
    (await (await upstream.connection()).untilHead()).write(`HTTP/1.1 103 Early Hints\r\n\r\n${accept()}`);
    await client.untilText('101 Switching');
    const flooded = gate.client().send(handshake());
    (await (await upstream.connection(1)).untilHead()).write('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(2_000));
    await flooded.untilText('upstream_invalid');
  });
});

describe('an open WebSocket', TIMEOUT, () => {
  test('carries bytes both ways unchanged', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const tunnel = await openTunnel(gate, upstream);
    const big = 'x'.repeat(60_000);
    tunnel.client.send(clientFrame('a') + clientFrame(big));
    await tunnel.upstream.until(({ body }) => body === clientFrame('a') + clientFrame(big));
    tunnel.upstream.write(serverFrame('b') + serverFrame(big));
    await tunnel.client.until(({ body }) => body === serverFrame('b') + serverFrame(big));
  });

  test('holds the sender up where the other side is slow, in both directions', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    for (const direction of ['to the client', 'to the upstream']) {
      const tunnel = await openTunnel(gate, upstream);
      const [from, to] =
        direction === 'to the client' ? [tunnel.upstream, tunnel.client] : [tunnel.client, tunnel.upstream];
      to.socket.pause();
      const taken = await fill(from.socket, MUCH);
      assert.ok(taken < MUCH, `${direction}: ${taken} bytes went somewhere`);
      to.socket.resume();
      await (to as typeof tunnel.client).until(({ received }) => received.length > taken + 256 * 1024);
    }
  });

  test('a side that ends its half: the other hears it, and may still finish', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const tunnel = await openTunnel(gate, upstream, 'X-Owner: me');
    tunnel.client.socket.end(clientFrame('last'), 'latin1');
    await tunnel.upstream.until(({ ended }) => ended);
    assert.equal(tunnel.upstream.body, clientFrame('last'));
    tunnel.upstream.write(serverFrame('answer'));
    await tunnel.client.untilText('answer');
    tunnel.upstream.socket.end();
    await tunnel.client.until(({ ended }) => ended);
    await until(() => !gate.registry.isLive('me'));
  });

  for (const side of ['client', 'upstream'] as const) {
    test(`a reset of the ${side} reaches the other side`, async (t) => {
      const { gate, upstream } = await startForwarding(t);
      const tunnel = await openTunnel(gate, upstream, 'X-Owner: me');
      tunnel[side].socket.resetAndDestroy();
      const other = side === 'client' ? tunnel.upstream : tunnel.client;
      await (other as typeof tunnel.client).until(({ closed }) => closed);
      await until(() => !gate.registry.isLive('me'));
    });
  }

  test('the client’s data is activity, at most once a second; pings, and what the upstream sends, are none', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const tunnel = await openTunnel(gate, upstream);
    tunnel.upstream.write(serverFrame('x'));
    tunnel.client.send(PING);
    await tunnel.upstream.until(({ body }) => body === PING);
    assert.equal(gate.told.activity, 0);
    for (let i = 0; i < 10; i++) tunnel.client.send(clientFrame('x'));
    await tunnel.upstream.until(({ body }) => body.length === PING.length + 10 * clientFrame('x').length);
    assert.equal(gate.told.activity, 1);
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    tunnel.client.send(clientFrame('x'));
    await until(() => gate.told.activity === 2);
  });

  test('an idle limit ends it with 1001 where nothing passes, and not while something does', async (t) => {
    const { gate, upstream } = await startForwarding(t, undefined, { websocketIdleMs: 150 });
    const tunnel = await openTunnel(gate, upstream);
    for (let i = 0; i < 6; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      tunnel.upstream.write(serverFrame('x'));
    }
    assert.equal(tunnel.client.ended, false);
    await tunnel.client.untilText('idle timeout');
    assert.ok(tunnel.client.body.endsWith('\x88\x0e\x03\xe9idle timeout'));
  });

  test('counts as a WebSocket from the handshake to its end', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(handshake('X-Owner: me'));
    const connection = await (await upstream.connection()).untilHead();
    assert.deepEqual(gate.registry.find('me')?.counts(), { requests: 0, streams: 0, websockets: 1 });
    connection.write(accept());
    await until(() => gate.told.finished.length === 1);
    assert.deepEqual(gate.registry.find('me')?.counts(), { requests: 0, streams: 0, websockets: 1 });
    connection.socket.destroy();
    await client.untilOver();
    await until(() => !gate.registry.isLive('me'));
  });

  test('a side that has ended its half is not waited for by the other for ever', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const tunnel = await openTunnel(gate, upstream, 'X-Owner: me');
    tunnel.upstream.socket.end();
    await tunnel.client.until(({ ended }) => ended);
    // The client keeps its half open.
    await until(() => !gate.registry.isLive('me'));
  });

  test('plain requests are served beside it', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    await openTunnel(gate, upstream);
    const client = gate.client().send(get());
    (await (await upstream.connection(1)).untilHead()).write(ok('plain'));
    await client.untilText('plain');
  });
});
