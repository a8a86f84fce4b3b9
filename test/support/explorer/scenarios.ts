// Which activities are explored together, and how a schedule is written down so that it can be played again.

import { seededRandom } from '../seeded-random.ts';
import { ACTIVITY_NAMES, type Activity } from './activities.ts';
import { chooseAtRandom, everySchedule, follow, type Searched } from './explore.ts';
import { type Played, playSchedule } from './play-schedule.ts';
import type { WorldParts } from './world.ts';

export type Scenario = readonly Activity[];

const NOTICES = ACTIVITY_NAMES.filter((name) => name.startsWith('notice'));
/** What can go on beside a notice. */
const OTHERS = ACTIVITY_NAMES.filter((name) => !NOTICES.includes(name));

/** A notice, and each of the others, another notice among them. */
export const ONE_BESIDE: readonly Scenario[] = ACTIVITY_NAMES.filter((name) => name !== 'notice').map((other) => [
  'notice',
  other,
]);

/** A notice of another kind, and each of the others. */
export const ONE_BESIDE_ANOTHER_KIND: readonly Scenario[] = NOTICES.filter((name) => name !== 'notice').flatMap(
  (notice) => OTHERS.map((other): Scenario => [notice, other]),
);

/** A notice, and any two of the others. */
export const TWO_BESIDE: readonly Scenario[] = pairsOf([...OTHERS, 'notice-sub']).map((pair) => ['notice', ...pair]);

/** Everything that the promise names, at once. */
export const ALL: Scenario = ['notice', 'login', 'refresh', 'touch', 'save', 'upgrade', 'probe'];

/** Any two that are no notice. */
export const TWO_WITHOUT: readonly Scenario[] = pairsOf(OTHERS);

function pairsOf(activities: readonly Activity[]): Scenario[] {
  return activities.flatMap((one, at) => activities.slice(at + 1).map((two) => [one, two]));
}

export interface Counterexample {
  /** Everything that is needed to play it again: gate, activities, choices. */
  readonly name: string;
  readonly played: Played;
}

interface Explored {
  readonly schedules: number;
  readonly counterexample: Counterexample | undefined;
}

/** Plays every schedule of each scenario with up to `preemptions` preemptions, or one that is the same run, until one breaks the promise. */
export async function explore(
  [gate, parts]: readonly [string, WorldParts],
  scenarios: readonly Scenario[],
  { preemptions, atMost = Number.POSITIVE_INFINITY }: { preemptions: number; atMost?: number },
): Promise<Explored> {
  let schedules = 0;
  for (const scenario of scenarios) {
    const limits = { preemptions, atMost: atMost - schedules };
    const searched: Searched = await everySchedule((choose) => playSchedule(parts, scenario, choose), limits);
    schedules += searched.schedules;
    if (searched.broken !== undefined)
      return { schedules, counterexample: { name: nameOf(gate, scenario, searched.broken), played: searched.broken } };
  }
  return { schedules, counterexample: undefined };
}

/** Plays random schedules of random activities, several of a kind among them, until one breaks the promise or time is up. */
export async function exploreAtRandom(
  [gate, parts]: readonly [string, WorldParts],
  { seed, seconds }: { seed: number; seconds: number },
): Promise<Explored> {
  const random = seededRandom(seed);
  const endsAt = performance.now() + seconds * 1_000;
  let schedules = 0;
  do {
    const scenario = someActivities(random);
    const played = await playSchedule(parts, scenario, chooseAtRandom(random));
    schedules++;
    if (played.violation !== undefined)
      return { schedules, counterexample: { name: nameOf(gate, scenario, played), played } };
  } while (performance.now() < endsAt);
  return { schedules, counterexample: undefined };
}

/** All of them as often as not, else some, and some of those twice. */
function someActivities(random: () => number): Scenario {
  if (random() < 0.5) return ACTIVITY_NAMES;
  const count = 2 + Math.floor(random() * 7);
  return Array.from({ length: count }, () => ACTIVITY_NAMES[Math.floor(random() * ACTIVITY_NAMES.length)]!);
}

/** Plays a schedule again by its name. */
export function replay(name: string, gates: Readonly<Record<string, WorldParts>>): Promise<Played> {
  const [gate = '', activities = '', choices = ''] = name.split(' | ');
  const parts = gates[gate];
  if (parts === undefined) throw new Error(`no gate "${gate}"; there are: ${Object.keys(gates).join(', ')}`);
  return playSchedule(parts, activities.split(' ') as Activity[], follow(choices.split('.').map(Number)));
}

/** A schedule that breaks the promise, in words. */
export function inWords({ name, played }: Counterexample): string {
  return [
    played.violation,
    ...played.steps.map((step, at) => `  ${at + 1}. ${step}`),
    `Play it again: EXPLORE_SCHEDULE='${name}' npm exec -- node --test test/unit/races/never-undone.test.ts`,
  ].join('\n');
}

/** `gate | activities | choices` */
export function nameOf(gate: string, scenario: Scenario, { choices }: Played): string {
  return `${gate} | ${scenario.join(' ')} | ${choices.join('.')}`;
}
