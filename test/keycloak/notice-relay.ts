// Stands between Keycloak and the gate's notice endpoint, hands every notice on as it is, and records the instants: when it
// came, and when the gate's answer to it was there. That answer is the promise that everything has stopped.

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { instant } from '../support/instant.ts';

export interface RelayedNotice {
  readonly body: string;
  readonly receivedAt: number;
  /** The last byte of the gate's answer. */
  answeredAt: number;
  status: number;
  answer: string;
}

export class NoticeRelay {
  readonly notices: RelayedNotice[] = [];
  readonly #server = createServer((request, response) => void this.#relay(request, response));
  readonly #target: URL;
  #waiting: (() => void)[] = [];

  /** `target`: the gate's own endpoint. */
  constructor(target: string) {
    this.#target = new URL(target);
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/backchannel-logout`;
  }

  /** The first notice that was answered after the instant `since`; waits for it. */
  async answered(since: number): Promise<RelayedNotice> {
    for (;;) {
      const found = this.notices.find(({ receivedAt, answeredAt }) => receivedAt >= since && answeredAt > 0);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #relay(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await text(incoming);
    const notice: RelayedNotice = { body, receivedAt: instant(), answeredAt: 0, status: 0, answer: '' };
    this.notices.push(notice);
    const forwarded = request(this.#target, {
      method: incoming.method!,
      headers: { ...incoming.headers, host: this.#target.host, 'content-length': String(Buffer.byteLength(body)) },
    });
    forwarded.on('error', () => outgoing.destroy());
    forwarded.on('response', async (answer) => {
      notice.answer = await text(answer);
      notice.answeredAt = instant();
      notice.status = answer.statusCode!;
      outgoing.writeHead(notice.status, { 'Content-Type': answer.headers['content-type'] ?? 'text/plain' });
      outgoing.end(notice.answer);
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const resolve of waiting) resolve();
    });
    forwarded.end(body);
  }
}

async function text(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
