// Plays one schedule of one world. A schedule is a list of choices: at each, everything that ran has come to a wait, and
// the number says who goes on. The same list in the same world is the same run.

import { type Activity, begin, signIn } from './activities.ts';
import type { Turns, Waiting } from './turns.ts';
import { World, type WorldParts } from './world.ts';

/** Who may be chosen; in an order in which 0 is who goes on by itself. */
export interface Options {
  readonly count: number;
  /** The first so many cost nothing. Any other is a preemption: of the one that ran last and could go on, or, by work that
   *  nobody waits for, of everybody. */
  readonly free: number;
}

export type Choose = (options: Options) => number;

export interface Played {
  readonly choices: readonly number[];
  readonly options: readonly Options[];
  /** Every step in words. */
  readonly steps: readonly string[];
  /** What should never be; undefined where the promise was kept. */
  readonly violation: string | undefined;
}

/** Longer than any schedule that ends. */
const MOST_STEPS = 1_000;

/** Runs `activities` in a new world, in the order that `choose` decides. */
export async function playSchedule(
  parts: WorldParts,
  activities: readonly Activity[],
  choose: Choose,
): Promise<Played> {
  const world = new World(parts);
  const { turns, witness } = world;
  const choices: number[] = [];
  const options: Options[] = [];
  const steps: string[] = [];
  try {
    const running = await begin(world, activities);
    const failed = Promise.all(running).then(() => undefined, describeFailure);
    while (turns.waiting.length > 0 && !witness.violation) {
      const ready = inOrder(turns);
      const option = { count: ready.length, free: countFree(ready, turns) };
      const choice = choose(option);
      const next = ready[choice];
      if (next === undefined) throw new Error(`there is no choice ${choice} among ${ready.length}`);
      if (choices.push(choice) > MOST_STEPS) throw new Error('it goes on for ever');
      options.push(option);
      steps.push(`${next.actor}: ${next.what}`);
      turns.letGo(next);
      await quiet();
      witness.check();
    }
    witness.violation ??= await Promise.race([failed, quiet().then(() => 'something waits for ever')]);
    if (witness.violation === undefined) {
      turns.open();
      // Whatever happened, who signs in now is signed in.
      await signIn(world, 'new browser');
      for (let turn = 0; turn < 5; turn++) await quiet();
      witness.checkEnd();
    }
  } catch (error) {
    witness.violation ??= describeFailure(error);
  } finally {
    world.close();
  }
  return { choices, options, steps, violation: witness.violation };
}

/** The one that ran last, then the others, then what nobody waits for; the oldest first. */
function inOrder({ waiting, actor }: Turns): Waiting[] {
  const rank = (one: Waiting): number => (one.isBehind ? 2 : one.actor === actor ? 0 : 1);
  return waiting.toSorted((a, b) => rank(a) - rank(b));
}

function countFree(ready: readonly Waiting[], { actor }: Turns): number {
  const inFront = ready.filter(({ isBehind }) => !isBehind);
  return inFront.filter((one) => one.actor === actor).length || inFront.length || 1;
}

function describeFailure(error: unknown): string {
  return `it fails: ${error instanceof Error ? error.stack : String(error)}`;
}

/** Resolves when everything that can go on without a choice has. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
