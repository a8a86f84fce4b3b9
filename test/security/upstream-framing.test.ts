// A response that is no response.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { get, ok, post, startForwarding, until } from '../support/forwarding/forwarding-test.ts';
import { answering } from '../support/forwarding/recording-upstream.ts';

/** A whole suite, on a busy machine. */
const TIMEOUT = { timeout: 60_000 };

const INVALID_HEADS: Record<string, string> = {
  'Content-Length and Transfer-Encoding':
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n',
  'Transfer-Encoding and Content-Length':
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nhi\r\n0\r\n\r\n',
  'two different Content-Length': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!',
  'two equal Content-Length': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\nhi',
  'a list as Content-Length': 'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nhi',
  'a signed Content-Length': 'HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi',
  'a negative Content-Length': 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhi',
  'a hexadecimal Content-Length': 'HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nhi',
  'a Content-Length beyond 64 bits': 'HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551618\r\n\r\nhi',
  'an empty Content-Length': 'HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhi',
  'an unknown transfer coding': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n',
  'a coding behind chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n2\r\nhi\r\n0\r\n\r\n',
  'NUL in a header': 'HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nhi',
  'a bare CR in a header': 'HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: x=1\r\nContent-Length: 2\r\n\r\nhi',
  'a bare LF in a header': 'HTTP/1.1 200 OK\r\nX: a\nSet-Cookie: x=1\r\nContent-Length: 2\r\n\r\nhi',
  'bare LFs as line ends': 'HTTP/1.1 200 OK\nContent-Length: 2\n\nhi',
  'a folded header': 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nhi',
  'a blank before the colon': 'HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nhi',
  'no colon': 'HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 2\r\n\r\nhi',
  'an unrequested 101': 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'a 101 without Upgrade': 'HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi',
  'status 99': 'HTTP/1.1 099 X\r\nContent-Length: 2\r\n\r\nhi',
  'status 600': 'HTTP/1.1 600 X\r\nContent-Length: 2\r\n\r\nhi',
  'status 999': 'HTTP/1.1 999 X\r\nContent-Length: 2\r\n\r\nhi',
  'status 1000': 'HTTP/1.1 1000 X\r\nContent-Length: 2\r\n\r\nhi',
  'a flood of early hints': 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(2_000) + ok('hi'),
  'a flood of 100s': 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(2_000) + ok('hi'),
  'a head of 100 KiB': ok('hi', ...Array.from({ length: 1_000 }, (_, i) => `X-${i}: ${'y'.repeat(95)}`)),
  'another protocol': '220 smtp.example ESMTP\r\n',
};

