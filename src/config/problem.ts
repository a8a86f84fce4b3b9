// A mistake in the configuration, as the person who made it wants to read it: where, what, and what to write instead
// (design/config.md).

/** Where something stands in the file; lines and columns count from 1. */
export interface Spot {
  /** Path of the key, `routes[0].auth`; empty for the file as a whole. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

export interface Problem extends Spot {
  readonly file: string;
  /** What is wrong. Never holds a secret's value or the value of an environment variable. */
  readonly message: string;
  /** What to write instead. */
  readonly cure: string;
}

/** How whoever finds a mistake says so. */
export type Report = (spot: Spot, message: string, cure: string) => void;

const PLAIN_NAME = /^[A-Za-z0-9_-]+$/;

/** The path of `key` below `path`: `session.cookie`, `routes[0]`, `claims["a.b"]`. */
export function childPath(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`;
  if (!PLAIN_NAME.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}

/** The path of the section around `path`; empty for the file as a whole. */
export function parentPath(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('.'), path.lastIndexOf('['), 0));
}

/** A mistake that shows only when the whole is seen; `path` says where. */
export interface Finding {
  readonly path: string;
  readonly message: string;
  readonly cure: string;
}

/** Whether the file has this key, right or wrong: a draft has the same hole for a wrong key and for a missing one. */
export type IsWritten = (path: string) => boolean;
