// Whether a session's user may have what was matched, judged once per record and match: both are immutable, so that what
// was allowed stays allowed until there is another record. Refusals are rare, and judged each time.

import { judge, type Verdict } from '../access/route-match.ts';
import type { SessionRecord } from '../session/session-record.ts';
import type { GateMatch } from './gate-route.ts';

export type SessionVerdict = (match: GateMatch, record: SessionRecord) => Verdict;

/** One per snapshot: its matches have numbers of their own. */
export function createSessionVerdict(): SessionVerdict {
  /** By record, a bit for each match by its number; goes with the record, and no request makes it longer than the table. */
  const allowed = new WeakMap<SessionRecord, number[]>();
  return (match, record) => {
    const { number } = match;
    if (number === undefined) return judge(match, record.claims);
    const word = number >>> 5;
    const bit = 1 << (number & 31);
    const known = allowed.get(record);
    if (known !== undefined && word < known.length && known[word]! & bit) return 'allowed';
    const verdict = judge(match, record.claims);
    if (verdict === 'allowed') {
      const bits = known ?? [];
      while (bits.length <= word) bits.push(0);
      bits[word]! |= bit;
      if (known === undefined) allowed.set(record, bits);
    }
    return verdict;
  };
}
