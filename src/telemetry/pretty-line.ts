// One event as one line for a person at a terminal (design: config.md, `log.format: pretty`).

import type { LogLevel } from './event-table.ts';
import { safePlainText } from './log-text.ts';

export interface PrettyLine {
  readonly at: Date;
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** `09:30:50.123 info  session.ended: the session of alice ended …  reason=logout sub=…`, with a line end. */
export function prettyLine({ at, level, event, fields, message }: PrettyLine): string {
  const rest = Object.entries(fields)
    .filter(([name, value]) => name !== 'audit' && value !== undefined)
    .map(([name, value]) => `  ${name}=${fieldText(value)}`)
    .join('');
  return `${at.toISOString().slice(11, 23)} ${level.padEnd(5)} ${event}: ${safePlainText(message)}${rest}\n`;
}

function fieldText(value: unknown): string {
  const text = Array.isArray(value) ? value.join(',') : String(value);
  return safePlainText(/[\s"]/.test(text) || text === '' ? JSON.stringify(text) : text);
}
