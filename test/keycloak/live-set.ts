// One of each kind of live connection that a signed-in browser can hold, and what must be true of them when the session ends.

import assert from 'node:assert/strict';
import type { BrowserClient } from '../support/browser-client.ts';
import { instant } from '../support/instant.ts';
import type { SeenExchange, SeenSocket } from '../support/legacy-app.ts';
import type { LiveSocket } from '../support/live-socket.ts';
import type { LiveTransfer } from '../support/live-transfer.ts';
import type { Stage } from './stage.ts';

// "A moment later": far above what it takes, far below what a person would call later.
const CLOSE_LIMIT_MS = 2_000;

export class LiveSet {
  readonly webSocket: LiveSocket;
  readonly events: LiveTransfer;
  readonly download: LiveTransfer;
  readonly downloadWithLength: LiveTransfer;
  readonly upload: LiveTransfer;
  readonly #seenSocket: SeenSocket;
  readonly #seenUpload: SeenExchange;

  private constructor(
    parts: Pick<LiveSet, 'webSocket' | 'events' | 'download' | 'downloadWithLength' | 'upload'>,
    seen: { socket: SeenSocket; upload: SeenExchange },
  ) {
    this.webSocket = parts.webSocket;
    this.events = parts.events;
    this.download = parts.download;
    this.downloadWithLength = parts.downloadWithLength;
    this.upload = parts.upload;
    this.#seenSocket = seen.socket;
    this.#seenUpload = seen.upload;
  }

  /** Opens all five and waits until bytes flow in each. `name` tells them apart at the application. */
  static async open(stage: Pick<Stage, 'url' | 'app'>, browser: BrowserClient, name: string): Promise<LiveSet> {
    const webSocket = browser.openWebSocket(`${stage.url}/ws?${name}`);
    await webSocket.opened;
    await webSocket.message('tickAt');
    const events = browser.download(`${stage.url}/events`, { headers: { Accept: 'text/event-stream' } });
    const download = browser.download(`${stage.url}/download`);
    const downloadWithLength = browser.download(`${stage.url}/download-with-length`);
    for (const transfer of [events, download, downloadWithLength]) {
      assert.equal((await transfer.head).status, 200);
      await transfer.moreBytes(100);
    }
    const { transfer: upload, body } = browser.upload(`${stage.url}/upload?${name}`);
    body.write('the first part of a body that never ends');
    const seenUpload = await until(() => stage.app.seen('/upload').find(({ target }) => target.endsWith(`?${name}`)));
    await until(() => seenUpload.receivedBytes > 0 || undefined);
    const seenSocket = stage.app.sockets.find(({ target }) => target.endsWith(`?${name}`))!;
    return new LiveSet(
      { webSocket, events, download, downloadWithLength, upload },
      { socket: seenSocket, upload: seenUpload },
    );
  }

  /** All stopped by the instant `answeredAt`, and closed in the way of their kind a moment later. */
  async assertCut(answeredAt: number): Promise<void> {
    const socket = await this.webSocket.closed;
    assert.deepEqual([socket.code, socket.reason], [1008, 'session ended'], 'the WebSocket, browser side');
    await until(() => this.#seenSocket.closedAt > 0 || undefined);
    const atTheApp = [this.#seenSocket.closeCode, this.#seenSocket.closeReason];
    assert.deepEqual(atTheApp, [1008, 'session ended'], 'the WebSocket, application side');
    const transfers = Object.entries(this.#downloads());
    for (const [name, transfer] of transfers) assert.equal(await transfer.ended, 'cut', `${name} must look incomplete`);
    assert.equal((await this.upload.head).status, 401, 'the upload');
    await until(() => this.#seenUpload.requestEnd !== 'open' || undefined);
    assert.equal(this.#seenUpload.requestEnd, 'aborted', 'the upload, application side');
    for (const [name, live] of [['webSocket', this.webSocket] as const, ...transfers]) {
      const late = live.ticks().filter((tickAt) => tickAt > answeredAt);
      assert.deepEqual(late, [], `${name} got ticks that were made after the notice was answered`);
    }
    const closedAt = Math.max(socket.at, this.#seenSocket.closedAt, ...transfers.map(([, { endedAt }]) => endedAt));
    assert.ok(closedAt - answeredAt < CLOSE_LIMIT_MS, `closed ${closedAt - answeredAt} ms after the answer`);
  }

  /** None was touched: each goes on with ticks that were made after the instant `since`. */
  async assertLive(since: number): Promise<void> {
    for (const [name, transfer] of Object.entries(this.#downloads())) {
      while (!transfer.ticks().some((tickAt) => tickAt > since)) {
        assert.equal(transfer.endedAt, 0, `${name} ended`);
        await transfer.moreBytes();
      }
    }
    while (!this.webSocket.ticks().some((tickAt) => tickAt > since)) {
      assert.ok(!this.webSocket.isClosed, 'the WebSocket closed');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(this.#seenUpload.requestEnd, 'open', 'the upload');
  }

  /** None is touched for `ms` milliseconds. */
  async assertLiveFor(ms: number): Promise<void> {
    const until = instant() + ms;
    while (instant() < until) await this.assertLive(instant());
  }

  #downloads(): Record<string, LiveTransfer> {
    return { events: this.events, download: this.download, downloadWithLength: this.downloadWithLength };
  }
}

/** Looks again and again until `look` gives something; the test's own limit is the end of it. */
export async function until<Found>(look: () => Found | undefined | Promise<Found | undefined>): Promise<Found> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
