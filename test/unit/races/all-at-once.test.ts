// Three of what the promise names at once, and all seven: notice, login, refresh, touch, save, upgrade and probe. Every schedule, or one that
// differs from it only in the order of steps that have nothing to do with one another, as far as there is time for that;
// beyond it schedules by chance, of more activities and with any number of preemptions.
//
// EXPLORE_PREEMPTIONS: up to how many preemptions every schedule of the notice and two others is played; of all seven, up to
// one fewer over the memory store, and two fewer over the stepped one.
// EXPLORE_SECONDS: how long random schedules are played. EXPLORE_SEED: which ones.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WHOLE_GATES } from '../../support/explorer/gates.ts';
import {
  ALL,
  type Counterexample,
  explore,
  exploreAtRandom,
  inWords,
  TWO_BESIDE,
} from '../../support/explorer/scenarios.ts';

const { EXPLORE_PREEMPTIONS, EXPLORE_SECONDS = '1', EXPLORE_SEED = '1' } = process.env;

/** Of the notice and two others; the stepped store has about twice the steps, and many times the schedules. */
const PREEMPTIONS: Readonly<Record<string, number>> = { memory: 1, stepped: 0 };
const FEWER_OF_ALL: Readonly<Record<string, number>> = { memory: 1, stepped: 2 };

function none(counterexample: Counterexample | undefined): void {
  if (counterexample !== undefined) assert.fail(inWords(counterexample));
}

for (const gate of Object.entries(WHOLE_GATES)) {
  const preemptions = Number(EXPLORE_PREEMPTIONS ?? PREEMPTIONS[gate[0]]);
  const ofAll = preemptions - FEWER_OF_ALL[gate[0]]!;
  describe(`once a notice is answered, over the ${gate[0]} store, nothing of the session goes on`, () => {
    it(`in any schedule of up to ${preemptions} preemptions of the notice and two other activities`, async (t) => {
      const { schedules, counterexample } = await explore(gate, TWO_BESIDE, { preemptions });
      none(counterexample);
      t.diagnostic(`${schedules} schedules`);
    });

    if (ofAll >= 0) {
      it(`in any schedule of up to ${ofAll} preemptions of all seven activities`, async (t) => {
        const { schedules, counterexample } = await explore(gate, [ALL], { preemptions: ofAll });
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
