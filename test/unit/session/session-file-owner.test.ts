// Who works with `session.memory.file`: one process, whose secret may change while it runs.

import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { ALIVE, anew, Gate, NEW, OLD, path, running, untilKnown, useFolder, written } from './gate-with-file.ts';

useFolder();

describe('two processes with one file', () => {
  it('are not two: the younger waits for the other to stop, says so, and has what that has left', async () => {
    const first = await Gate.start(ALIVE);
    await written();
    const second = new Gate({ ...ALIVE, quietMs: 50 });
    const restored = second.file.restore();
    while (second.warnings.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    assert.match(
      second.warnings[0]!,
      /^Another gate works with session\.memory\.file .*: this one waits for it to stop\.$/,
    );
    const [alice, bob] = [first.signIn(), first.signIn()];
    first.end(alice);
    await first.file.stop();
    await restored;
    assert.deepEqual([second.knows(alice), second.knows(bob)], [false, true]);
    assert.deepEqual([first.warnings.length, second.warnings.length], [0, 1]);
  });

  it('are refused where the other does not stop, with what to do, and that one goes on, whatever it is writing', async () => {
    const first = await Gate.start({ ...ALIVE, everyMs: 1 });
    await written();
    const writing = `${path}.abcdefghijkl.new`;
    await writeFile(writing, 'half');
    for (let i = 0; i < 5; i++) {
      await assert.rejects(new Gate({ quietMs: 50, waitMs: 1 }).file.restore(), {
        code: 'session_file_unusable',
        message: /another gate works with it\): stop that one first .*session\.store: redis$/,
      });
    }
    assert.equal((await stat(writing)).size, 4);
    const session = first.signIn();
    await first.file.stop();
    assert.deepEqual([(await Gate.start()).knows(session), first.warnings], [true, []]);
  });

  it('spoil nothing where the older gave no sign for a while: the younger has it, and the older says so soon', async () => {
    const first = await Gate.start({ everyMs: 5 });
    await written();
    const [alice, bob] = [first.signIn(), first.signIn()];
    const second = await untilKnown(alice, bob);
    const said = () =>
      first.warnings.filter((warning) => /Another process writes .* Give each its own\.$/.test(warning));
    while (said().length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    first.end(alice);
    second.end(bob);
    await first.file.stop();
    await second.file.stop();
    const next = await Gate.start();
    assert.deepEqual([next.knows(alice), next.knows(bob), next.warnings], [true, false, []]);
    assert.equal(said().length, 1);
  });

  it('are told apart by the next beat, long before anything is written anew', async () => {
    const first = await Gate.start({ beatMs: 5 });
    await written();
    const { ino } = await stat(path);
    const second = new Gate({});
    second.file.begin();
    running.push(second);
    await anew(ino);
    while (first.warnings.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    await first.file.stop();
    assert.equal(first.warnings.length, 1);
    assert.equal((await stat(path)).ino === ino, false);
    assert.deepEqual(second.warnings, []);
  });

  it('one that does not come to serve leaves it to the other', async () => {
    const first = await Gate.start();
    await written();
    const session = first.signIn();
    const second = new Gate({});
    await second.file.restore();
    await second.file.stop();
    await first.file.stop();
    assert.deepEqual([(await Gate.start()).knows(session), first.warnings], [true, []]);
  });
});

describe('a secret that changes while the gate runs', () => {
  it('seals everything anew at once, so that the former may go', async () => {
    const secrets = { current: [OLD] };
    const first = await Gate.start({ secrets });
    await written();
    const [alice, bob] = [first.signIn(), first.signIn()];
    const { ino } = await stat(path);
    secrets.current = [NEW, OLD];
    first.file.writeAnew();
    await anew(ino);
    first.end(bob);
    const next = await Gate.start({ secrets: { current: [NEW] } });
    assert.deepEqual([next.knows(alice), next.knows(bob), next.warnings], [true, false, []]);
  });

  it('also in the middle of a round, and where the former is in the list no more', async () => {
    const secrets = { current: [OLD] };
    const first = await Gate.start({ secrets });
    const session = first.signIn();
    const ends = first.store.ends.bind(first.store);
    first.store.ends = function* () {
      yield* ends();
      first.store.ends = ends;
      // All but the last frames are sealed with the former.
      secrets.current = [NEW];
      first.file.writeAnew();
    };
    await written();
    await anew((await stat(path)).ino);
    const next = await Gate.start({ secrets: { current: [NEW] } });
    assert.deepEqual([next.knows(session), next.warnings], [true, []]);
  });
});
