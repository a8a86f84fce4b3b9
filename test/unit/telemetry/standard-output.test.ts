// The real standard output of a real process, blocked and closed (design: decided.md, "Standard output closed or blocked").

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';

const TELEMETRY = new URL('../../../src/telemetry/telemetry.ts', import.meta.url).href;

/** Logs 20 MB in rounds of the event loop, then says on standard error how that went, and ends. */
const CHILD = `
import { writeSync } from 'node:fs';
import { createTelemetry } from ${JSON.stringify(TELEMETRY)};
const telemetry = createTelemetry({ level: 'info', format: 'json', clock: { now: Date.now, monotonicMs: () => 0 } });
const event = { event: 'gate.warning', code: 'x', message: 'y '.repeat(200) };
let rounds = 0;
const timer = setInterval(async () => {
  for (let count = 0; count < 1000; count++) telemetry.emit(event);
  if (++rounds < 40) return;
  clearInterval(timer);
  const waiting = process.stdout.writableLength;
  await telemetry.flush();
  writeSync(2, JSON.stringify({ rounds, waiting }) + '\\n');
  process.exit(0);
}, 1);
`;

async function run(onStart: (child: ReturnType<typeof spawnChild>) => void) {
  const child = spawnChild();
  onStart(child);
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += String(chunk);
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, said };
}

function spawnChild() {
  return spawn(process.execPath, ['--input-type=module', '-e', CHILD], { stdio: ['ignore', 'pipe', 'pipe'] });
}

describe('standard output', () => {
  it('that nobody reads holds up nothing, and bounded memory waits for a reader', async () => {
    // A pipe without a reader: 64 KiB fit into it, then it blocks.
    const { code, said } = await run((child) => child.stdout.pause());
    assert.equal(code, 0, said);
    assert.match(said, /^portcullis: nobody reads the log; serving goes on[^\n]*\n/);
    const { rounds, waiting } = JSON.parse(said.trim().split('\n').at(-1)!) as { rounds: number; waiting: number };
    assert.equal(rounds, 40);
    assert.ok(waiting > 500_000 && waiting < 1_200_000, `${waiting} bytes wait`);
  });

  it('that is closed ends nothing', async () => {
    const { code, said } = await run((child) => child.stdout.destroy());
    assert.equal(code, 0, said);
    assert.match(said, /the log's destination is closed \(EPIPE\); serving goes on without a log\n/);
    assert.match(said, /"rounds":40/);
  });
});
