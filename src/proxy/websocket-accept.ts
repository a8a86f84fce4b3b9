// The two halves of a WebSocket handshake that a proxy must check itself (RFC 6455 sections 4.1 and 4.2.2): a server that
// did not understand the request must not be taken for one that did.

import { createHash } from 'node:crypto';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const KEY = /^[A-Za-z0-9+/]{22}==$/;

/** The one Sec-WebSocket-Key of the flat pairs, or undefined where there is none, two, or no 16 bytes in base64. */
export function webSocketKey(headers: readonly string[]): string | undefined {
  const keys = valuesOf(headers, 'sec-websocket-key');
  return keys.length === 1 && KEY.test(keys[0]!) ? keys[0] : undefined;
}

/** True where the flat pairs of a 101 answer that key. */
export function acceptsWebSocket(headers: readonly string[], key: string): boolean {
  const accept = valuesOf(headers, 'sec-websocket-accept');
  const upgrade = valuesOf(headers, 'upgrade');
  return (
    accept.length === 1 &&
    accept[0]!.trim() ===
      createHash('sha1')
        .update(key + GUID)
        .digest('base64') &&
    upgrade.length === 1 &&
    upgrade[0]!.trim().toLowerCase() === 'websocket'
  );
}

function valuesOf(headers: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < headers.length; i += 2) if (headers[i]!.toLowerCase() === name) values.push(headers[i + 1]!);
  return values;
}
