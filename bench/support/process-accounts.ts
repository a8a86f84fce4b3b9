// What the kernel knows about a process (proc_pid_stat(5), proc_pid_status(5)).

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** USER_HZ: 100 on every Linux that Node.js supports. */
const TICKS_PER_SECOND = 100;

/**
 * Processor seconds of all threads of a process so far, user and system. From the scheduler's own nanoseconds where the
 * kernel tells them (`schedstat`), else from `/proc/<pid>/stat`, which counts in steps of 10 ms.
 */
export function processorSeconds(pid: number): number {
  return scheduledSeconds(pid) ?? tickSeconds(pid);
}

function scheduledSeconds(pid: number): number | undefined {
  try {
    let nanoseconds = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ', 1)[0]);
    }
    return nanoseconds > 0 ? nanoseconds / 1e9 : undefined;
  } catch {
    return undefined;
  }
}

function tickSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name, in parentheses, may hold blanks; what follows it does not. utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory, bytes. */
export function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return Number(match?.[1]) * 1024;
}

/** Open file descriptors by kind: `socket`, `pipe`, `anon_inode`, `file`. */
export function openDescriptors(pid: number): Record<string, number> {
  const kinds: Record<string, number> = {};
  for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
    let target: string;
    try {
      target = readlinkSync(`/proc/${pid}/fd/${descriptor}`);
    } catch {
      continue;
    }
    const kind = target.startsWith('/') ? 'file' : target.split(':', 1)[0]!;
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  return kinds;
}