describe('a response that is no response', TIMEOUT, () => {
  for (const [title, text] of Object.entries(INVALID_HEADS)) {
    test(`${title}: 502, nothing of it reflected, the connection not used again`, async (t) => {
      const { gate, upstream } = await startForwarding(t);
      const client = gate.client().send(get());
      const connection = await (await upstream.connection()).untilHead();
      connection.write(text);
      await client.untilText('upstream_');
      assert.match(client.received, /^HTTP\/1\.1 502 /);
      assert.match(client.body, /^upstream_invalid$/);
      assert.doesNotMatch(client.head, /Set-Cookie|Link|X:/);
      await connection.until(({ ended, closed }) => ended || closed);
      client.send(get('/next'));
      (await (await upstream.connection(1)).untilHead()).write(ok('fine'));
      await client.untilText('fine');
    });
  }

  test('a chunked body that loses its way after the head is cut', async (t) => {
    for (const [i, chunk] of [
      'zz\r\n',
      'FFFFFFFFFFFFFFFFF\r\n',
      '4\r\npartX\r\n',
      '-1\r\n',
      '4 \r\npart\r\n',
      '4\npart\n',
    ].entries()) {
      const { gate, upstream } = await startForwarding(t);
      const client = gate.client().send(get());
      const connection = await (await upstream.connection()).untilHead();
      connection.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n${chunk}`);
      await client.untilOver();
      assert.doesNotMatch(client.received, /0\r\n\r\n$/, `case ${i}`);
      await connection.until(({ ended, closed }) => ended || closed);
    }
  });
});

describe('bytes beyond a response’s end', TIMEOUT, () => {
  const POISON = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';
  for (const [title, method, text] of [
    ['behind Content-Length', 'GET', ok('first')],
    ['behind the last chunk', 'GET', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n'],
    ['behind a 204', 'GET', 'HTTP/1.1 204 No Content\r\nX: first\r\n\r\n'],
    ['behind a 304', 'GET', 'HTTP/1.1 304 Not Modified\r\nX: first\r\n\r\n'],
    ['behind a 204 with a length', 'GET', 'HTTP/1.1 204 No Content\r\nX: first\r\nContent-Length: 5\r\n\r\nfirst'],
    ['behind the head of a HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nX: first\r\nContent-Length: 50\r\n\r\n'],
  ] as const) {
    for (const delay of ['at once', 'a moment later']) {
      test(`${title}, ${delay}: never reach another request`, async (t) => {
        const { gate, upstream } = await startForwarding(t);
        const client = gate.client().send(`${method} / HTTP/1.1\r\nHost: h\r\n\r\n`);
        const connection = await (await upstream.connection()).untilHead();
        connection.write(delay === 'at once' ? text + POISON : text);
        await client.untilText('first');
        if (delay !== 'at once') connection.write(POISON);
        await connection.until(({ ended, closed }) => ended || closed);
        const other = gate.client().send(get('/other'));
        const second = await (await upstream.connection(1)).untilHead();
        assert.match(second.received, /^GET \/other /);
        second.write(ok('mine'));
        await other.untilText('mine');
        assert.doesNotMatch(client.received + other.received, /poison/);
      });
    }
  }

  test('a poison that waits in the kernel when the connection is used again is not taken for the answer', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(get());
    const connection = await (await upstream.connection()).untilHead();
    connection.write(ok('first'));
    await client.untilText('first');
    // Both in one turn: the poison arrives together with the next request.
    connection.write(POISON);
    client.send(get('/next'));
    const second = await upstream.connection(1);
    (await second.untilHead()).write(ok('clean'));
    await client.untilText('clean');
    assert.doesNotMatch(client.received, /poison/);
  });
});

describe('a user’s connection is nobody else’s', TIMEOUT, () => {
  for (const challenge of ['NTLM', 'Negotiate', 'Basic realm="x", negotiate', 'NTLM TlRMTVNTUAACAAAA']) {
    test(`WWW-Authenticate: ${challenge}: refused, and its connection destroyed (CVE-2026-88007)`, async (t) => {
      const { gate, upstream } = await startForwarding(
        t,
        answering(`HTTP/1.1 401 U\r\nWWW-Authenticate: ${challenge}\r\nContent-Length: 6\r\n\r\nsecret`),
      );
      const client = await gate.client().send(get()).untilText('upstream_ntlm');
      assert.doesNotMatch(client.received, /secret|WWW-Authenticate/i);
      const connection = await upstream.connection();
      await connection.until(({ ended, closed }) => ended || closed);
      assert.deepEqual(
        gate.told.failures.map(({ code }) => code),
        ['upstream_ntlm'],
      );
    });
  }

  test('a second of several challenges is seen too', async (t) => {
    const { gate } = await startForwarding(
      t,
      answering(
        'HTTP/1.1 401 U\r\nWWW-Authenticate: Basic realm="x"\r\nwww-authenticate: NTLM\r\nContent-Length: 0\r\n\r\n',
      ),
    );
    await gate.client().send(get()).untilText('upstream_ntlm');
  });
});

describe('a client’s framing', TIMEOUT, () => {
  test('a body that no header announces is never forwarded', async (t) => {
    const { gate, upstream } = await startForwarding(t, answering(ok('x')));
    const client = gate.client().send(`${get('/1')}GET /2 HTTP/1.1\r\nHost: h\r\n\r\n`);
    await client.until(({ received }) => received.split('\r\n\r\nx').length === 3);
    for (const { received } of upstream.connections) {
      assert.match(received, /^(?:GET \/[12] HTTP\/1\.1\r\n(?:[^\r]+\r\n)+\r\n)+$/);
    }
  });

  test('a body shorter than its Content-Length never looks complete', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(post('Content-Length: 10')).send('short');
    const connection = await upstream.connection();
    await connection.until(({ received }) => received.endsWith('short'));
    client.socket.end();
    await connection.until(({ ended, closed }) => ended || closed);
    assert.ok(connection.received.endsWith('short'));
    await until(() => gate.told.finished.length === 1);
  });

  test('bytes beyond a Content-Length are the next request, decided on its own', async (t) => {
    const { gate, upstream } = await startForwarding(t, answering(ok('x')));
    const client = gate.client().send(`${post('Content-Length: 4')}body${get('/next', 'X-Owner: other')}`);
    await client.until(({ received }) => received.split('\r\n\r\nx').length === 3);
    const all = upstream.connections.map(({ received }) => received).join('\n');
    assert.equal(all.split('POST / HTTP/1.1').length, 2);
    assert.equal(all.split('GET /next HTTP/1.1').length, 2);
  });

  test('a repeated Content-Length is refused before anything is sent', async (t) => {
    const { gate, upstream } = await startForwarding(t);
    const client = gate.client().send(post('Content-Length: 4', 'Content-Length: 4')).send('body');
    await client.until(({ ended, closed }) => ended || closed);
    assert.equal(upstream.connections.length, 0);
  });
});
