// Durations and sizes as the configuration file writes them: `500ms`, `30s`, `15m`, `10h`, `7d`; `64KiB`.

const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds, or undefined where `text` is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text);
  return match ? Number(match[1]) * UNIT_MS[match[2]!]! : undefined;
}

const SIZE = /^(\d{1,9})(B|KiB|MiB|GiB)$/;
const UNIT_BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** Bytes, or undefined where `text` is no size. */
export function parseSize(text: string): number | undefined {
  const match = SIZE.exec(text);
  return match ? Number(match[1]) * UNIT_BYTES[match[2]!]! : undefined;
}
