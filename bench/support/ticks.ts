// The application bytes of live connections: ticks, each with the instant at which the upstream made it.

import { sharedNowMs } from './statistics.ts';

const LENGTH = 18;

/** `T000001234567.890;`: the shared clock now. */
export function tickNow(): string {
  return `T${sharedNowMs()
    .toFixed(3)
    .padStart(LENGTH - 2, '0')};`;
}

/** When the last tick in `bytes` was made; undefined where none is whole in it. */
export function lastTickIn(bytes: Buffer): number | undefined {
  const end = bytes.lastIndexOf(';');
  if (end < LENGTH - 1) return undefined;
  const text = bytes.toString('latin1', end - LENGTH + 1, end);
  return text.startsWith('T') ? Number(text.slice(1)) : undefined;
}
