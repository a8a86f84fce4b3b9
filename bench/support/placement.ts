// Where processes of a bench run: the server under test alone on one core, everything else on another, so that what is
// measured is the server and not its neighbours. Pinned by `taskset`; without it, or with one core, nothing is pinned.

import { execFileSync, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

export type Place = 'server' | 'others';

const isAvailable = (command: string): boolean => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
const CORES: Readonly<Record<Place, number>> = { server: 0, others: 1 };

/** Cores of the machine, as they were before this process moved aside. */
export const cores = availableParallelism();
/** Whether the two places are two cores. */
export const pinned = cores > 1 && isAvailable('taskset');
const canDieWithParent = isAvailable('setpriv');

export interface Placement {
  readonly place: Place;
  /** Priority below that of a normal process, for swarms that stand for other machines. */
  readonly nice?: number;
}

/** The command line that runs `command` there, and that ends with this process whatever becomes of it. */
export function commandAt({ place, nice }: Placement, command: readonly string[]): [string, string[]] {
  const words = [
    ...(canDieWithParent ? ['setpriv', '--pdeathsig', 'SIGKILL', '--'] : []),
    ...(pinned ? ['taskset', '-c', String(CORES[place])] : []),
    ...(nice === undefined ? [] : ['nice', '-n', String(nice)]),
    ...command,
  ];
  return [words[0]!, words.slice(1)];
}

/** Moves this process, and what it starts unplaced, away from the server's core. */
export function moveAside(): void {
  if (pinned) execFileSync('taskset', ['-acp', String(CORES.others), String(process.pid)], { stdio: 'ignore' });
}
