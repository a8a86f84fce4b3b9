// Calls that the gate makes to an application by itself: bounded, whatever the application does.

import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { createServer } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { Upstream } from '../../../src/proxy/upstream.ts';
import { createUpstreamFetch } from '../../../src/proxy/upstream-fetch.ts';

/** An application that answers every request with `parts`, a chunk after the other; undefined: silence. */
async function call(t: TestContext, parts: string[] | undefined, signal?: AbortSignal): Promise<number | string> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      for (const part of parts ?? []) socket.write(part);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as { port: number };
  const origin = new URL(`http://127.0.0.1:${port}`);
  const upstream = new Upstream({ origin, timeouts: { connectMs: 5_000, responseHeadMs: 60_000, idleMs: 0 } });
  t.after(async () => {
    server.close();
    await upstream.close();
  });
  const fetch = createUpstreamFetch({ upstream, timeoutMs: 400 });
  try {
    return (
      await fetch(`${origin}logout?x=1`, { method: 'POST', headers: { Host: 'wiki' }, ...(signal && { signal }) })
    ).status;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('a call to an application', { timeout: 30_000 }, () => {
  test('is answered by the status, redirects included', async (t) => {
    assert.equal(await call(t, ['HTTP/1.1 302 Found\r\nLocation: http://evil/\r\nContent-Length: 0\r\n\r\n']), 302);
  });

  test('ends in time where the application is silent', async (t) => {
    assert.match(String(await call(t, undefined)), /within 400 ms/);
  });

  test('ends with the gate', async (t) => {
    const stopping = new AbortController();
    const calling = call(t, undefined, stopping.signal);
    setTimeout(() => stopping.abort(), 50);
    assert.match(String(await calling), /stopping/);
  });

  test('leaves nothing behind on the signal of a gate that goes on', async (t) => {
    const { signal } = new AbortController();
    assert.equal(await call(t, ['HTTP/1.1 204 No Content\r\n\r\n'], signal), 204);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  test('reads no answer without end', async (t) => {
    const much = Array.from({ length: 64 }, () => 'x'.repeat(64 * 1024));
    assert.equal(await call(t, ['HTTP/1.1 200 OK\r\n\r\n', ...much]), 200);
  });

  test('fails where the answer is none', async (t) => {
    assert.equal(typeof (await call(t, ['SSH-2.0-x\r\n'])), 'string');
  });
});
