// The body of a form that is to be kept, whole or not at all.

import type { IncomingMessage } from 'node:http';

/** Without a byte for so long, it does not come any more. */
const STALLED_MS = 15_000;
const LONGEST_MS = 5 * 60_000;

export type UnreadForm = 'too large' | 'too many' | 'incomplete';

/** The rest of one that is too large, has stalled, or for which `arrived` has no room, is left unread. */
export function readForm(
  request: IncomingMessage,
  mostBytes: number,
  arrived: (bytes: number) => boolean,
): Promise<Buffer | UnreadForm> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (outcome: Buffer | UnreadForm): void => {
      clearTimeout(stalled);
      clearTimeout(longest);
      request.off('data', onData).off('end', onEnd).off('close', onClose).pause();
      resolve(outcome);
    };
    const stalled = setTimeout(settle, STALLED_MS, 'incomplete').unref();
    const longest = setTimeout(settle, LONGEST_MS, 'incomplete').unref();
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > mostBytes) return settle('too large');
      if (!arrived(chunk.length)) return settle('too many');
      chunks.push(chunk);
      stalled.refresh();
    };
    const onEnd = (): void => settle(request.complete ? Buffer.concat(chunks) : 'incomplete');
    const onClose = (): void => settle('incomplete');
    request.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}
