// `session.memory.file`: what one process leaves to the next (design: decided cases, a restart of the memory store).

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { describe, it, mock } from 'node:test';
import { lookAtPlace } from '../../../src/session/file/opening.ts';
import { aRecord, aTokenSet, ISSUER } from '../../support/session-records.ts';
import { anew, folder, Gate, left, NEW, OLD, path, untilKnown, useFolder } from './gate-with-file.ts';

useFolder();

describe('after a stop', () => {
  it('the next process has the same sessions, with their cookies, and none of them counts as proven', async () => {
    const first = await Gate.start();
    const [alice, bob] = [
      first.signIn({ user: 'alice', sid: undefined, tokens: aTokenSet({ refreshExpiresAt: 5 }) }),
      first.signIn({ user: 'bob', refusedAcr: ['2'] }),
    ];
    first.jars.write(alice, 'wiki', new Map([['/ a', 'a=1']]));
    await first.file.stop();
    const next = await Gate.start();
    const found = next.store.find(alice.record.id)!;
    assert.deepEqual(found.record, { ...alice.record, provenAt: 0 });
    assert.deepEqual(next.store.find(bob.record.id)!.record.refusedAcr, ['2']);
    assert.equal(found.lastSeenAt, alice.lastSeenAt);
    assert.deepEqual(next.jars.read(found, 'wiki'), ['a=1']);
    assert.deepEqual(
      next.store.list({}, 10, undefined).sessions.map(({ record }) => record.user),
      ['alice', 'bob'],
    );
    assert.deepEqual(
      next.store.end({ by: 'user', user: 'bob' }).map(({ record }) => record.handle),
      [bob.record.handle],
    );
    assert.deepEqual(next.warnings, []);
  });

  it('an end goes on refusing what it refused', async () => {
    const first = await Gate.start();
    const begun = aRecord(first.store.now(), { sid: 'one' });
    first.store.end({ by: 'sid', issuer: ISSUER, sid: 'one' });
    first.store.end({ by: 'sub_tokens', issuer: ISSUER, sub: 'b', issuedBeforeSeconds: 5_000_000_000 });
    await first.file.stop();
    const next = await Gate.start();
    assert.equal(next.store.create(begun), 'ended');
    assert.equal(next.store.create(aRecord(next.store.now(), { sub: 'b' })), 'ended');
    assert.notEqual(next.store.create(aRecord(next.store.now(), { sid: 'one' })), 'ended');
  });

  it('nobody but its user may read the file, and nothing of a session can be read in it', async () => {
    const [session] = await left();
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const text = await readFile(path, 'latin1');
    const { id, handle, user, sub, tokens } = session!.record;
    for (const secret of [id, handle, user, sub, tokens.accessToken, tokens.refreshToken!, ISSUER]) {
      assert.ok(!text.includes(secret), secret);
    }
    assert.deepEqual(await readdir(folder), ['sessions']);
  });

  it('time goes on from where it was, though the wall clock was set back', async () => {
    const [session] = await left({ wallMs: Date.UTC(2026, 5, 1) });
    const next = await Gate.start({ wallMs: Date.UTC(2026, 4, 1) });
    assert.ok(next.store.now() >= session!.record.createdAt);
    assert.ok(next.knows(session!));
  });

  it('where there is room for fewer, those that were active last come back', async () => {
    const first = await Gate.start();
    const sessions = Array.from({ length: 5 }, () => first.signIn());
    for (const session of sessions)
      Object.assign(session, { lastSeenAt: first.store.now() + sessions.indexOf(session) });
    await first.file.stop();
    const next = await Gate.start({ maxSessions: 2 });
    assert.deepEqual(
      sessions.map((session) => next.knows(session)),
      [false, false, false, true, true],
    );
    assert.equal(next.leftOut, 3);
    // And of those the one that was idle longest goes first.
    next.signIn();
    assert.deepEqual([next.knows(sessions[3]!), next.knows(sessions[4]!)], [false, true]);
  });

  it('while everything is being written anew, the file says that it was a stop, and nothing is written after that', async () => {
    mock.method(performance, 'now', () => 0);
    const first = await Gate.start({ everyMs: 0 });
    const session = first.signIn({ probe: 'refresh' });
    const ends = first.store.ends.bind(first.store);
    let stopped: Promise<void> | undefined;
    first.store.ends = function* () {
      stopped ??= first.file.stop();
      // Any timer that is set is due before this is written.
      const until = Date.now() + 5;
      while (Date.now() < until);
      yield* ends();
    };
    while (stopped === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
    await stopped;
    while ((await readdir(folder)).length > 1) await new Promise((resolve) => setTimeout(resolve, 1));
    assert.ok((await Gate.start()).knows(session));
  });

  it('with a refresh under way, what only a refresh can prove does not come back', async () => {
    const first = await Gate.start();
    const [alice, bob] = [first.signIn({ probe: 'refresh' }), first.signIn()];
    await first.file.stop('running');
    const next = await Gate.start();
    assert.deepEqual([next.knows(alice), next.knows(bob)], [false, true]);
  });

  it('a bearer token comes by itself, and what has no refresh token cannot be asked for: neither is kept', async () => {
    const first = await Gate.start();
    first.signIn({ kind: 'bearer' });
    first.signIn({ tokens: aTokenSet({ refreshToken: undefined }) });
    await first.file.stop();
    assert.deepEqual((await Gate.start()).restored, []);
  });

  it('with another first secret it is read, and written with that one', async () => {
    const [session] = await left();
    const both = await Gate.start({ secrets: { current: [NEW, OLD] } });
    assert.ok(both.knows(session!));
    await both.file.stop();
    assert.ok((await Gate.start({ secrets: { current: [NEW] } })).knows(session!));
  });
});

describe('a process that dies', () => {
  it('leaves the sessions that there were when it wrote last, without those that have ended since', async () => {
    const first = await Gate.start({ everyMs: 5 });
    const [alice, bob] = [first.signIn(), first.signIn()];
    const next = await untilKnown(alice, bob);
    next.end(bob);
    const last = await Gate.start();
    assert.deepEqual([last.knows(alice), last.knows(bob)], [true, false]);
  });

  it('has written down each end before anybody is told, also while everything is being written anew', async () => {
    const [alice, bob] = await left();
    const first = await Gate.start();
    // In the tick in which it begins: the new file is not there yet.
    first.end(alice!);
    assert.deepEqual([(await Gate.start()).knows(alice!), first.knows(bob!)], [false, true]);
  });

  it('has in the file that it wrote anew what ended during that', async () => {
    const [alice, bob] = await left();
    const { ino } = await stat(path);
    const first = await Gate.start();
    const ends = first.store.ends.bind(first.store);
    first.store.ends = function* () {
      yield* ends();
      // All that there was is on its way.
      first.end(alice!);
      first.store.ends = ends;
    };
    await anew(ino);
    const next = await Gate.start();
    assert.deepEqual([next.knows(alice!), next.knows(bob!)], [false, true]);
  });

  it('has there however many ends came during that', async () => {
    const [alice, bob] = await left();
    const { ino } = await stat(path);
    const first = await Gate.start();
    const ends = first.store.ends.bind(first.store);
    first.store.ends = function* () {
      yield* ends();
      // More than is read in one go.
      for (let i = 0; i < 2_500; i++) first.store.end({ by: 'user', user: `${i}`.padEnd(7_000) });
      first.end(alice!);
      first.store.ends = ends;
    };
    await anew(ino);
    const next = await Gate.start();
    assert.deepEqual([next.knows(alice!), next.knows(bob!), next.warnings], [false, true, []]);
  });

  it('does not bring back whom there was no room for', async () => {
    const sessions = await left();
    const { ino } = await stat(path);
    const first = await Gate.start({ maxSessions: 2 });
    await anew(ino);
    first.signIn();
    const there = sessions.filter((session) => first.knows(session));
    assert.equal(there.length, 1);
    const next = await Gate.start();
    assert.deepEqual(
      next.restored.map(({ record }) => record.id),
      there.map(({ record }) => record.id),
    );
  });

  it('in the middle of writing an end leaves what was written before it', async () => {
    const [alice, bob] = await left();
    const { ino } = await stat(path);
    const first = await Gate.start();
    await anew(ino);
    first.end(alice!);
    const { size } = await stat(path);
    first.end(bob!);
    await writeFile(path, (await readFile(path)).subarray(0, size + 7));
    const next = await Gate.start();
    assert.deepEqual([next.knows(alice!), next.knows(bob!), next.warnings], [false, true, []]);
    // And what is written from there on is read.
    next.end(bob!);
    fs.copyFileSync(path, `${path}-then`);
    const last = await Gate.start({ path: `${path}-then` });
    assert.deepEqual([last.knows(bob!), last.warnings], [false, []]);
  });

  it('may have used its refresh tokens: what only a refresh can prove does not come back; after a stop it does', async () => {
    const first = await Gate.start();
    const session = first.signIn({ probe: 'refresh' });
    await first.file.stop();
    const stopped = await Gate.start();
    assert.deepEqual([stopped.knows(session), stopped.leftOut], [true, 0]);
    const died = await Gate.start();
    assert.deepEqual([died.knows(session), died.leftOut], [false, 1]);
  });

  it('leaves no half-written file beside the other for long', async () => {
    await left();
    await writeFile(`${path}.abcdefghijkl.new`, 'half');
    await writeFile(`${path}.of-somebody`, 'else');
    await (await Gate.start()).file.stop();
    assert.deepEqual((await readdir(folder)).sort(), ['sessions', 'sessions.of-somebody']);
  });
});

const CURED =
  /session\.memory\.file .* cannot be used \((ENOENT\): make the folder|EISDIR\): that is a folder|EEXIST\):).* or name another file$/;

