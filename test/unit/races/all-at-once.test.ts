// All that the promise names at once: notice, login, refresh, touch, save, upgrade and probe. Every schedule, or one that
// differs from it only in the order of steps that have nothing to do with one another, as far as there is time for that;
// beyond it schedules by chance, of more activities and with any number of preemptions.
//
// EXPLORE_PREEMPTIONS: every schedule of up to one preemption fewer than this.
// EXPLORE_SECONDS: how long random schedules are played. EXPLORE_SEED: which ones.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WHOLE_GATES } from '../../support/explorer/gates.ts';
import { ALL, type Counterexample, explore, exploreAtRandom, inWords } from '../../support/explorer/scenarios.ts';

const { EXPLORE_PREEMPTIONS, EXPLORE_SECONDS = '1', EXPLORE_SEED = '1' } = process.env;

/** The stepped store has about twice the steps, and many times the schedules. */
const PREEMPTIONS: Readonly<Record<string, number>> = { memory: 0, stepped: -1 };

function none(counterexample: Counterexample | undefined): void {
  if (counterexample !== undefined) assert.fail(inWords(counterexample));
}

for (const gate of Object.entries(WHOLE_GATES)) {
  const preemptions = EXPLORE_PREEMPTIONS === undefined ? PREEMPTIONS[gate[0]]! : Number(EXPLORE_PREEMPTIONS) - 1;
  describe(`once a notice is answered, over the ${gate[0]} store, nothing of the session goes on`, () => {
    if (preemptions >= 0) {
      it(`in any schedule of up to ${preemptions} preemptions of all seven activities`, async (t) => {
        const { schedules, counterexample } = await explore(gate, [ALL], { preemptions });
        none(counterexample);
        t.diagnostic(`${schedules} schedules`);
      });
    }

    it('in random schedules of everything', async (t) => {
      const limits = { seed: Number(EXPLORE_SEED), seconds: Number(EXPLORE_SECONDS) };
      const { schedules, counterexample } = await exploreAtRandom(gate, limits);
      none(counterexample);
      t.diagnostic(`${schedules} schedules`);
    });
  });
}
