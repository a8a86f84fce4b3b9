// A reset of a connection, at the moments at which the system would refuse one.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { resetSocket } from '../../../src/proxy/reset-socket.ts';

async function pair(): Promise<{ here: Socket; there: Socket; close(): void }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const here = connect({ port: (server.address() as AddressInfo).port, allowHalfOpen: true });
  const [there] = (await once(server, 'connection')) as [Socket];
  here.on('error', () => {}).resume();
  there.on('error', () => {}).resume();
  return { here, there, close: () => server.close() };
}

for (const [what, before] of [
  ['an open connection', () => {}],
  ['a connection that was ended in the same turn', (socket: Socket) => socket.end()],
  ['a connection that was ended behind a write', (socket: Socket) => socket.end('last words')],
] as const) {
  test(`${what} closes on both sides`, { timeout: 5_000 }, async () => {
    const { here, there, close } = await pair();
    there.once('end', () => there.end());
    before(here);
    resetSocket(here);
    await Promise.all([here.closed || once(here, 'close'), there.closed || once(there, 'close')]);
    assert.equal(here.destroyed, true);
    close();
  });
}
