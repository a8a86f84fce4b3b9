// Logout against everything that may be under way when it arrives. Each race is forced: one side is held still while the
// other one runs to its end (design: what ends a session, "Never undone").

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { PATHS } from '../../support/embedded-provider.ts';
import { TestGate } from '../../support/test-gate.ts';

describe('logout against what is under way', () => {
  let gate: TestGate;
  afterEach(() => gate.close());

  test('BCL-17 a notice between the code and the session leaves no session behind', async () => {
    gate = await TestGate.start();
    const browser = gate.browser();
    const form = await browser.navigate(gate.url('/echo'));
    const hold = gate.provider.hold(PATHS.token, 'answer');
    const arriving = browser.submit(form, { username: 'alice' });
    await hold.arrived;
    const startedAt = performance.now();
    await gate.provider.endSessions('alice');
    assert.ok(performance.now() - startedAt < 1000, 'the notice waits for no login');
    await gate.event('notice.accepted');
    hold.release();
    const page = await arriving;
    assert.equal(page.status, 400, page.text.slice(0, 300));
    assert.match(page.text, /signed out while you were signing in/i);
    assert.equal((await browser.request(gate.url('/echo'))).status, 401);
    assert.equal(page.headers['set-cookie']?.some((cookie) => /^portcullis=[^;]/.test(cookie)) ?? false, false);
    assert.equal((await gate.signIn(browser, 'alice')).status, 200, 'signing in again works at once');
  });

  test('BCL-17 a notice during a refresh: neither waits, and the refresh revives nothing', async () => {
    gate = await TestGate.start({ provider: { lifetimes: { accessTokenSeconds: 3 } } });
    const browser = await gate.signedIn('alice');
    const hold = gate.provider.hold(PATHS.token, 'answer');
    // Within the last third of its lifetime the token is refreshed in the background; after it, before the request.
    const requests: Promise<number>[] = [];
    let arrived = false;
    void hold.arrived.then(() => (arrived = true));
    while (!arrived) {
      requests.push(browser.request(gate.url('/echo')).then(({ status }) => status));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const startedAt = performance.now();
    await gate.provider.endSessions('alice');
    assert.ok(performance.now() - startedAt < 1000, 'the notice waits for no refresh');
    assert.equal((await browser.request(gate.url('/echo'))).status, 401);
    hold.release();
    await Promise.all(requests);
    await gate.event('session.ended');
    assert.equal((await browser.request(gate.url('/echo'))).status, 401);
    assert.equal(
      gate.log.some(({ event }) => event === 'session.refreshed'),
      false,
    );
  });

  test('BCL-17 a notice against a request that waits for its refresh: it is not admitted', async () => {
    gate = await TestGate.start({ provider: { lifetimes: { accessTokenSeconds: 1 } } });
    const browser = await gate.signedIn('alice');
    const seen = gate.app.seen('/echo').length;
    const hold = gate.provider.hold(PATHS.token, 'answer');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const waiting = browser.request(gate.url('/echo'));
    await hold.arrived;
    await gate.provider.endSessions('alice');
    hold.release();
    assert.equal((await waiting).status, 401);
    assert.equal(gate.app.seen('/echo').length, seen);
  });

  test('BCL-17 a notice against a request that was admitted and not yet forwarded: the upstream never sees it', async () => {
    const upstream = await SilentUpstream.start();
    gate = await TestGate.start({
      config: { routes: routesTo('/slow-tls', upstream.origin.replace('http:', 'https:')) },
    });
    const browser = await gate.signedIn('alice');
    // The TLS handshake stands still, so that nothing of the request can have left the gate.
    const admitted = browser.download(gate.url('/slow-tls'));
    await upstream.connected;
    await gate.provider.endSessions('alice');
    assert.equal((await admitted.head).status, 401);
    await upstream.disconnected;
    assert.equal(upstream.received[0], 0x16, 'a TLS handshake, and nothing behind it');
    await upstream.close();
  });

  test('BCL-17 a notice against a WebSocket that is being opened: 401, and no tunnel', async () => {
    const upstream = await SilentUpstream.start();
    gate = await TestGate.start({ config: { routes: routesTo('/ws', upstream.origin) } });
    const browser = await gate.signedIn('alice');
    const socket = browser.openWebSocket(gate.url('/ws'));
    await upstream.connected;
    await gate.provider.endSessions('alice');
    await assert.rejects(socket.opened, { status: 401 });
    await upstream.disconnected;
    await upstream.close();
  });

  test('a client that leaves while its handshake waits for a refresh leaves nothing behind', async () => {
    gate = await TestGate.start({ provider: { lifetimes: { accessTokenSeconds: 1 } } });
    const browser = await gate.signedIn('alice');
    const hold = gate.provider.hold(PATHS.token, 'answer');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const { host, port } = new URL(gate.url('/'));
    const client = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
    const closed = once(client, 'close');
    const lines = [
      'GET /ws HTTP/1.1',
      `Host: ${host}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`,
      `Cookie: portcullis=${browser.cookies.value('portcullis', gate.url('/'))}`,
    ];
    client.resume().end(`${lines.join('\r\n')}\r\n\r\n`);
    await hold.arrived;
    // Answered behind the client's end, so that the gate has heard it.
    await fetch(`${gate.addresses.adminUrl}/healthz`);
    await fetch(`${gate.addresses.adminUrl}/healthz`);
    hold.release();
    await closed;
    assert.equal(gate.app.sockets.length, 0, 'no handshake reached the application');
    assert.deepEqual((await gate.admin('GET', '/api/connections')).body['totals'], {
      requests: 0,
      streams: 0,
      websockets: 0,
    });
  });
});

function routesTo(path: string, upstream: string) {
  return (app: string) => [
    { name: 'app', upstream: app },
    { name: 'silent', path, upstream },
  ];
}

/** An upstream that takes a connection and says nothing. */
class SilentUpstream {
  received = Buffer.alloc(0);
  readonly connected: Promise<void>;
  readonly disconnected: Promise<void>;
  readonly #server: Server;

  private constructor() {
    const connected = Promise.withResolvers<void>();
    const disconnected = Promise.withResolvers<void>();
    this.connected = connected.promise;
    this.disconnected = disconnected.promise;
    this.#server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk: Buffer) => {
        this.received = Buffer.concat([this.received, chunk]);
        connected.resolve();
      });
      socket.on('close', () => disconnected.resolve());
    });
  }

  static async start(): Promise<SilentUpstream> {
    const upstream = new SilentUpstream();
    await new Promise<void>((resolve) => upstream.#server.listen(0, '127.0.0.1', resolve));
    return upstream;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
