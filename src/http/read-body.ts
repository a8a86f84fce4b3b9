// A small request body, whole, or the news that it is too large. The rest of a large one is never read.

import type { IncomingMessage } from 'node:http';

export async function readBody(request: IncomingMessage, mostBytes: number): Promise<Buffer | 'too large'> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Buffer).length;
    if (bytes > mostBytes) return 'too large';
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
