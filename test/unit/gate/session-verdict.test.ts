// What a user may have is judged once, and never remembered for longer, or for more, than it holds.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileRouteTable } from '../../../src/access/route-table.ts';
import type { Claims } from '../../../src/base/tokens.ts';
import type { GateMatch, GateRoute } from '../../../src/gate/gate-route.ts';
import { createSessionVerdict } from '../../../src/gate/session-verdict.ts';
import type { SessionRecord } from '../../../src/session/session-record.ts';

const RULES = Array.from({ length: 70 }, (_, at) => ({ path: `/area-${at}`, groups: [`/group-${at}`] }));
const TABLE = compileRouteTable([{ name: 'app', ambiguousPaths: 'forward', access: RULES } as unknown as GateRoute]);

function matchOf(target: string): GateMatch {
  const match = TABLE.match('wiki.example.com', target, 'GET');
  assert.ok(match.kind === 'route');
  return match;
}

/** A record whose groups can be counted by how often they are read. */
function recordWith(groups: readonly string[]): { record: SessionRecord; reads: () => number } {
  let reads = 0;
  const claims: Claims = Object.defineProperty({}, 'groups', {
    get: () => {
      reads++;
      return groups;
    },
  });
  return { record: { claims } as SessionRecord, reads: () => reads };
}

describe('the verdict on a session', () => {
  it('is that of each rule by itself, however often it is asked and whatever was asked before', () => {
    const verdict = createSessionVerdict();
    const even = RULES.flatMap(({ groups }, at) => (at % 2 === 0 ? groups : []));
    const { record, reads } = recordWith(even);
    for (let round = 0; round < 3; round++) {
      for (let at = RULES.length - 1; at >= 0; at--) {
        const expected = at % 2 === 0 ? 'allowed' : { acr: undefined };
        assert.deepEqual(verdict(matchOf(`/area-${at}/page`), record), expected, `rule ${at}`);
      }
    }
    assert.equal(reads(), 35 + 3 * 35, 'allowed is judged once, refused each time');
  });

  it('of one record says nothing of another one', () => {
    const verdict = createSessionVerdict();
    assert.equal(verdict(matchOf('/area-1'), recordWith(['/group-1']).record), 'allowed');
    assert.notEqual(verdict(matchOf('/area-1'), recordWith([]).record), 'allowed');
  });

  it('of a path that is read in several ways is made anew: such matches have no end', () => {
    const verdict = createSessionVerdict();
    const { record, reads } = recordWith(['/group-1', '/group-2']);
    const both = '/area-1/../area-2';
    assert.equal(verdict(matchOf(both), record), 'allowed');
    assert.equal(verdict(matchOf(both), record), 'allowed');
    assert.equal(reads(), 4);
    assert.notEqual(verdict(matchOf(both), recordWith(['/group-1']).record), 'allowed');
  });
});
