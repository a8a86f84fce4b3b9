// Searches schedules for one that breaks the promise: every one with few preemptions (iterative context bounding: most
// races need one or two), then random ones.

import type { Choose, Played } from './play-schedule.ts';

export type Play = (choose: Choose) => Promise<Played>;

export interface Searched {
  /** How many were played. */
  readonly schedules: number;
  /** The first one that breaks the promise. */
  readonly broken: Played | undefined;
}

/**
 * Plays every schedule of up to `preemptions` preemptions, those with fewer first, each once; at most `atMost`. A choice
 * among others where the one that ran has come to its end, or waits for somebody, is no preemption.
 */
export async function everySchedule(
  play: Play,
  { preemptions, atMost = Number.POSITIVE_INFINITY }: { preemptions: number; atMost?: number },
): Promise<Searched> {
  let schedules = 0;
  // Beginnings still to be played, by the preemptions in them; what follows a beginning is always choice 0.
  const beginnings: number[][][] = Array.from({ length: preemptions + 1 }, () => []);
  beginnings[0]!.push([]);
  for (let spent = 0; spent <= preemptions; spent++) {
    for (let beginning = beginnings[spent]!.pop(); beginning !== undefined; beginning = beginnings[spent]!.pop()) {
      if (schedules === atMost) return { schedules, broken: undefined };
      schedules++;
      const played = await play(follow(beginning));
      if (played.violation !== undefined) return { schedules, broken: played };
      for (let at = beginning.length; at < played.choices.length; at++) {
        const { count, free } = played.options[at]!;
        for (let other = 1; other < count; other++) {
          beginnings[other < free ? spent : spent + 1]?.push([...played.choices.slice(0, at), other]);
        }
      }
    }
  }
  return { schedules, broken: undefined };
}

/** Chooses as `choices` say, and after them always what goes on by itself. */
export function follow(choices: readonly number[]): Choose {
  let at = 0;
  return () => choices[at++] ?? 0;
}

/** Chooses by chance; how often it preempts is up to chance too, and the same throughout a schedule. */
export function chooseAtRandom(random: () => number): Choose {
  const restless = random();
  return ({ count, free }) => Math.floor(random() * (random() < restless ? count : free));
}
