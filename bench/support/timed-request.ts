// A request with a known moment of its last byte: a logout notice as Keycloak posts it (Back-Channel Logout 1.0 section
// 2.5), or whatever else ends a session.

import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { sharedNowMs } from './statistics.ts';

/** By the shared clock. */
export interface AskTimes {
  /** Just before the last byte was handed to the kernel. */
  readonly lastByteAt: number;
  readonly answeredAt: number;
}

export interface TimedRequest {
  readonly method: 'POST' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What it must be answered. */
  readonly status: number;
}

/** Long enough for everything but the last byte to have arrived. */
const ARRIVAL_MS = 100;

/** Sends the request, its last byte after all the others have arrived. @throws where the answer is another. */
export async function timedRequest({ method, url, headers, body = '', status }: TimedRequest): Promise<AskTimes> {
  const { hostname, port, host, pathname, search } = new URL(url);
  const lines = Object.entries({ Host: host, ...headers, 'Content-Length': String(body.length) });
  const head = `${method} ${pathname}${search} HTTP/1.1\r\n${lines.map((line) => `${line.join(': ')}\r\n`).join('')}\r\n`;
  const text = head + body;
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  socket.write(text.slice(0, -1));
  await sleep(ARRIVAL_MS);
  const answered = once(socket, 'data').then(([answer]) => ({ at: sharedNowMs(), answer: String(answer) }));
  const lastByteAt = sharedNowMs();
  socket.write(text.slice(-1));
  const { at, answer } = await answered;
  socket.destroy();
  if (!answer.startsWith(`HTTP/1.1 ${status}`)) throw new Error(`${url} was answered ${answer.split('\r\n', 1)[0]}`);
  return { lastByteAt, answeredAt: at };
}

/** A logout token, at the gate's public address. */
export function sendNotice(publicUrl: string, logoutToken: string): Promise<AskTimes> {
  return timedRequest({
    method: 'POST',
    url: `${publicUrl}/_gate/backchannel-logout`,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ logout_token: logoutToken }).toString(),
    status: 200,
  });
}
