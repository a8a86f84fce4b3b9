// The launcher: the same command on whichever Node.js is safe, with its signals and its exit code.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

const ROOT = join(import.meta.dirname, '../../..');

// What the first process takes itself for; the second is what it is.
const PRETEND = (version: string) =>
  `data:text/javascript,if (!process.env.PORTCULLIS_RELAUNCHED) Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } });`;

const MAIN = `
const [command = '', ...rest]: readonly string[] = process.argv.slice(2);
if (command === 'exit') process.exitCode = Number(rest[0]);
if (command === 'wait') {
  const timer = setInterval(() => {}, 1000);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      console.log('got', signal);
      if (signal !== 'SIGHUP') clearInterval(timer);
    });
  }
  console.log('pid', process.pid, 'waiting');
}
if (command === 'say') console.log(JSON.stringify({ rest, version: process.versions.node, marker: process.env['PORTCULLIS_RELAUNCHED'] }));
`;

describe('the launcher', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'portcullis-launch-'));
    mkdirSync(join(folder, 'src'));
    copyFileSync(join(ROOT, 'src/launch.js'), join(folder, 'src/launch.js'));
    writeFileSync(join(folder, 'src/main.ts'), MAIN);
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  });

  after(() => rmSync(folder, { recursive: true }));

  function launch(version: string, ...args: string[]): Launched {
    const file = join(folder, 'src/launch.js');
    const { npm_command: _, ...env } = process.env;
    return new Launched(spawn(process.execPath, ['--import', PRETEND(version), file, ...args], { env }));
  }

  for (const version of ['24.18.1', '24.21.0', '26.5.1', '27.0.0']) {
    test(`runs the command itself on Node.js ${version}`, async () => {
      const launched = launch(version, 'wait');
      await launched.says('waiting');
      assert.ok(launched.output.includes(`pid ${launched.child.pid} `), launched.output);
      launched.child.kill('SIGTERM');
      assert.equal(await launched.exitCode, 0);
    });
  }

  for (const version of ['18.19.0', '20.20.2', '22.23.2', '24.18.0', '25.9.0', '26.5.0']) {
    test(`runs the command on the Node.js that npm ci brought where its own is ${version}`, async () => {
      const launched = launch(version, 'say', 'start', '-c', 'a file.yaml');
      assert.equal(await launched.exitCode, 0, launched.output);
      const said = JSON.parse(launched.output) as { rest: string[]; version: string; marker?: string };
      assert.deepEqual(said.rest, ['start', '-c', 'a file.yaml']);
      assert.equal(said.version, process.versions.node);
      assert.equal(said.marker, undefined, 'the marker is handed on');
    });
  }

  test('hands back the exit code of the second process', async () => {
    assert.equal(await launch('20.20.2', 'exit', '2').exitCode, 2);
  });

  test('hands on signals, and a reload does not end it', async () => {
    const launched = launch('20.20.2', 'wait');
    await launched.says('waiting');
    launched.child.kill('SIGHUP');
    await launched.says('got SIGHUP');
    launched.child.kill('SIGINT');
    await launched.says('got SIGINT');
    assert.equal(await launched.exitCode, 0);
  });

  test('leaves no second process behind, even where the first is killed', async () => {
    const launched = launch('20.20.2', 'wait');
    await launched.says('waiting');
    launched.child.kill('SIGKILL');
    // The second says so on the output that it shares with the first, and then closes it.
    await launched.says('got SIGTERM');
    await launched.closed;
  });

  test('says what is needed and how to get it where no safe Node.js is there', async () => {
    rmSync(join(folder, 'node_modules'));
    const launched = launch('20.20.2', 'say');
    assert.equal(await launched.exitCode, 1);
    const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { engines: { node: string } };
    assert.ok(launched.output.startsWith(`portcullis: Node.js ${engines.node} is needed`), launched.output);
    assert.match(launched.output, /run npm ci/);
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  });
});

class Launched {
  readonly child: ChildProcess;
  readonly exitCode: Promise<number | null>;
  readonly closed: Promise<unknown>;
  output = '';

  constructor(child: ChildProcess) {
    this.child = child;
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
        child.emit('said');
      });
    }
    this.closed = new Promise((resolve) => child.on('close', resolve));
    this.exitCode = new Promise((resolve) => child.on('close', (code) => resolve(code)));
  }

  /** Settles when `text` is among what was printed. */
  async says(text: string): Promise<void> {
    while (!this.output.includes(text)) await new Promise((resolve) => this.child.once('said', resolve));
  }
}
