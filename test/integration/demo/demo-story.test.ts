// The story that the demo plays when nobody watches must be able to fail: a demo that always succeeds shows nothing.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { playStory } from '../../../src/cli/demo/play-story.ts';
import { reservePort } from '../../../src/cli/demo/reserve-port.ts';
import { startDemo } from '../../../src/cli/demo/start-demo.ts';

test('the story fails where signing out cuts nothing', async () => {
  const lines: string[] = [];
  const elsewhere = await startDemo({ ports: { wiki: 0, notes: 0, accounts: 0 }, onAppEvent() {}, onGateEvent() {} });
  // Ada signs out at a provider that never told these gates anything.
  const held = await playStory(
    (line) => lines.push(line),
    async (options) => ({ ...(await startDemo(options)), accounts: elsewhere.accounts }),
  );
  await elsewhere.stop();
  assert.equal(held, false);
  const output = lines.join('\n');
  for (const kind of ['WebSocket', 'event stream', 'download', 'upload']) {
    assert.match(output, new RegExp(`✗ NOT AS IT SHOULD BE: her ${kind}: still open`));
  }
  assert.match(output, /✗ NOT AS IT SHOULD BE: her next page at \S+: 200; a script's request there: 200/);
  assert.match(output, /^The demo failed: \d+ of \d+ checks/m);
});

test('a story that gets stuck says where, and leaves nothing running', async () => {
  const lines: string[] = [];
  let wiki = '';
  const held = await playStory(
    (line) => lines.push(line),
    async (options) => {
      const demo = await startDemo(options);
      wiki = demo.wiki;
      return { ...demo, wiki: 'http://127.0.0.1:1' };
    },
  );
  assert.equal(held, false);
  assert.match(lines.join('\n'), /✗ stuck at "Ada and Grace sign in .*": connect ECONNREFUSED/);
  await assert.rejects(fetch(wiki));
});

test('a preferred port is taken where it is free and passed over where it is not', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port: taken } = other.address() as { port: number };
  const second = await reservePort(taken);
  assert.notEqual(second.port, taken);
  await new Promise((resolve) => other.close(resolve));
  const first = await reservePort(taken);
  assert.equal(first.port, taken);
  await Promise.all([first.release(), second.release()]);
});
