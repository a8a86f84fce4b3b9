// The end of an owner.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { fill, get, ok, post, startForwarding, until } from '../../support/forwarding/forwarding-test.ts';

/** A whole suite, on a busy machine. */
const TIMEOUT = { timeout: 60_000 };
const MINE = 'X-Owner: me';
const NOTHING = { requests: 0, streams: 0, websockets: 0 };

describe('the end of an owner', TIMEOUT, () => {
  test('a request that waits for its response: 401 with Connection: close, the upstream’s connection destroyed', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(get('/', MINE));
    const connection = await (await upstream.connection()).untilHead();
    assert.deepEqual(await gate.end('me'), { ...NOTHING, requests: 1 });
    await client.untilOver();
    assert.match(client.received, /^HTTP\/1\.1 401 /);
    assert.match(client.head, /\r\nConnection: close\r\n/);
    await connection.until(({ ended, closed }) => ended || closed);
    assert.deepEqual(gate.told, { failures: [], finished: [401], ended: 1, activity: 0 });
  });

  test('a response head that arrives after the stop is not passed on, even before the close', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(get('/', MINE));
    const connection = await (await upstream.connection()).untilHead();
    gate.registry.stop('me');
    connection.write(ok('secret'));
    await client.untilOver();
    assert.match(client.received, /^HTTP\/1\.1 401 /);
    assert.doesNotMatch(client.received, /secret/);
  });

  for (const [framing, head] of [
    ['chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n'],
    ['by length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart'],
    ['ended by its connection', 'HTTP/1.1 200 OK\r\n\r\npart'],
    ['an event stream', 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\npart'],
  ] as const) {
    for (const version of ['1.1', '1.0']) {
      test(`a response (${framing}) to an HTTP/${version} client ends visibly incomplete`, async (t) => {
        const { gate, upstream } = await startForwarding(t);
        const client = gate.client().send(`GET / HTTP/${version}\r\nHost: h\r\n${MINE}\r\n\r\n`);
        const connection = await (await upstream.connection()).untilHead();
        connection.write(head);
        await client.untilText('part');
        const stream = framing === 'an event stream';
        assert.deepEqual(await gate.end('me'), { requests: stream ? 0 : 1, streams: stream ? 1 : 0, websockets: 0 });
        await client.untilOver();
        assert.doesNotMatch(client.received, /0\r\n\r\n$/);
        if (version === '1.0')
          await client.until(({ closed }) => closed).then(() => assert.equal(client.wasReset, true));
        await connection.until(({ ended, closed }) => ended || closed);
        assert.equal(gate.told.ended, 0);
      });
    }
  }

  test('nothing that the upstream sends after the stop reaches the client, even before the close', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(get('/', MINE));
    const connection = await (await upstream.connection()).untilHead();
    connection.write('HTTP/1.1 200 OK\r\n\r\nbefore');
    await client.untilText('before');
    gate.registry.stop('me');
    connection.write('after');
    await client.untilOver();
    assert.doesNotMatch(client.received, /after/);
  });

  test('bytes queued for a slow client are never sent after the stop', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const accepted = once(gate.server, 'connection');
    const client = gate.client();
    client.socket.pause();
    client.send(get('/', MINE));
    const [gateSocket] = (await accepted) as [Socket];
    const { socket } = await (await upstream.connection()).untilHead();
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${64 * 1024 * 1024}\r\n\r\n`);
    socket.write(Buffer.alloc(64 * 1024 * 1024));
    const owner = gate.registry.find('me')!;
    await until(() => [...owner.connections()][0]!.hasBacklog());
    await until(() => socket.writableNeedDrain);
    const closing = gate.end('me');
    assert.equal(gateSocket.destroyed, true, 'before anything else can run');
    await closing;
    client.socket.resume();
    await client.untilOver();
    assert.ok(client.received.length < 64 * 1024 * 1024);
  });

  test('an upload: the upstream never sees a complete body, the client gets 401', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(post(MINE, 'Transfer-Encoding: chunked')).send('4\r\npart\r\n');
    const connection = await upstream.connection();
    await connection.until(({ received }) => received.includes('part'));
    const closing = gate.end('me');
    client.send('0\r\n\r\n');
    assert.deepEqual(await closing, { ...NOTHING, requests: 1 });
    await connection.until(({ ended, closed }) => ended || closed);
    assert.doesNotMatch(connection.received, /0\r\n\r\n$/);
    await client.untilOver();
    assert.match(client.received, /^HTTP\/1\.1 401 /);
  });

  test('nothing of an upload reaches the upstream after the stop, even before the close', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(post(MINE, 'Content-Length: 8')).send('part');
    const connection = await upstream.connection();
    await connection.until(({ received }) => received.includes('part'));
    const owner = gate.registry.stop('me')!;
    client.send('rest');
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(connection.received.endsWith('part'));
    await gate.registry.close([owner]);
    await connection.until(({ ended, closed }) => ended || closed);
    assert.ok(connection.received.endsWith('part'));
  });

  test('the end of a chunked upload does not reach the upstream after the stop', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(post(MINE, 'Transfer-Encoding: chunked')).send('4\r\npart\r\n');
    const connection = await upstream.connection();
    await connection.until(({ received }) => received.includes('part'));
    const owner = gate.registry.stop('me')!;
    client.send('0\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.doesNotMatch(connection.received, /0\r\n\r\n$/);
    await gate.registry.close([owner]);
  });

  test('a request that was admitted and not yet forwarded is answered 401 and never sent', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const owner = gate.registry.owner('me');
    owner.stop();
    // The door fetched this owner before the stop.
    gate.registry.owner = () => owner;
    const client = await gate.client().send(get('/', MINE)).untilOver();
    assert.match(client.received, /^HTTP\/1\.1 401 /);
    assert.equal(upstream.connections.length, 0);
  });

  test('another owner’s connections, and idle ones, are untouched', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const idle = gate.client().send(get('/', MINE));
    (await (await upstream.connection()).untilHead()).write(ok('idle'));
    await idle.untilText('idle');
    const other = gate.client().send(get('/', 'X-Owner: other'));
    const theirs = await upstream.connection(0);
    await theirs.until(({ received }) => received.split('GET /').length === 3);
    const mine = gate.client().send(get('/', MINE));
    await (await upstream.connection(1)).untilHead();
    await gate.end('me');
    await mine.untilOver();
    theirs.write(ok('still here'));
    await other.untilText('still here');
    idle.send(get());
    await theirs.until(({ received }) => received.split('GET /').length === 4);
    theirs.write(ok('idle again'));
    await idle.untilText('idle again');
  });

  test('a 401 that a client does not take is not waited for', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client();
    client.socket.pause();
    // The first response fills the connection; the 401 of the second stands behind it.
    client.send(get('/first') + get('/second', MINE));
    const { socket } = await (await upstream.connection()).untilHead();
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    await fill(socket, 64 * 1024 * 1024);
    await (await upstream.connection(1)).untilHead();
    const began = performance.now();
    await gate.end('me');
    assert.ok(performance.now() - began < 3_000);
  });

  test('a thousand streams end, and the loop stays free meanwhile', { timeout: 30_000 }, async (t) => {
    const { gate } = await startForwarding(t, (connection) => {
      void connection
        .untilHead()
        .then(() => connection.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n'));
    });
    const clients = Array.from({ length: 1_000 }, () => gate.client().send(get('/', MINE)));
    for (const client of clients) await client.untilText('data: 1');
    assert.deepEqual(await gate.end('me'), { ...NOTHING, streams: 1_000 });
    for (const client of clients) await client.untilOver();
    await until(() => gate.told.finished.length === 1_000);
  });
});
