// Searches schedules for one that breaks the promise: every one with few preemptions (iterative context bounding: most
// races need one or two), then random ones.
//
// Of schedules that are the same run in another order only one is played. Two steps are independent where neither changes
// what the other looks at or changes: neighbours that are can change places, and everybody sees and does the same. So
//
//   - whoever was preempted need not go on before something has happened that its next step has to do with: it could have
//     taken that step before it was preempted;
//   - whoever was passed over need not have its turn before something has happened that all it would have done in that turn
//     has to do with: it could have had its turn before the others.
//
// Both "could have" schedules have no more preemptions, since a turn is moved as a whole and a preempted one made longer,
// and in both the first choice that differs is a smaller number. Of all schedules of up to so many preemptions that are the
// same run, the one that comes first in the order of their choices is therefore never left out. (Sleep sets, of turns
// instead of steps so that they go together with the bound.)

import type { Choose, Options, Played } from './play-schedule.ts';
import { areIndependent, type Footprint, newFootprint } from './turns.ts';

export type Play = (choose: Choose) => Promise<Played>;

export interface Searched {
  /** How many were played, those included that were given up halfway as another order of one that is played. */
  readonly schedules: number;
  /** The first one that breaks the promise. */
  readonly broken: Played | undefined;
}

export interface SearchLimits {
  readonly preemptions: number;
  readonly atMost?: number;
  /** Plays every order, those of independent steps too. */
  readonly everyOrder?: boolean;
}

/** Who need not have a turn, by the order of what waits, until something happens that has to do with what it would do. */
type Asleep = ReadonlyMap<number, { readonly actor: string; readonly would: Footprint }>;

/** A choice of a schedule, and what was seen to come of each option. */
interface Crossroads {
  readonly options: Options;
  readonly asleep: Asleep;
  /** By option: the next step of the actor that ran last, the whole turn of any other. */
  readonly seen: (Footprint | undefined)[];
}

/** A schedule to be played: these choices, and from there on always whatever goes on by itself. */
interface Beginning {
  readonly choices: readonly number[];
  /** Where the last of the choices was made; none in the first schedule. */
  readonly from: Crossroads | undefined;
}

/**
 * Plays schedules of up to `preemptions` preemptions, those with fewer first; at most `atMost`. Every other one is the same
 * run as one of them. A choice among others where the one that ran has come to its end, or waits for somebody, is no
 * preemption.
 */
export async function everySchedule(
  play: Play,
  { preemptions, atMost = Number.POSITIVE_INFINITY, everyOrder = false }: SearchLimits,
): Promise<Searched> {
  let schedules = 0;
  const beginnings: Beginning[][] = Array.from({ length: preemptions + 1 }, () => []);
  beginnings[0]!.push({ choices: [], from: undefined });
  for (let spent = 0; spent <= preemptions; spent++) {
    for (let beginning = beginnings[spent]!.pop(); beginning !== undefined; beginning = beginnings[spent]!.pop()) {
      if (schedules === atMost) return { schedules, broken: undefined };
      schedules++;
      const run = new Run(beginning, everyOrder);
      const played = await play((options) => run.choose(options));
      if (played.violation !== undefined) return { schedules, broken: played };
      for (const { cost, ...other } of run.others()) beginnings[spent + cost]?.push(other);
    }
  }
  return { schedules, broken: undefined };
}

interface Taken {
  readonly from: Crossroads;
  readonly choice: number;
  /** No turn begins with it: the actor that ran last goes on. */
  readonly goesOn: boolean;
}

/** One schedule while it is played. */
class Run {
  readonly #beginning: Beginning;
  readonly #everyOrder: boolean;
  readonly #choices: number[] = [];
  /** Those behind the beginning. */
  readonly #crossroads: Crossroads[] = [];
  #asleep: Asleep = new Map();
  #actor: string | undefined;
  /** The choice that was made last, and the one that the turn under way began with. */
  #step: Taken | undefined;
  #turn: (Taken & { readonly would: Footprint }) | undefined;

  constructor(beginning: Beginning, everyOrder: boolean) {
    this.#beginning = beginning;
    this.#everyOrder = everyOrder;
  }

  choose(options: Options): number | undefined {
    const { choices, from } = this.#beginning;
    const at = this.#choices.length;
    this.#learn(options);
    if (at >= choices.length) this.#wake(options.before);
    if (at < choices.length) return this.#take(choices[at]!, options, at === choices.length - 1 ? from : undefined);
    const choice = options.ready.findIndex(({ order }) => !this.#asleep.has(order));
    if (choice < 0) return undefined;
    const crossroads = { options, asleep: this.#asleep, seen: [] };
    this.#crossroads.push(crossroads);
    return this.#take(choice, options, crossroads);
  }

  /** What else could have been chosen behind the beginning; what is to be played first comes last. */
  *others(): Iterable<Beginning & { cost: number }> {
    const known = this.#beginning.choices.length;
    for (const [at, from] of this.#crossroads.entries()) {
      const { ready, costs } = from.options;
      const taken = this.#choices.slice(0, known + at);
      for (let other = ready.length - 1; other > this.#choices[known + at]!; other--) {
        if (from.asleep.has(ready[other]!.order)) continue;
        yield { choices: [...taken, other], from, cost: costs[other]! };
      }
    }
  }

  #take(choice: number, { ready }: Options, from: Crossroads | undefined): number {
    const { actor } = ready[choice]!;
    const goesOn = actor === this.#actor;
    this.#step = from && { from, choice, goesOn };
    if (!goesOn) this.#turn = from && { from, choice, goesOn, would: newFootprint() };
    if (from !== undefined) this.#asleep = asleepAfter(from, choice);
    this.#actor = actor;
    this.#choices.push(choice);
    return choice;
  }

  /** What came of the choice made last, and of the turn that it belongs to, once that is at its end. */
  #learn({ ready, before }: Options): void {
    if (this.#everyOrder) return;
    const step = this.#step;
    if (step?.goesOn) step.from.seen[step.choice] = before;
    const turn = this.#turn;
    if (turn === undefined) return;
    for (const what of before.reads) turn.would.reads.add(what);
    for (const what of before.changes) turn.would.changes.add(what);
    const ownNow = ready.filter(({ actor }) => actor === this.#actor).length;
    if (ownNow === 0) turn.from.seen[turn.choice] = turn.would;
    // Where an actor waits for two things at once, its turn might have been another.
    if (ownNow !== 1) this.#turn = undefined;
  }

  #wake(footprint: Footprint): void {
    this.#asleep = new Map([...this.#asleep].filter(([, { would }]) => areIndependent(would, footprint)));
  }
}

/** Whoever could have been chosen before sleeps on or falls asleep, if it is known what it would do. */
function asleepAfter({ options: { ready }, asleep, seen }: Crossroads, choice: number): Asleep {
  const passed = ready.slice(0, choice).flatMap(({ actor, order }, at) => {
    const would = seen[at];
    return would === undefined ? [] : [[order, { actor, would }] as const];
  });
  return new Map([...asleep, ...passed].filter(([, { actor }]) => actor !== ready[choice]!.actor));
}

/** Chooses as `choices` say, and after them always what goes on by itself. */
export function follow(choices: readonly number[]): Choose {
  let at = 0;
  return () => choices[at++] ?? 0;
}

/** Chooses by chance; how often it preempts is up to chance too, and the same throughout a schedule. */
export function chooseAtRandom(random: () => number): Choose {
  const restless = random();
  return ({ ready, costs }) => {
    const free = costs.filter((cost) => cost === 0).length;
    return Math.floor(random() * (random() < restless ? ready.length : free));
  };
}
