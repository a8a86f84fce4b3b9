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
  const [[there]] = (await Promise.all([once(server, 'connection'), once(here, 'connect')])) as [[Socket], unknown];
  here.on('error', () => {}).resume();
  there.on('error', () => {}).resume();
  return { here, there, close: () => server.close() };
}

test('an open connection is reset', { timeout: 5_000 }, async () => {
  const { here, there, close } = await pair();
  resetSocket(here);
  const [error] = (await once(there, 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNRESET');
  close();
});

test('a connection that both sides ended, ours in the same turn, closes all the same', { timeout: 5_000 }, async () => {
  const { here, there, close } = await pair();
  there.end();
  await once(here, 'end');
  here.end();
  resetSocket(here);
  await once(here, 'close');
  there.destroy();
  close();
});
