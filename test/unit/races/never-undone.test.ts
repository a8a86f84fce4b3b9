// Everything that may be under way when a notice comes, in every order (design: the promise; never undone). Nothing here is
// timed: a schedule decides who goes on at each wait, and the same schedule is the same run.
//
// Every schedule means: each one, or one that differs from it only in the order of steps that have nothing to do with one
// another (test/support/explorer/explore.ts). More activities at once: all-at-once.test.ts.
//
// EXPLORE_SCHEDULE: a schedule, as a failure prints it, to be played instead of all that.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BROKEN_GATES, WHOLE_GATES } from '../../support/explorer/gates.ts';
import {
  type Counterexample,
  explore,
  inWords,
  ONE_BESIDE,
  ONE_BESIDE_ANOTHER_KIND,
  replay,
  TWO_WITHOUT,
} from '../../support/explorer/scenarios.ts';

const { EXPLORE_SCHEDULE } = process.env;

function none(counterexample: Counterexample | undefined): void {
  if (counterexample !== undefined) assert.fail(inWords(counterexample));
}

if (EXPLORE_SCHEDULE !== undefined) {
  it('the schedule that was asked for keeps the promise', async () => {
    const played = await replay(EXPLORE_SCHEDULE, { ...WHOLE_GATES, ...BROKEN_GATES });
    if (played.violation !== undefined) assert.fail(inWords({ name: EXPLORE_SCHEDULE, played }));
  });
} else {
  for (const gate of Object.entries(WHOLE_GATES)) {
    describe(`once a notice is answered, over the ${gate[0]} store, nothing of the session goes on`, () => {
      it('in any schedule of up to three preemptions of the notice and one other activity', async (t) => {
        const { schedules, counterexample } = await explore(gate, ONE_BESIDE, { preemptions: 3 });
        none(counterexample);
        t.diagnostic(`${schedules} schedules`);
      });

      it('in any schedule of up to two preemptions of a notice of another kind and one other activity', async (t) => {
        const { schedules, counterexample } = await explore(gate, ONE_BESIDE_ANOTHER_KIND, { preemptions: 2 });
        none(counterexample);
        t.diagnostic(`${schedules} schedules`);
      });
    });

    it(`as long as no notice comes, over the ${gate[0]} store, everybody is signed in and let through`, async () => {
      none((await explore(gate, TWO_WITHOUT, { preemptions: 0 })).counterexample);
    });
  }
}
