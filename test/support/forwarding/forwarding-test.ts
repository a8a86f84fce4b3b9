// One forwarding test: an upstream on raw sockets, a bare gate before it, and both gone afterwards.

import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { BareGate, type BareGateOptions } from './bare-gate.ts';
import { RecordingUpstream, type UpstreamConnection } from './recording-upstream.ts';

export interface ForwardingParts {
  readonly gate: BareGate;
  readonly upstream: RecordingUpstream;
}

export async function startForwarding(
  context: TestContext,
  answer?: (connection: UpstreamConnection) => void,
  options: BareGateOptions = {},
): Promise<ForwardingParts> {
  const upstream = new RecordingUpstream(answer);
  const gate = await BareGate.listen(await upstream.listen(), options);
  context.after(async () => {
    await upstream.close();
    await gate.close();
  });
  return { gate, upstream };
}

/** Resolves when `condition` holds; asked at every turn of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

export function get(path = '/', ...headers: string[]): string {
  return [`GET ${path} HTTP/1.1`, 'Host: app.example', ...headers, '', ''].join('\r\n');
}

export function post(...headers: string[]): string {
  return ['POST / HTTP/1.1', 'Host: app.example', ...headers, '', ''].join('\r\n');
}

/** A complete response with a body of known length. */
export function ok(body: string, ...headers: string[]): string {
  return ['HTTP/1.1 200 OK', `Content-Length: ${Buffer.byteLength(body, 'latin1')}`, ...headers, '', body].join('\r\n');
}

/**
 * Writes to `socket` until nothing has moved for a while, or `most` bytes are gone: how much whoever reads from it, and
 * everything between, takes in without being read itself.
 */
export async function fill(socket: Socket, most: number): Promise<number> {
  const chunk = Buffer.alloc(256 * 1024, 'x');
  let taken = 0;
  let movedAt = performance.now();
  const more = (): void => {
    if (socket.destroyed || taken >= most) return;
    socket.write(chunk, () => {
      taken += chunk.length;
      movedAt = performance.now();
      more();
    });
  };
  more();
  while (taken < most && performance.now() - movedAt < 300) await new Promise((resolve) => setTimeout(resolve, 20));
  return taken;
}