describe('a file that cannot be used', () => {
  const spoilings: Readonly<Record<string, (file: Buffer) => Buffer>> = {
    'is empty': () => Buffer.alloc(0),
    "is another program's": () => Buffer.from('#!/bin/sh\necho hello\n'.repeat(100)),
    'is of a newer version': (file) =>
      Buffer.from(file.toString('latin1').replace('sessions 1 ', 'sessions 2 '), 'latin1'),
    'ends in its first line': (file) => file.subarray(0, 20),
    'ends behind its first line': (file) => file.subarray(0, file.indexOf(10) + 1),
    'ends half-way': (file) => file.subarray(0, file.length / 2),
    'has a bit turned in its middle': (file) => turned(file, file.length / 2),
    'has a bit turned in its last byte': (file) => turned(file, file.length - 1),
    'has a bit turned in a length': (file) => turned(file, file.indexOf(10) + 1),
    'is that of another file from some place on': (file) => Buffer.concat([file, file.subarray(file.indexOf(10) + 1)]),
  };
  for (const [what, spoil] of Object.entries(spoilings)) {
    it(`because it ${what} is told of in one line and kept aside, and everybody signs in again`, async () => {
      const sessions = await left();
      const spoiled = spoil(await readFile(path));
      await writeFile(path, spoiled);
      const next = await Gate.start();
      assert.deepEqual([next.restored.length, next.warnings.length], [0, 1], next.warnings.join());
      assert.match(next.warnings[0]!, /^session\.memory\.file .*sign.* in again.*$/);
      const session = next.signIn();
      await next.file.stop();
      assert.deepEqual(await readFile(`${path}.unusable`), spoiled);
      const last = await Gate.start();
      assert.deepEqual([last.knows(session), last.knows(sessions[0]!)], [true, false]);
    });
  }

  for (const [what, options] of Object.entries({
    'another secret': { secrets: { current: [NEW] } },
    'another provider': { issuer: 'https://sso.example.com/realms/other' },
    'another client': { clientId: 'shop-gate' },
  })) {
    it(`because it belongs to ${what} signs nobody in`, async () => {
      await left();
      const next = await Gate.start(options);
      assert.deepEqual([next.restored.length, next.warnings.length], [0, 1]);
    });
  }

  for (const [what, at] of Object.entries({
    'in a folder that is not there': () => join(folder, 'none', 'sessions'),
    'that is a folder': () => folder,
  })) {
    it(`${what} is refused at the start, with what to do`, async () => {
      await assert.rejects(new Gate({ path: at() }).file.restore(), {
        code: 'session_file_unusable',
        message: CURED,
      });
      await assert.rejects(lookAtPlace(at()), { code: 'session_file_unusable', message: CURED });
    });
  }

  it('because the disk is full goes: an end that it does not know of must not be undone by it', async () => {
    const [alice] = await left();
    const first = await Gate.start();
    failing('ENOSPC', 'writeSync');
    first.end(alice!);
    assert.equal(first.knows(alice!), false);
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name === 'sessions'),
      [],
    );
    assert.match(first.warnings[0]!, /was removed.*ENOSPC/);
    mock.restoreAll();
    syncBuiltinESMExports();
    assert.equal((await Gate.start()).knows(alice!), false);
  });

  for (const [what, asked] of Object.entries({
    'cannot be removed': ['rmSync'],
    'cannot even be looked at': ['fstatSync', 'closeSync'],
  } as const)) {
    it(`because its disk fails and that ${what} is emptied, and the end is one all the same`, async () => {
      const [alice] = await left();
      const first = await Gate.start();
      failing('EIO', 'writeSync', ...asked);
      first.end(alice!);
      assert.equal(first.knows(alice!), false);
      assert.match(first.warnings[0]!, /was emptied.*EIO/);
      mock.restoreAll();
      syncBuiltinESMExports();
      assert.equal((await Gate.start()).knows(alice!), false);
    });
  }

  it('because nothing can be changed there any more holds up no end, and somebody is told to remove it', async () => {
    const [alice] = await left();
    const first = await Gate.start();
    failing('EROFS', 'writeSync', 'rmSync', 'ftruncateSync');
    first.end(alice!);
    assert.equal(first.knows(alice!), false);
    assert.match(first.warnings[0]!, /must be removed by hand before the next start \(EROFS\)/);
  });
});

function failing(
  code: string,
  ...calls: readonly ('writeSync' | 'rmSync' | 'fstatSync' | 'ftruncateSync' | 'closeSync')[]
): void {
  for (const call of calls) {
    mock.method(fs, call, () => {
      throw Object.assign(new Error('the disk fails'), { code });
    });
  }
  syncBuiltinESMExports();
}

function turned(file: Buffer, at: number): Buffer {
  const copy = Buffer.from(file);
  copy[Math.floor(at)]! ^= 1;
  return copy;
}
