// A long answer: an event stream or a download, read as fast as it comes.

import { answerTo, type Browser } from './browser.ts';
import { type Ending, type LiveConnection, Receipts } from './live-connection.ts';

/** Resolves when the head of the answer is there. @throws Error where it is not a 200. */
export async function openTransfer(
  browser: Browser,
  kind: 'event stream' | 'download',
  url: string,
): Promise<LiveConnection> {
  const accept = kind === 'event stream' ? 'text/event-stream' : '*/*';
  const asked = browser.request(url, { headers: { accept } });
  const response = await answerTo(asked.end());
  if (response.statusCode !== 200) {
    asked.destroy();
    throw new Error(`${url} (${kind}) was answered ${response.statusCode}`);
  }
  const receipts = new Receipts();
  const ended = new Promise<Ending>((resolve) => {
    const end = () => {
      receipts.end();
      // `complete` is false where neither the last chunk nor the promised length came.
      const how = response.complete ? 'looks complete' : 'incomplete';
      resolve({ atMs: performance.now(), isCut: !response.complete, how });
    };
    response.on('error', end).on('close', end);
  });
  asked.on('error', () => {});
  response.on('data', (chunk: Buffer) => {
    receipts.add(chunk.length, kind === 'download' ? 1 : String(chunk).split('data:').length - 1);
  });
  return { kind, received: () => receipts.soFar(), begun: receipts.begun, ended, close: () => asked.destroy() };
}
