// The gate’s own calls.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { createOutboundFetch } from '../../../src/proxy/outbound-fetch.ts';
import { selfSignedCertificate } from '../../support/self-signed-certificate.ts';

const UNAVAILABLE = { code: 'provider_unavailable', status: 503 };

async function serve(context: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('the gate’s own calls', { timeout: 30_000 }, () => {
  const fetch = createOutboundFetch({ timeoutMs: 5_000, maxBytes: 1_000 });

  test('an answer arrives whole, with status, headers and body', async (t) => {
    const origin = await serve(t, (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        response.writeHead(201, { 'X-Method': request.method, 'Content-Type': 'application/json' });
        response.end(JSON.stringify({ got: Buffer.concat(chunks).toString(), auth: request.headers.authorization }));
      });
    });
    const answer = await fetch(`${origin}/token`, {
      method: 'POST',
      headers: { Authorization: 'Basic x' },
      body: new URLSearchParams({ a: 'b' }),
    });
    assert.equal(answer.status, 201);
    assert.equal(answer.headers.get('x-method'), 'POST');
    assert.deepEqual(await answer.json(), { got: 'a=b', auth: 'Basic x' });
    const asked = new Request(`${origin}/token`, { method: 'PUT', headers: { Authorization: 'Basic y' }, body: 'c' });
    const second = await fetch(asked);
    assert.equal(second.headers.get('x-method'), 'PUT');
    assert.deepEqual(await second.json(), { got: 'c', auth: 'Basic y' });
  });

  test('a kept connection that is closed when it is used again costs nothing that may be asked twice', async (t) => {
    const sockets = new Set<unknown>();
    let resets = 0;
    const origin = await serve(t, (request, response) => {
      if (sockets.has(request.socket)) {
        resets++;
        request.socket.resetAndDestroy();
        return;
      }
      sockets.add(request.socket);
      response.end('fresh');
    });
    const idle = () => new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(await (await fetch(origin)).text(), 'fresh');
    await idle();
    assert.equal(await (await fetch(origin)).text(), 'fresh');
    assert.equal(resets, 1);
    await idle();
    await assert.rejects(fetch(origin, { method: 'POST', body: 'code=once' }), UNAVAILABLE);
    assert.equal(resets, 2);
  });

  test('a redirect is an answer, not a command', async (t) => {
    let asked = 0;
    const origin = await serve(t, (_request, response) => {
      asked++;
      response.writeHead(302, { Location: '/elsewhere' }).end();
    });
    const answer = await fetch(origin);
    assert.equal(answer.status, 302);
    assert.equal(asked, 1);
  });

  test('204 and 304 have no body', async (t) => {
    for (const status of [204, 304]) {
      const origin = await serve(t, (_request, response) => response.writeHead(status).end());
      const answer = await fetch(origin);
      assert.equal(answer.status, status);
      assert.equal(await answer.text(), '');
    }
  });

  test('a body beyond the bound is refused, by its length or when it gets there', async (t) => {
    const declared = await serve(t, (_request, response) => response.end('x'.repeat(1_001)));
    await assert.rejects(fetch(declared), UNAVAILABLE);
    const endless = await serve(t, (_request, response) => {
      const timer = setInterval(() => response.write('x'.repeat(300)), 1);
      response.on('close', () => clearInterval(timer));
    });
    await assert.rejects(fetch(endless), UNAVAILABLE);
    const bomb = await serve(t, (_request, response) => {
      response.writeHead(200, { 'Content-Encoding': 'gzip' });
      void import('node:zlib').then(({ gzipSync }) => response.end(gzipSync('x'.repeat(10_000_000))));
    });
    await assert.rejects(fetch(bomb), UNAVAILABLE);
    const just = await serve(t, (_request, response) => response.end('x'.repeat(1_000)));
    assert.equal((await (await fetch(just)).text()).length, 1_000);
  });

  test('the deadline is for the whole call: connection, head and body', async (t) => {
    const quick = createOutboundFetch({ timeoutMs: 150 });
    const silent = await serve(t, () => {});
    await assert.rejects(quick(silent), UNAVAILABLE);
    const dripping = await serve(t, (_request, response) => {
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    });
    await assert.rejects(quick(dripping), { ...UNAVAILABLE, message: /150 ms/ });
  });

  test('an abort by the caller is an abort', async (t) => {
    const silent = await serve(t, () => {});
    await assert.rejects(fetch(silent, { signal: AbortSignal.abort() }), UNAVAILABLE);
  });

  test('nobody there, or a connection that breaks off', async (t) => {
    const gone = createServer();
    await once(gone.listen(0, '127.0.0.1'), 'listening');
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`), { ...UNAVAILABLE, message: /ECONNREFUSED/ });
    const broken = await serve(t, (request, response) => {
      response.writeHead(200, { 'Content-Length': 100 });
      response.write('part', () => request.socket.destroy());
    });
    await assert.rejects(fetch(broken), UNAVAILABLE);
  });

  test('a private authority is believed where it is given, and not otherwise', async (t) => {
    const { certPem, keyPem } = selfSignedCertificate();
    const server = createTlsServer({ cert: certPem, key: keyPem }, (_request, response) => response.end('secure'));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    t.after(() => server.close());
    const url = `https://localhost:${(server.address() as AddressInfo).port}/`;
    await assert.rejects(fetch(url), { ...UNAVAILABLE, message: /self.signed|certificate/i });
    const believing = createOutboundFetch({ caPem: certPem, timeoutMs: 5_000 });
    assert.equal(await (await believing(url)).text(), 'secure');
    server.closeAllConnections();
  });
});
