// The command `portcullis demo` from outside: what a newcomer and CI get to see.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');

/** As the command line would see a terminal: nothing else of a terminal matters to the demo. */
const IN_A_TERMINAL = 'process.stdout.isTTY = true;';

const WITHOUT_PROVIDER = `
import { registerHooks } from 'node:module';
registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== 'oidc-provider') return next(specifier, context);
    throw Object.assign(new Error('not installed'), { code: 'ERR_MODULE_NOT_FOUND' });
  },
});`;

function startDemoCommand({ args = [], preload }: { args?: string[]; preload?: string } = {}) {
  const preloads = preload === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(preload)}`];
  const child = spawn(process.execPath, [...preloads, MAIN, 'demo', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = Promise.all([once(child, 'exit'), text(child.stderr)]);
  return { child, ended: ended.then(([[code], errors]) => ({ code: code as number | null, errors })) };
}

test('where standard output is no terminal the demo plays its story, prints it with times, and exits 0', async () => {
  const { child, ended } = startDemoCommand();
  const output = await text(child.stdout);
  assert.deepEqual(await ended, { code: 0, errors: '' });
  for (const cut of [
    /✓ her WebSocket: 1008 session ended, \d+\.\d ms after the click/,
    /✓ her event stream: incomplete, \d+\.\d ms after the click/,
    /✓ her download: incomplete, \d+\.\d ms after the click/,
    /✓ her upload: \S.*, \d+\.\d ms after the click/,
    /✓ the wiki saw the upload break off: after \d+ KiB/,
    /✓ her next page at \S+: 302; a script's request there: 401/,
    /✓ Grace's WebSocket goes on/,
    /^ +\d+ ms {2}Ada signs in again$/m,
    /^The gate held: \d+ checks in \d+\.\d s\.$/m,
  ]) {
    assert.match(output, cut);
  }
  assert.doesNotMatch(output, /✗/);
});

test('in a terminal the demo prints where to click, and Ctrl-C ends it cleanly', async () => {
  const { child, ended } = startDemoCommand({ preload: IN_A_TERMINAL });
  let output = '';
  for await (const chunk of child.stdout) {
    output += chunk;
    if (!output.includes('Ctrl-C ends the demo.')) continue;
    const wiki = /wiki +(http:\S+)/.exec(output)![1]!;
    const page = await fetch(wiki, { headers: { accept: 'text/html' }, redirect: 'manual' });
    assert.ok([302, 401].includes(page.status), `the wiki's gate answered ${page.status}`);
    child.kill('SIGINT');
  }
  assert.deepEqual(await ended, { code: 0, errors: '' });
  for (const name of ['wiki', 'notes', 'accounts'])
    assert.match(output, new RegExp(`${name} +http://127\\.0\\.0\\.1:\\d+`));
});

test('without the development dependencies the demo says in one line what is missing and how to get it', async () => {
  const { child, ended } = startDemoCommand({ preload: WITHOUT_PROVIDER });
  child.stdout.resume();
  const { code, errors } = await ended;
  assert.equal(code, 1);
  assert.match(errors, /^portcullis: the demo needs the package oidc-provider.*npm ci && npm run demo\n$/);
});

test('an argument that the demo does not know is a usage error', async () => {
  const { child, ended } = startDemoCommand({ args: ['--watch'] });
  child.stdout.resume();
  const { code, errors } = await ended;
  assert.equal(code, 2);
  assert.match(errors, /^portcullis: demo takes no arguments, and this is one: --watch\n$/);
});
