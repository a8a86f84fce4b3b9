// A session that is not remembered, read together with the ends that would refuse it.

import { isRefused, namesOfRecord } from '../end-names.ts';
import type { EndsBus } from './ends-bus.ts';
import type { Home, RedisKeys } from './redis-keys.ts';
import type { RedisRecords } from './redis-records.ts';
import type { SharedEnds } from './shared-ends.ts';
import { aliasIn, endsIn, type StoredRecord } from './stored-record.ts';

export interface ColdReadParts {
  readonly bus: EndsBus;
  readonly keys: RedisKeys;
  readonly records: RedisRecords;
  readonly ends: SharedEnds;
}

export interface Found {
  /** Undefined where there is none that can be read. */
  readonly stored: StoredRecord | undefined;
  /** Whether the store or what was heard refuses it, as of this turn. */
  readonly isEnded: boolean;
}

/**
 * In two questions: the record, and then the ends.
 * @throws GatewayError `store_unavailable`
 */
export async function readInTwo({ records, ends }: ColdReadParts, home: Home): Promise<Found> {
  const stored = await records.read(home);
  return { stored, isEnded: stored !== undefined && (await ends.isEnded(stored.record)) };
}

/**
 * In one question, where one server has everything: the names of the ends are beside the record. Nothing vouches for them
 * but what is sealed in the record, so they are only believed where they are the same.
 * @throws GatewayError `store_unavailable`
 */
export async function readInOne(parts: ColdReadParts, home: Home): Promise<Found> {
  const { bus, keys, records, ends } = parts;
  const { values, tombstonesOf } = await bus.readAt(keys.session(home));
  if (aliasIn(values) !== undefined) return readInTwo(parts, home);
  const stored = records.decode(home, values);
  if (stored === undefined) return { stored, isEnded: false };
  if (stored.ends === undefined || stored.ends !== endsIn(values)) return readInTwo(parts, home);
  if (ends.refuses(stored.record)) return { stored, isEnded: true };
  if (tombstonesOf === undefined) return { stored, isEnded: false };
  const tombstones = tombstonesOf(namesOfRecord(stored.record));
  return { stored, isEnded: isRefused(stored.record, (name) => tombstones.get(name)) };
}
