// One user who asks again as soon as the answer is there: requests on one raw connection, one at a time, each timed.
// Reads only as much HTTP as answers with a Content-Length need.

import { connect, type Socket } from 'node:net';

export interface LoopOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Asked before each request; the loop ends when it says no. */
  readonly goOn: () => boolean;
  /** Hears of each answer: when its request was sent, by `performance.now()`, and how long it took. */
  readonly onAnswer: (sentAt: number, tookMs: number) => void;
}

const END_OF_HEAD = '\r\n\r\n';

/** Resolves when the loop has ended. @throws where the server closes the connection or answers anything but 200. */
export function closedLoop({ url, headers, goOn, onAnswer }: LoopOptions): Promise<void> {
  const { hostname, port, pathname, host } = new URL(url);
  const lines = Object.entries({ Host: host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  const request = Buffer.from(`GET ${pathname} HTTP/1.1\r\n${lines.join('')}\r\n`);
  const socket = connect(Number(port), hostname).setNoDelay(true);
  return new Promise((resolve, reject) => {
    let sentAt = 0;
    let isOver = false;
    const send = (): void => {
      isOver = !goOn();
      if (isOver) return void socket.destroy();
      sentAt = performance.now();
      socket.write(request);
    };
    socket.on('connect', send);
    socket.on('error', reject);
    socket.on('close', () => (isOver ? resolve() : reject(new Error('the server closed a connection'))));
    onEachAnswer(socket, (isOk) => {
      if (!isOk) return void socket.destroy(new Error('an answer other than 200'));
      onAnswer(sentAt, performance.now() - sentAt);
      send();
    });
  });
}

function onEachAnswer(socket: Socket, onAnswer: (isOk: boolean) => void): void {
  let head = '';
  let bytesLeft = -1;
  let isOk = false;
  socket.on('data', (chunk: Buffer) => {
    let body = chunk.length;
    if (bytesLeft < 0) {
      const before = head.length;
      head += chunk.toString('latin1');
      const end = head.indexOf(END_OF_HEAD);
      if (end < 0) return;
      isOk = head.startsWith('HTTP/1.1 200');
      bytesLeft = Number(/\r\ncontent-length: *(\d+)/i.exec(head.slice(0, end))?.[1]);
      body = before + chunk.length - end - END_OF_HEAD.length;
      head = '';
    }
    bytesLeft -= body;
    if (bytesLeft > 0) return;
    bytesLeft = -1;
    onAnswer(isOk);
  });
}
