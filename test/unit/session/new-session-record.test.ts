// The record that a sign-in begins.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { newSessionId } from '../../../src/base/ids.ts';
import { newSessionRecord, userName } from '../../../src/session/new-session-record.ts';
import { aRecord } from '../../support/session-records.ts';

it('a new record takes a name for people from the claims, and is proven as of the beginning of its code exchange', () => {
  const facts = { ...aRecord(50), id: newSessionId(), claims: { preferred_username: 'ada' }, beganAt: 50, now: 80 };
  const record = newSessionRecord({ ...facts, userAgent: 'x'.repeat(10_000) });
  assert.equal(record.user, 'ada');
  assert.deepEqual([record.provenAt, record.createdAt, record.version], [50, 80, 1]);
  assert.equal(record.handle, facts.handle);
  assert.equal(record.userAgent.length, 256);
});

it('a user is called by preferred_username, else by email, else by sub, whatever shape the claims have', () => {
  assert.equal(userName({ preferred_username: 'ada', email: 'a@example.com' }, 'sub'), 'ada');
  assert.equal(userName({ preferred_username: ['ada'], email: 'a@example.com' }, 'sub'), 'a@example.com');
  assert.equal(userName({ preferred_username: '', email: 7 }, 'sub'), 'sub');
});
