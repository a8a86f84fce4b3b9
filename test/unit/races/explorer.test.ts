// The explorer proves itself: a gate that lacks any one of the checks by which the promise is kept is found out, and the
// schedule that shows it can be played again.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseAtRandom, everySchedule, type Play } from '../../support/explorer/explore.ts';
import { BROKEN_GATES, WHOLE_GATES } from '../../support/explorer/gates.ts';
import { type Choose, type Options, type Played, playSchedule } from '../../support/explorer/play-schedule.ts';
import { explore, inWords, ONE_BESIDE, replay, type Scenario, TWO_BESIDE } from '../../support/explorer/scenarios.ts';
import { newFootprint } from '../../support/explorer/turns.ts';
import type { WorldParts } from '../../support/explorer/world.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const AT_MOST = 10_000;

describe('the explorer finds, within 10 000 schedules, a gate over', () => {
  for (const gate of Object.entries(BROKEN_GATES)) {
    it(`${gate[0]}, and the schedule that it prints shows it again`, async (t) => {
      const scenarios = [...ONE_BESIDE, ...TWO_BESIDE];
      const { schedules, counterexample } = await explore(gate, scenarios, { preemptions: 3, atMost: AT_MOST });
      assert.ok(counterexample !== undefined, `not found in ${schedules} schedules`);
      const again = await replay(counterexample.name, BROKEN_GATES);
      assert.deepEqual(again, counterexample.played);
      assert.ok(inWords(counterexample).includes(`EXPLORE_SCHEDULE='${counterexample.name}'`));
      t.diagnostic(`schedule ${schedules}:\n${inWords(counterexample)}`);
    });
  }
});

describe('the explorer', () => {
  it('plays the same schedule as the same run', async () => {
    for (const [name, parts] of Object.entries(WHOLE_GATES)) {
      const scenario = ['notice', 'login', 'relogin', 'refresh', 'touch', 'save', 'upgrade', 'probe'] as const;
      const play = (choose: Choose) => playSchedule(parts, scenario, choose);
      const first = await play(chooseAtRandom(seededRandom(7)));
      assert.ok(first.steps.length > 40, name);
      assert.deepEqual(
        await replay(`${name} | ${scenario.join(' ')} | ${first.choices.join('.')}`, WHOLE_GATES),
        first,
      );
    }
  });

  it('plays each schedule of few preemptions once, and none with more', async () => {
    // Two actors of two steps each: A1 A2 B1 B2 in every order that keeps each one's own.
    const all = await ordersOfTwo({ preemptions: 3 });
    assert.deepEqual(all.toSorted(), ['AABB', 'ABAB', 'ABBA', 'BAAB', 'BABA', 'BBAA']);
    assert.deepEqual((await ordersOfTwo({ preemptions: 0 })).toSorted(), ['AABB', 'BBAA']);
    assert.deepEqual((await ordersOfTwo({ preemptions: 1 })).toSorted(), ['AABB', 'ABBA', 'BAAB', 'BBAA']);
  });

  it('plays one order of steps that have nothing to do with one another', async () => {
    const counted = async (shared: string): Promise<number> => {
      let whole = 0;
      const play = async (choose: Choose) => {
        const played = playTwo(choose, shared);
        if (played.isWhole) whole++;
        return played;
      };
      await everySchedule(play, { preemptions: 3 });
      return whole;
    };
    assert.equal(await counted(''), 1);
    assert.equal(await counted('A1 A2 B1 B2'), 6);
  });

  it('stops where it was told to', async () => {
    assert.equal((await ordersOfTwo({ preemptions: 3, atMost: 4 })).length, 4);
  });

  for (const [name, parts] of Object.entries(WHOLE_GATES)) {
    it(`comes to everything that playing every order comes to, over the ${name} store`, async () => {
      const pairs = [...ONE_BESIDE, ['refresh', 'save'], ['refresh', 'probe'], ['save', 'probe']] as const;
      const preemptions = name === 'memory' ? 2 : 1;
      for (const pair of pairs) {
        const [each, all] = [new Set<string>(), new Set<string>()];
        await everySchedule(noting(all, parts, pair), { preemptions, everyOrder: true });
        await everySchedule(noting(each, parts, pair), { preemptions });
        assert.deepEqual(all.difference(each), new Set(), pair.join(' '));
      }
    });
  }
});

/** Plays schedules, and keeps what they come to. */
function noting(outcomes: Set<string>, parts: WorldParts, pair: Scenario): Play {
  return async (choose) => {
    const played = await playSchedule(parts, pair, choose);
    if (played.isWhole) outcomes.add(played.outcome);
    return played;
  };
}

/** The schedules that are played of two actors with two steps each. */
async function ordersOfTwo(limits: { preemptions: number; atMost?: number }): Promise<string[]> {
  const orders: string[] = [];
  await everySchedule(async (choose) => {
    const played = playTwo(choose, 'A1 A2 B1 B2');
    if (played.isWhole) orders.push(played.steps.join(''));
    return played;
  }, limits);
  return orders;
}

/** The steps that `changing` names all change the same thing. */
function playTwo(choose: Choose, changing: string): Played {
  const left: Record<string, number> = { A: 2, B: 2 };
  let before = newFootprint();
  const [choices, options, steps]: [number[], Options[], string[]] = [[], [], []];
  for (;;) {
    const ready = Object.keys(left).filter((actor) => left[actor]! > 0);
    const played = { choices, options, steps, outcome: '', violation: undefined };
    if (ready.length === 0) return { ...played, isWhole: true };
    const last = steps.at(-1)!;
    const ordered = ready.toSorted((a, b) => Number(b === last) - Number(a === last));
    const option = {
      ready: ordered.map((actor) => ({ actor, order: 10 * left[actor]! + actor.charCodeAt(0) })),
      costs: ordered.map((actor) => Number(ready.includes(last) && actor !== last)),
      before,
    };
    const choice = choose(option);
    if (choice === undefined) return { ...played, isWhole: false };
    before = newFootprint();
    const step = `${ordered[choice]}${3 - left[ordered[choice]!]!}`;
    if (changing.includes(step)) before.changes.add('it');
    left[ordered[choice]!]!--;
    choices.push(choice);
    options.push(option);
    steps.push(ordered[choice]!);
  }
}
