// Bytes to a server, bytes back: for requests that no client would send.

import { connect } from 'node:net';

/** Sends `bytes` and returns all that comes until the server closes or has been silent for a while, or until a head is whole. */
export function rawExchange(
  host: string,
  bytes: string | Buffer,
  options: { silenceMs?: number; until?: 'silence' | 'head' } = {},
): Promise<string> {
  const [name, port] = host.split(':');
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(Number(port), name);
    const done = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(received);
    };
    // Connections are kept alive after a good answer: silence is the end of it then.
    const silenceMs = options.silenceMs ?? 150;
    let timer = setTimeout(done, 5_000);
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      clearTimeout(timer);
      if (options.until === 'head' && received.includes('\r\n\r\n')) return done();
      timer = setTimeout(done, silenceMs);
    });
    socket.on('close', done);
    socket.on('error', (error) => (received === '' ? reject(error) : done()));
    socket.write(bytes);
  });
}
