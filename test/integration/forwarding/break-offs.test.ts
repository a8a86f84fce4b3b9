// An upstream that breaks off inside a body.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { get, ok, post, startForwarding, until } from '../../support/forwarding/forwarding-test.ts';
import type { UpstreamConnection } from '../../support/forwarding/recording-upstream.ts';

/** A whole suite, on a busy machine. */
const TIMEOUT = { timeout: 60_000 };
const BY_LENGTH = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n';
const BY_CLOSE = 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\npart';

const ENDINGS: Record<string, (connection: UpstreamConnection) => void> = {
  FIN: ({ socket }) => socket.end(),
  reset: ({ socket }) => socket.resetAndDestroy(),
};

describe('an upstream that breaks off inside a body', TIMEOUT, () => {
  for (const [framing, text, ending] of [
    ['Content-Length', BY_LENGTH, 'FIN'],
    ['Content-Length', BY_LENGTH, 'reset'],
    ['chunked', CHUNKED, 'FIN'],
    ['chunked', CHUNKED, 'reset'],
    ['chunked, inside a chunk', CHUNKED.slice(0, -4), 'FIN'],
    ['ended by its connection', BY_CLOSE, 'reset'],
    ['ended by its connection, without Connection: close', BY_CLOSE.replace('Connection: close\r\n', ''), 'reset'],
  ] as const) {
    for (const version of ['1.1', '1.0']) {
      test(`${framing}, ${ending}: an HTTP/${version} client sees a cut, not a complete body`, async (t) => {
        const { gate, upstream } = await startForwarding(t);
        const client = gate.client().send(`GET / HTTP/${version}\r\nHost: h\r\n\r\n`);
        const connection = await (await upstream.connection()).untilHead();
        connection.write(text);
        await client.untilText('pa');
        ENDINGS[ending]!(connection);
        await client.untilOver();
        assert.doesNotMatch(client.received, /0\r\n\r\n$/);
        if (version === '1.0')
          await client.until(({ closed }) => closed).then(() => assert.equal(client.wasReset, true));
        await until(() => gate.told.finished.length === 1);
        assert.deepEqual(gate.told.failures, []);
      });
    }
  }

  test('all at once with its head: the client still sees a cut', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(get());
    const connection = await (await upstream.connection()).untilHead();
    connection.socket.end(BY_LENGTH);
    await client.untilOver();
    assert.doesNotMatch(client.received, /part.{96}/s);
  });

  test('a complete body by its length stays complete when a reset follows', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(get());
    const connection = await (await upstream.connection()).untilHead();
    connection.write(ok('complete', 'Connection: close'));
    await client.untilText('complete');
    connection.socket.resetAndDestroy();
    client.send(get());
    (await (await upstream.connection(1)).untilHead()).write(ok('next'));
    await client.untilText('next');
  });
});

describe('an upstream that gives no response', TIMEOUT, () => {
  for (const [title, text] of [
    ['closes at once', ''],
    ['closes inside the head', 'HTTP/1.1 200 OK\r\nContent-Le'],
  ] as const) {
    for (const ending of ['FIN', 'reset']) {
      test(`${title} with ${ending}: unreachable, once, and the client’s connection lives on`, async (t) => {
        const { gate, upstream } = await startForwarding(t);
        const client = gate.client().send(get());
        const connection = await (await upstream.connection()).untilHead();
        if (text !== '') await new Promise((resolve) => connection.socket.write(text, resolve));
        ENDINGS[ending]!(connection);
        await client.untilText('upstream_unreachable');
        assert.deepEqual(
          gate.told.failures.map(({ code }) => code),
          ['upstream_unreachable'],
        );
        client.send(get());
        (await (await upstream.connection(1)).untilHead()).write(ok('fine'));
        await client.untilText('fine');
        assert.deepEqual(gate.told.finished, [502, 200].slice(0, gate.told.finished.length));
      });
    }
  }

  test('refuses the connection: unreachable', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    await upstream.close();
    await gate.client().send(get()).untilText('upstream_unreachable');
    assert.match(gate.told.failures[0]!.why, /ECONNREFUSED/);
  });

  test('breaks off while it takes a body: unreachable, and never tried again', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(post('Content-Length: 100')).send('part');
    const connection = await upstream.connection();
    await connection.until(({ received }) => received.endsWith('part'));
    connection.socket.resetAndDestroy();
    await client.untilText('upstream_unreachable');
    assert.match(client.head, /\r\nConnection: close\r\n/);
    assert.equal(upstream.connections.length, 1);
  });
});
