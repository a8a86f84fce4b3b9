// Plays one schedule of one world. A schedule is a list of choices: at each, everything that ran has come to a wait, and
// the number says who goes on. The same list in the same world is the same run.

import { type Activity, begin, signIn } from './activities.ts';
import { type Footprint, newFootprint, type Turns, type Waiting } from './turns.ts';
import { World, type WorldParts } from './world.ts';

/** Who may be chosen; in an order in which 0 is who goes on by itself. */
export interface Options {
  readonly ready: readonly Pick<Waiting, 'actor' | 'order'>[];
  /**
   * In preemptions, each no less than the one before. One where the actor that ran last could go on and another is chosen;
   * one for work that nobody waits for, where somebody else could go on.
   */
  readonly costs: readonly number[];
  /** What the step before had to do with the others. */
  readonly before: Footprint;
}

/** undefined: gives the schedule up. */
export type Choose = (options: Options) => number | undefined;

export interface Played {
  readonly choices: readonly number[];
  readonly options: readonly Options[];
  /** Every step in words. */
  readonly steps: readonly string[];
  /** False where it was given up. */
  readonly isWhole: boolean;
  /** What each actor did and what came of it, whatever was done in between by the others. */
  readonly outcome: string;
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
  let outcome = '';
  try {
    const running = await begin(world, activities);
    const failed = Promise.all(running).then(() => undefined, describeFailure);
    let before = newFootprint();
    while (turns.waiting.length > 0 && !witness.violation) {
      const ready = inOrder(turns);
      const option = {
        ready: ready.map(({ actor, order }) => ({ actor, order })),
        costs: costsOf(ready, turns),
        before,
      };
      const choice = choose(option);
      if (choice === undefined) return { choices, options, steps, isWhole: false, outcome: '', violation: undefined };
      const next = ready[choice];
      if (next === undefined) throw new Error(`there is no choice ${choice} among ${ready.length}`);
      if (choices.push(choice) > MOST_STEPS) throw new Error('it goes on for ever');
      options.push(option);
      steps.push(`${next.actor}: ${next.what}`);
      turns.letGo(next);
      await quiet();
      world.noteLiveness();
      before = turns.takeFootprint();
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
    outcome = outcomeOf(world, steps);
  } catch (error) {
    witness.violation ??= describeFailure(error);
  } finally {
    world.close();
  }
  return { choices, options, steps, isWhole: true, outcome, violation: witness.violation };
}

/** The one that ran last, then the others, then what nobody waits for; the oldest first. */
function inOrder({ waiting, actor }: Turns): Waiting[] {
  const rank = (one: Waiting): number => (one.isBehind ? 2 : one.actor === actor ? 0 : 1);
  return waiting.toSorted((a, b) => rank(a) - rank(b));
}

function costsOf(ready: readonly Waiting[], { actor }: Turns): number[] {
  const couldGoOn = ready.some((one) => one.actor === actor);
  const isSomebodyInFront = ready.some(({ isBehind }) => !isBehind);
  return ready.map((one) => {
    if (one.actor === actor) return 0;
    return Number(couldGoOn) + Number(one.isBehind && isSomebodyInFront);
  });
}

function outcomeOf({ network, events, explored }: World, steps: readonly string[]): string {
  const byActor = Map.groupBy(steps, (step) => step.slice(0, step.indexOf(':')));
  const told = events.map((event) => `${event.event} ${'reason' in event ? event.reason : ''}`);
  const answers = network.clients.map(({ received }) => `${received.slice(0, 12)}, ${received.length} bytes`);
  const left = explored.left().map(({ version, claims }) => `record ${version} ${Object.keys(claims)}`);
  return [...[...byActor.values()].map((own) => own.join('; ')), ...told, ...answers, ...left]
    .map((line) => line.replace(/^behind \d+/, 'behind'))
    .toSorted()
    .join('\n');
}

function describeFailure(error: unknown): string {
  return `it fails: ${error instanceof Error ? error.stack : String(error)}`;
}

/** Resolves when everything that can go on without a choice has; what is done in slices begins one turn later. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
