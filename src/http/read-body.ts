// A small request body, whole; or the news that it is too large, or that its client went away. The rest of a large one
// is never read.

import type { IncomingMessage } from 'node:http';

/** A notice is one packet; whoever needs longer for it holds a connection open on purpose. */
const DEADLINE_MS = 10_000;

export async function readBody(request: IncomingMessage, mostBytes: number): Promise<Buffer | 'too large' | 'gone'> {
  const chunks: Buffer[] = [];
  const deadline = setTimeout(() => request.destroy(), DEADLINE_MS).unref();
  let bytes = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      bytes += (chunk as Buffer).length;
      if (bytes > mostBytes) return 'too large';
      chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks);
  } catch {
    return 'gone';
  } finally {
    clearTimeout(deadline);
  }
}
