// Durations and sizes: `500ms`, `30s`, `15m`, `10h`; `64KiB`.

import { parseDuration, parseSize } from '../../base/durations.ts';
import { cite } from '../citation.ts';
import type { Kind } from '../kind.ts';
import { parsedText } from './scalars.ts';

/** Browsers keep no cookie longer (RFC 6265bis section 5.5), and no session is meant to. */
const LONGEST = '400d';

/** A duration in milliseconds; `least: '0s'` where zero means something. */
export function duration({
  least = '1ms',
  most = LONGEST,
}: {
  least?: '0s' | '1ms';
  most?: string;
} = {}): Kind<number> {
  const mostMs = parseDuration(most)!;
  const expected = 'a duration such as 500ms, 30s, 15m or 10h';
  const kind = parsedText<number>({
    expected,
    schema: { pattern: '^[0-9]{1,9}(ms|s|m|h|d)$' },
    parse(text) {
      const ms = parseDuration(text);
      if (ms === undefined)
        return { wrong: 'is no duration', cure: `write ${expected}`, exactCure: exactDuration(text) };
      if (ms === 0 && least !== '0s') return { wrong: 'is no time at all', cure: 'write a duration longer than zero' };
      return ms <= mostMs ? { value: ms } : { wrong: 'is too long', cure: `write at most ${most}` };
    },
  });
  return numberAware(
    kind,
    'is a number without a unit',
    (shown) => `write the unit: ${shown}s, ${shown}m or ${shown}ms`,
  );
}

/** A size in bytes between two sizes. */
export function size({ least, most }: { least: string; most: string }): Kind<number> {
  const [leastBytes, mostBytes] = [parseSize(least)!, parseSize(most)!];
  const expected = `a size from ${least} to ${most}, such as 16KiB`;
  const kind = parsedText<number>({
    expected,
    schema: { pattern: '^[0-9]{1,9}(B|KiB|MiB|GiB)$' },
    parse(text) {
      const bytes = parseSize(text);
      if (bytes === undefined)
        return { wrong: 'is no size', cure: `write ${expected}; the units are B, KiB, MiB and GiB` };
      if (bytes < leastBytes || bytes > mostBytes) return { wrong: 'is out of range', cure: `write ${expected}` };
      return { value: bytes };
    },
  });
  return numberAware(kind, 'is a number without a unit', (shown) => `write the unit: ${shown}B or ${shown}KiB`);
}

function numberAware<T>(kind: Kind<T>, wrong: string, cure: (shown: string) => string): Kind<T> {
  return {
    ...kind,
    read(value, reading) {
      if (value.kind !== 'number') return kind.read(value, reading);
      reading.report(value, `${cite(value)} ${wrong}`, cure(value.shown));
      return undefined;
    },
  };
}

const SPELLED_OUT =
  /^(\d{1,9}) ?(?:(ms|milliseconds?)|(s|secs?|seconds?)|(m|mins?|minutes?)|(h|hrs?|hours?)|(d|days?))$/i;

/** `30 minutes` and `10 h` are what people write first. */
function exactDuration(text: string): string | undefined {
  const [, number, ...units] = SPELLED_OUT.exec(text.trim()) ?? [];
  const unit = ['ms', 's', 'm', 'h', 'd'][units.findIndex((found) => found !== undefined)];
  return unit === undefined ? undefined : `write ${number}${unit}`;
}
