// Ends as the store keeps them and replicas tell them to each other. Its times are whole microseconds.

import type { Tombstone } from '../end-names.ts';
import type { EndSelector } from '../session-store.ts';

const MICROSECONDS_PER_MS = 1_000;

/** Bytes where the reply has bytes in it. */
export type Text = string | Buffer;

/** A time of the store, in milliseconds. */
export function toMilliseconds(microseconds: Text | undefined): number {
  return Number(microseconds) / MICROSECONDS_PER_MS;
}

/** Milliseconds as a script takes them. */
export function toMicroseconds(ms: number): string {
  return String(Math.round(ms * MICROSECONDS_PER_MS));
}

/** What is told beside the place in the order of ends. */
interface EndMessage {
  readonly from: string;
  readonly selector: EndSelector;
  readonly issuedBeforeSeconds: number;
}

const UNREADABLE = { issuedBeforeSeconds: Number.NaN };

/** What a newer gate says in another way is an end of nobody knows whom. Never throws. */
export function readMessage(json: string): Partial<EndMessage> & Pick<EndMessage, 'issuedBeforeSeconds'> {
  try {
    return (JSON.parse(json) as EndMessage | null) ?? UNREADABLE;
  } catch {
    return UNREADABLE;
  }
}

/** By name: `texts` are those of `names`, in their order. */
export function tombstonesOf(names: readonly string[], texts: readonly (Text | null)[]): Map<string, Tombstone> {
  const tombstones = new Map<string, Tombstone>();
  texts.forEach((text, i) => {
    if (text !== null) tombstones.set(names[i]!, readTombstone(String(text)));
  });
  return tombstones;
}

function readTombstone(text: string): Tombstone {
  const [arrived, issuedBefore] = text.split(' ').map(Number);
  return { arrivedAt: orEverything(arrived) / MICROSECONDS_PER_MS, issuedBeforeSeconds: orEverything(issuedBefore) };
}

/** A tombstone that a newer gate wrote in another way refuses whatever it names. */
function orEverything(value: number | undefined): number {
  return value === undefined || Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
}
