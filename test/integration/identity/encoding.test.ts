// Names outside ASCII on their way to an application: both encodings, on HTTP and in a WebSocket handshake; claims that no
// header can hold are no error (catalogue HDR-08, HDR-09, HDR-10).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TestGate } from '../../support/test-gate.ts';
import { seenHeaders } from './seen-headers.ts';

const NAME = 'Žofie 王';
const bytes = Buffer.from(NAME).toString('latin1');

describe('claims outside ASCII', () => {
  let gate: TestGate;
  before(async () => {
    gate = await TestGate.start({
      provider: {
        users: {
          zofie: { name: NAME, groups: ['users,admin', 'staff'] },
          mallory: { name: 'a\r\nX-Role: admin', groups: Array.from({ length: 600 }, (_, at) => `/group-${at}`) },
        },
      },
      config: {
        provider: { scopes: ['openid', 'profile', 'email', 'groups'] },
        routes: (upstream: string) => [
          { name: 'app', upstream, headers: { preset: 'authelia' } },
          { name: 'raw', path: '/raw', upstream, headers: { preset: 'authelia', encoding: 'utf-8' } },
        ],
      },
    });
  });
  after(() => gate.close());

  test('HDR-09, HDR-10: percent-encoded, or in the bytes of UTF-8, on HTTP and on the upgrade path', async () => {
    const browser = await gate.signedIn('zofie');
    for (const [path, name, groups] of [
      ['', '%C5%BDofie %E7%8E%8B', 'users%2Cadmin,staff'],
      ['/raw', bytes, 'staff'],
    ] as const) {
      const answer = await browser.request(gate.url(`${path}/echo`));
      assert.deepEqual(seenHeaders(answer, 'remote-name'), [name]);
      assert.deepEqual(seenHeaders(answer, 'remote-groups'), [groups]);
      const socket = browser.openWebSocket(gate.url(`${path}/ws`));
      await socket.opened;
      const seen = gate.app.sockets.at(-1)!.headers;
      assert.deepEqual([seen['remote-name'], seen['remote-groups']], [name, groups]);
    }
  });

  test('HDR-08, HDR-09: line breaks and 8 KiB of groups are never an error, another header, or somebody else', async () => {
    const browser = await gate.signedIn('mallory');
    for (const [path, name] of [
      ['', ['a%0D%0AX-Role: admin']],
      ['/raw', []],
    ] as const) {
      const answer = await browser.request(gate.url(`${path}/echo`));
      assert.equal(answer.status, 200);
      assert.deepEqual(seenHeaders(answer, 'remote-name'), name);
      assert.deepEqual(seenHeaders(answer, 'remote-groups'), []);
      assert.deepEqual(seenHeaders(answer, 'x-role'), []);
      const socket = browser.openWebSocket(gate.url(`${path}/ws`));
      await socket.opened;
      assert.equal(gate.app.sockets.at(-1)!.headers['x-role'], undefined);
    }
    const { message } = await gate.event('gate.warning', { code: 'header_left_out' });
    assert.match(String(message), /Remote-Groups was left out: its value is longer than 4 KiB/);
  });
});
