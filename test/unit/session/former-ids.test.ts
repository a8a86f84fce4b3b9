// The bounds of replaced ids; how long they are good is in the contract of the stores.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { newSessionId } from '../../../src/base/ids.ts';
import { FormerIds } from '../../../src/session/former-ids.ts';
import { aRecord } from '../../support/session-records.ts';

it('somebody who signs in again and again does not fill the memory with old ids', () => {
  const session = { record: aRecord(0), lastSeenAt: 0, ended: false };
  const formerIds = new FormerIds();
  const ids = Array.from({ length: 10_100 }, () => newSessionId());
  for (const id of ids) formerIds.add(id, session, 0);
  assert.equal(formerIds.find(ids[0]!, 1), undefined);
  assert.equal(formerIds.find(ids[99]!, 1), undefined);
  assert.equal(formerIds.find(ids[100]!, 1), session);
  assert.equal(formerIds.find(ids.at(-1)!, 1), session);
});
