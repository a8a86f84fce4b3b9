// WebSocket on raw sockets: the handshake's two halves, frames, and what a cut sends.

import { createHash } from 'node:crypto';
import type { BareGate } from './bare-gate.ts';
import type { RawClient } from './raw-client.ts';
import type { RecordingUpstream, UpstreamConnection } from './recording-upstream.ts';

export const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

export function handshake(...headers: string[]): string {
  return [
    'GET /socket?x=1 HTTP/1.1',
    'Host: app.example',
    'Connection: keep-alive, Upgrade',
    'Upgrade: websocket',
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13',
    ...headers,
    '',
    '',
  ].join('\r\n');
}

export function accept(...headers: string[]): string {
  const answer = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${answer}`,
    ...headers,
    '',
    '',
  ].join('\r\n');
}

/** A text frame as a server sends it. */
export function serverFrame(text: string): string {
  return `\x81${lengthBytes(text.length, 0)}${text}`;
}

/** A text frame as a client sends it; the mask is zero, so that the text can be read on the wire. */
export function clientFrame(text: string): string {
  return `\x81${lengthBytes(text.length, 0x80)}\0\0\0\0${text}`;
}

export const PING = '\x89\x80\0\0\0\0';
export const SESSION_ENDED_FRAME = '\x88\x0f\x03\xf0session ended';

function lengthBytes(length: number, mask: number): string {
  if (length < 126) return String.fromCharCode(mask | length);
  return String.fromCharCode(mask | 126, length >> 8, length & 0xff);
}

/** The close frame that an upstream got, unmasked; undefined where its bytes do not end with one. */
export function maskedClose(received: string): { code: number; reason: string } | undefined {
  for (let at = received.lastIndexOf('\x88'); at >= 0; at = received.lastIndexOf('\x88', at - 1)) {
    const bytes = Buffer.from(received.slice(at), 'latin1');
    if (bytes.length < 8 || bytes[1]! < 0x80 || bytes.length !== 6 + (bytes[1]! & 0x7f)) continue;
    const payload = bytes.subarray(6).map((byte, i) => byte ^ bytes[2 + (i % 4)]!);
    return { code: (payload[0]! << 8) | payload[1]!, reason: Buffer.from(payload.subarray(2)).toString() };
  }
  return undefined;
}

export interface OpenTunnel {
  readonly client: RawClient;
  readonly upstream: UpstreamConnection;
}

export async function openTunnel(
  gate: BareGate,
  upstream: RecordingUpstream,
  ...headers: string[]
): Promise<OpenTunnel> {
  const index = upstream.connections.length;
  const client = gate.client().send(handshake(...headers));
  const connection = await (await upstream.connection(index)).untilHead();
  connection.write(accept());
  await client.untilText('\r\n\r\n');
  return { client, upstream: connection };
}
