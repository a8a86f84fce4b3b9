// What a bench prints: where it ran, tables, and whether each bound holds. A missed bound makes the process exit with 1.

import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { cores, pinned } from './placement.ts';

/** One line on the machine and one on its limits. */
export function printMachine(): void {
  const files = /^Max open files\s+(\d+)\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
  console.log(
    `${cpus()[0]?.model.trim()}, ${cores} cores${pinned ? '' : ' (nothing pinned)'}; ` +
      `Node ${process.version}; Linux ${readFileSync('/proc/sys/kernel/osrelease', 'latin1').trim()}; ` +
      `open files ${files?.[1]} (at most ${files?.[2]}); load ${loadavg()[0]!.toFixed(1)} at the start`,
  );
}

/** Processor time of the whole machine, to tell how much of it others took. */
export class MachineWatch {
  readonly #begin = machineTicks();

  /** What share of the processor time the hypervisor gave to somebody else. */
  stolenShare(): number {
    const { total, stolen } = machineTicks();
    return (stolen - this.#begin.stolen) / Math.max(1, total - this.#begin.total);
  }
}

function machineTicks(): { total: number; stolen: number } {
  const ticks = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0]!.trim().split(/\s+/).slice(1, 9).map(Number);
  return { total: ticks.reduce((sum, each) => sum + each, 0), stolen: ticks[7] ?? 0 };
}

/** A table with its first column to the left and the others to the right. */
export function printTable(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) =>
    widths
      .map((width, column) =>
        (column === 0 ? 'padEnd' : 'padStart') === 'padEnd'
          ? (row[column] ?? '').padEnd(width)
          : (row[column] ?? '').padStart(width),
      )
      .join('  ')
      .trimEnd();
  console.log(`\n${title}`);
  console.log(line(head));
  console.log(widths.map((width) => '-'.repeat(width)).join('  '));
  for (const row of rows) console.log(line(row));
}

/** A number with as many digits as mean something. */
export function shown(value: number, unit = ''): string {
  if (!Number.isFinite(value)) return '–';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${value.toFixed(digits)}${unit}`;
}

export interface Bound {
  readonly what: string;
  readonly unit: string;
  readonly atMost?: number;
  readonly atLeast?: number;
  readonly below?: number;
}

/** The bounds of a bench, judged one by one. */
export class Verdict {
  #missed = 0;

  judge(bound: Bound, value: number): void {
    const { atMost, atLeast, below } = bound;
    const holds =
      (atMost === undefined || value <= atMost) &&
      (atLeast === undefined || value >= atLeast) &&
      (below === undefined || value < below);
    if (!holds) this.#missed++;
    const limit =
      atMost !== undefined
        ? `at most ${atMost}`
        : atLeast !== undefined
          ? `at least ${atLeast}`
          : `below ${shown(below!)}`;
    console.log(`${holds ? 'holds ' : 'MISSED'}  ${bound.what}: ${shown(value)} ${bound.unit} (${limit})`);
  }

  /** For what is right or wrong and has no measure. */
  expect(what: string, holds: boolean): void {
    if (!holds) this.#missed++;
    console.log(`${holds ? 'holds ' : 'MISSED'}  ${what}`);
  }

  /** Ends the bench: 0 when every bound holds, else 1. */
  exit(): never {
    console.log(this.#missed === 0 ? '\nevery bound holds' : `\n${this.#missed} bound(s) missed`);
    process.exit(this.#missed === 0 ? 0 : 1);
  }
}
