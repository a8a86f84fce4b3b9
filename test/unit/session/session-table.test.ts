// The table as both stores use it: ending whoever is there is as quick as ending some of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MemorySession, SessionTable } from '../../../src/session/session-table.ts';
import { aRecord } from '../../support/session-records.ts';

const MOST = 200_000;

for (const count of [1, 3_000]) {
  test(`after an end of everybody, ${count} of them, the table is empty and as good as new`, () => {
    const table = new SessionTable(count);
    const before = fill(table, count);
    table.endEach(before);
    assert.ok(before.every(({ ended }) => ended));
    assert.equal(table.size, 0);
    assert.deepEqual([...table.all()], []);
    const { issuer, sub, user, id } = before[0]!.record;
    assert.deepEqual(table.select({ by: 'sub', issuer, sub }), []);
    assert.deepEqual(table.select({ by: 'user', user }), []);
    assert.equal(table.find(id), undefined);
    const [after, evicted] = table.add(aRecord(2), { sequence: 0, lastSeenAt: 2 });
    assert.equal(evicted, undefined);
    assert.equal(after.ended, false);
    assert.equal(table.find(after.record.id), after);
    table.endEach([after]);
    assert.equal(after.ended, true);
    assert.equal(table.size, 0);
  });
}

test('an end of some leaves the others as they were', () => {
  const table = new SessionTable(MOST);
  const sessions = fill(table, 2_001);
  table.endEach(sessions.slice(1));
  assert.equal(table.size, 1);
  assert.equal(sessions[0]!.ended, false);
  assert.equal(table.find(sessions[0]!.record.id), sessions[0]);
});

test('ending the only session does not take as long as the table is large', () => {
  const layingOut = processorMs(() => new SessionTable(MOST));
  const table = new SessionTable(MOST);
  const ending = processorMs(() => table.endEach(fill(table, 1)));
  assert.ok(ending < layingOut / 20, `20 ends took ${ending} ms, 20 new tables ${layingOut} ms`);
});

function fill(table: SessionTable, count: number): MemorySession[] {
  return Array.from({ length: count }, (_, sequence) => table.add(aRecord(1), { sequence, lastSeenAt: 1 })[0]);
}

/** Of 20 times, so that a pause says little. */
function processorMs(work: () => void): number {
  const before = process.cpuUsage();
  for (let time = 0; time < 20; time++) work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
