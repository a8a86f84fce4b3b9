// The cut of a tunnel at the places that real sockets reach only by luck.

import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { describe, test } from 'node:test';
import { ConnectionRegistry } from '../../../src/proxy/connection-registry.ts';
import { Tunnel } from '../../../src/proxy/tunnel.ts';

/** A socket whose kernel takes bytes when the test says so. */
class FakeSocket extends Duplex {
  readonly taken: Buffer[] = [];
  takes = true;

  constructor() {
    super({ allowHalfOpen: true });
  }

  setTimeout(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (!this.takes) return;
    this.taken.push(chunk);
    done();
  }
}

const TEXT_FRAME = Buffer.from([0x81, 1, 0x61]);

function openTunnel() {
  const registry = new ConnectionRegistry();
  const client = new FakeSocket();
  const upstream = new FakeSocket();
  const tunnel = new Tunnel(client, upstream, {
    owner: registry.owner('me'),
    tag: undefined,
    idleMs: 0,
    onActivity() {},
  });
  tunnel.start([], Buffer.alloc(0));
  return { registry, client, upstream, tunnel };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('a tunnel that is cut', { timeout: 10_000 }, () => {
  test('with a whole frame still queued sends neither that nor a close frame', async () => {
    const { client, upstream, tunnel } = openTunnel();
    client.takes = false;
    upstream.push(TEXT_FRAME);
    await turn();
    assert.equal(tunnel.hasBacklog(), true);
    tunnel.cut();
    assert.equal(client.destroyed, true);
    assert.deepEqual(client.taken, []);
    assert.equal(upstream.destroyed, false, 'the other side is told');
    assert.equal(upstream.taken.length, 1);
    upstream.destroy();
  });

  test('tells each side once, however often it is cut', async () => {
    const { client, upstream, tunnel } = openTunnel();
    tunnel.cut();
    tunnel.cut();
    assert.equal(client.taken.length, 1);
    assert.equal(upstream.taken.length, 1);
    client.destroy();
    upstream.destroy();
  });

  test('drops what arrives afterwards, and leaves its owner when both sides are closed', async () => {
    const { registry, client, upstream, tunnel } = openTunnel();
    tunnel.cut();
    upstream.push(TEXT_FRAME);
    client.push(Buffer.from([0x88, 0x80, 0, 0, 0, 0]));
    await turn();
    await turn();
    assert.equal(client.taken.length, 1);
    assert.equal(client.destroyed, true, 'it has answered the close');
    assert.equal(registry.isLive('me'), true);
    upstream.push(Buffer.from([0x88, 0]));
    await turn();
    await turn();
    assert.equal(upstream.destroyed, true);
    assert.equal(registry.isLive('me'), false);
  });
});
