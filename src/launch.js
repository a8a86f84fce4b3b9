#!/usr/bin/env node
// The command `portcullis`: starts src/main.ts (in dist: main.js) on a Node.js that is safe to face the network with.
// Plain JavaScript, because it must still run on a Node.js that is too old for the rest (CVE-2026-58044: every 20.x,
// and 22, 24 and 26 before their patched releases, frame a body by headers that they hide from the application).

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { isatty } from 'node:tty';
import { fileURLToPath, pathToFileURL } from 'node:url';

// The only lines of Node.js that carry the fix and are what this project is tested on; `engines` says the same.
const PATCHED = '^24.18.1 || >=26.5.1';

// Tells the second process that it is the second. Taken out of its environment at once: nothing it starts is.
const RELAUNCHED = 'PORTCULLIS_RELAUNCHED';

function isPatched(version) {
  const [major, minor, patch] = version.split('.').map(Number);
  const isAtLeast = (otherMinor, otherPatch) => minor > otherMinor || (minor === otherMinor && patch >= otherPatch);
  return (major === 24 && isAtLeast(18, 1)) || (major === 26 && isAtLeast(5, 1)) || major > 26;
}

// In a checkout the sources run as they are; in a package and in the image there is only what was built of them.
function findMain() {
  const here = dirname(fileURLToPath(import.meta.url));
  return [join(here, 'main.ts'), join(here, 'main.js'), join(here, '../dist/main.js')].find((file) => existsSync(file));
}

// The npm package `node` carries the binary itself; `npm ci` brings it as a development dependency.
function findPatchedNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve('node/package.json');
    return join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  } catch {
    return undefined;
  }
}

function refuse(why) {
  process.stderr.write(`portcullis: ${why}\n`);
  process.exitCode = 1;
}

// The same command on the other Node.js. Signals are handed on, the exit code is handed back, and the channel between
// the two ends with this process, so that not even a kill -9 of it leaves a gate behind that nobody holds.
function relaunch(node) {
  const args = [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  if (process.env.npm_command === 'exec') endWithNpx();
  const child = spawn(node, args, {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [RELAUNCHED]: '1' },
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) {
    process.on(signal, () => {
      // Ctrl-C in a terminal reaches every process of the group: sent on as well, it would arrive twice.
      if (signal === 'SIGINT' && isatty(0)) return;
      child.kill(signal);
    });
  }
  child.on('error', (error) => refuse(`cannot run ${node}: ${error.message}; run npm ci again`));
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code;
      return;
    }
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

// `npx` hands no signal on: killed, it would leave a gate behind that holds its port.
function endWithNpx() {
  const npx = process.ppid;
  const lookMs = 500;
  setInterval(() => {
    if (process.ppid !== npx) process.kill(process.pid, 'SIGTERM');
  }, lookMs).unref();
}

async function run(main, { relaunched }) {
  if (relaunched) {
    process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
    // The channel alone must not keep a command alive that has finished.
    process.channel?.unref();
  } else if (process.env.npm_command === 'exec') endWithNpx();
  await import(pathToFileURL(main).href);
}

const relaunched = process.env[RELAUNCHED] === '1';
delete process.env[RELAUNCHED];
const main = findMain();
const patchedNode = isPatched(process.versions.node) || relaunched ? undefined : findPatchedNode();
if (main === undefined) refuse('nothing to start: neither src/main.ts nor dist/main.js is there; run npm run build');
else if (isPatched(process.versions.node)) await run(main, { relaunched });
else if (patchedNode !== undefined) relaunch(patchedNode);
else refuse(`Node.js ${PATCHED} is needed and this is ${process.versions.node}; run npm ci, which brings one`);
