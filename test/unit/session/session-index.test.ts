// Sets of sessions by name (security catalogue BCL-16: an index that a later or an earlier session clobbers).

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { SessionIndex } from '../../../src/session/session-index.ts';
import type { StoredSession } from '../../../src/session/session-record.ts';
import { aRecord } from '../../support/session-records.ts';

function aSession(): StoredSession {
  return { record: aRecord(0), lastSeenAt: 0, ended: false };
}

it('an index gives back everybody of a name, in any order of coming and going, and forgets names that nobody has', () => {
  const index = new SessionIndex();
  const [a, b, c] = [aSession(), aSession(), aSession()];
  for (const session of [a, b, a, c]) index.add('name', session);
  assert.deepEqual(index.get('name'), [a, b, c]);
  index.delete('name', a);
  assert.deepEqual(index.get('name'), [b, c]);
  index.delete('name', c);
  index.delete('name', b);
  assert.deepEqual([index.get('name'), index.size], [[], 0]);
});

it('taking out a session that is not there takes out no other of the same name', () => {
  const index = new SessionIndex();
  const [a, b, c] = [aSession(), aSession(), aSession()];
  index.add('name', a);
  index.delete('name', b);
  assert.deepEqual(index.get('name'), [a]);
  index.add('name', b);
  index.delete('name', c);
  assert.deepEqual(index.get('name'), [a, b]);
  index.delete('other name', a);
  assert.deepEqual(index.get('name'), [a, b]);
});
