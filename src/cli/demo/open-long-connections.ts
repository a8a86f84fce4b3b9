// The four connections that a visitor of the story holds open: each says when it ended and how that looked from outside.

import { answerTo, type Browser } from '../browser/browser.ts';
import type { Ending, LiveConnection } from '../browser/live-connection.ts';
import { openTransfer } from '../browser/open-transfer.ts';
import { openWebSocket } from '../browser/open-web-socket.ts';

export interface LongConnection {
  readonly kind: LiveConnection['kind'] | 'upload';
  /** How much came or went: ticks of a WebSocket and an event stream, bytes of the others. */
  readonly amount: () => number;
  readonly ended: Promise<Ending>;
  close(): void;
}

/** Opens all four at `origin`; resolves when something has come or gone on each. */
export async function openLongConnections(browser: Browser, origin: string): Promise<LongConnection[]> {
  const live = await Promise.all([
    openWebSocket(browser, `${origin}/websocket`),
    openTransfer(browser, 'event stream', `${origin}/events`),
    openTransfer(browser, 'download', `${origin}/download`),
  ]);
  await Promise.all(live.map(({ begun }) => begun));
  return [...live.map(longConnection), openUpload(browser, `${origin}/upload`)];
}

function longConnection({ kind, received, ended, close }: LiveConnection): LongConnection {
  return { kind, amount: () => (kind === 'download' ? received().bytes : received().messages), ended, close };
}

function openUpload(browser: Browser, url: string): LongConnection {
  const paceMs = 50;
  const asked = browser.request(url, { method: 'POST' });
  let sent = 0;
  const timer = setInterval(() => {
    sent += 8192;
    asked.write(Buffer.alloc(8192));
  }, paceMs);
  const ended = answerTo(asked).then(
    ({ statusCode }) => ({ atMs: performance.now(), isCut: statusCode === 401, how: `answered ${statusCode}` }),
    (error: NodeJS.ErrnoException) => ({ atMs: performance.now(), isCut: true, how: String(error.code) }),
  );
  void ended.then(() => {
    clearInterval(timer);
    asked.destroy();
  });
  return { kind: 'upload', amount: () => sent, ended, close: () => asked.destroy() };
}
