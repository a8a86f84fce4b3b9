// A logout notice with a known moment of its last byte (Back-Channel Logout 1.0 section 2.5).

import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { sharedNowMs } from './statistics.ts';

/** By the shared clock. */
export interface NoticeTimes {
  /** Just before the last byte was handed to the kernel. */
  readonly lastByteAt: number;
  readonly answeredAt: number;
}

/** Long enough for everything but the last byte to have arrived. */
const ARRIVAL_MS = 100;

/** Sends the notice, its last byte after all the others have arrived. @throws where the answer is not 200. */
export async function sendNotice(publicUrl: string, logoutToken: string): Promise<NoticeTimes> {
  const { hostname, port, host } = new URL(publicUrl);
  const body = new URLSearchParams({ logout_token: logoutToken }).toString();
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  socket.write(
    `POST /_gate/backchannel-logout HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/x-www-form-urlencoded\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body.slice(0, -1)}`,
  );
  await sleep(ARRIVAL_MS);
  const answered = once(socket, 'data').then(([answer]) => ({ at: sharedNowMs(), answer: String(answer) }));
  const lastByteAt = sharedNowMs();
  socket.write(body.slice(-1));
  const { at, answer } = await answered;
  socket.destroy();
  if (!answer.startsWith('HTTP/1.1 200')) throw new Error(`the notice was answered ${answer.split('\r\n', 1)[0]}`);
  return { lastByteAt, answeredAt: at };
}
