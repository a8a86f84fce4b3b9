// What leaves the gate as log lines, audit trail and metrics. Rooms emit; nothing else writes a log.

import { pino } from 'pino';
import type { Clock } from '../base/clock.ts';
import type { Emit, GateEvent } from '../base/events.ts';
import { EVENT_TABLE, type EventEntry, type LogLevel } from './event-table.ts';
import { LineWriter } from './line-writer.ts';
import { bounded, logText, safeJsonLine } from './log-text.ts';
import { type GaugeSources, Metrics, type MetricsOptions } from './metrics.ts';
import { prettyLine } from './pretty-line.ts';

export interface TelemetryOptions {
  /** Quieter events are not written; the audit trail always is. */
  readonly level: LogLevel | 'trace';
  readonly format: 'json' | 'pretty';
  readonly clock: Clock;
  /** Default: standard output. */
  readonly destination?: NodeJS.WritableStream | undefined;
  /** Where it is said that the destination does not work. Default: standard error. */
  readonly trouble?: NodeJS.WritableStream;
  readonly processMetrics?: MetricsOptions['ofProcess'];
}

export interface Telemetry {
  /** Never throws, never waits. */
  readonly emit: Emit;
  /** Counts one finished exchange; without allocation. Methods that are not well known count as `other`. */
  readonly countRequest: (route: string, method: string, status: number, seconds: number) => void;
  /** Where the gauges look, once there is something to look at. */
  readonly observe: (sources: GaugeSources) => void;
  /** The exposition for Prometheus. */
  readonly metrics: () => Promise<{ contentType: string; text: string }>;
  /** Another level from now on. */
  readonly relevel: (level: TelemetryOptions['level']) => void;
  /** Waits, a second at most, until what was written has left the process. */
  readonly flush: () => Promise<void>;
}

/** Fields of one event as they are written: names and values, in the table's order. */
export type LogFields = Readonly<Record<string, unknown>>;

const RANKS: Readonly<Record<LogLevel | 'trace', number>> = { trace: 0, debug: 1, info: 2, warn: 3, error: 4 };

export function createTelemetry(options: TelemetryOptions): Telemetry {
  const metrics = new Metrics({ ofProcess: options.processMetrics ?? 'collected' });
  const lineOf = options.format === 'json' ? jsonLines(options.clock) : prettyLines(options.clock);
  let { level: leastLevel } = options;
  const writer = new LineWriter({
    destination: options.destination ?? process.stdout,
    trouble: options.trouble ?? process.stderr,
    droppedNote: (lines) => lineOf('warn', 'log.dropped', { lines }, `${lines} lines could not be written`),
  });
  return {
    emit(event) {
      const entry = EVENT_TABLE[event.event] as EventEntry<GateEvent>;
      // A log that fails must not end a request: neither by an event that is none nor by a field that throws.
      try {
        entry.count?.(metrics, event);
        const level = typeof entry.level === 'function' ? entry.level(event) : entry.level;
        if (entry.audit || RANKS[level] >= RANKS[leastLevel]) {
          writer.write(lineOf(level, event.event, fieldsOf(entry, event), logText(entry.message(event))));
        }
      } catch {
        writer.write(lineOf('error', 'log.failed', {}, 'an event could not be written'));
      }
    },
    countRequest: (route, method, status, seconds) => metrics.requests.count(route, method, status, seconds),
    observe: (sources) => metrics.observe(sources),
    metrics: () => metrics.expose(),
    relevel: (level) => {
      leastLevel = level;
    },
    flush: () => writer.flush(),
  };
}

type LineOf = (level: LogLevel, event: string, fields: LogFields, message: string) => string;

function jsonLines(clock: Clock): LineOf {
  let line = '';
  const logger = pino(
    {
      base: null,
      // Levels are decided by the caller, because the audit trail has none.
      level: 'debug',
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    // pino writes synchronously to what has a write().
    {
      write: (written: string) => {
        line = safeJsonLine(written);
      },
    },
  );
  return (level, event, fields, message) => {
    logger[level]({ event, ...fields }, message);
    return line;
  };
}

function prettyLines(clock: Clock): LineOf {
  return (level, event, fields, message) => prettyLine({ at: new Date(clock.now()), level, event, fields, message });
}

/** Only fields of the table, only plain values: an event can carry nothing else outside. */
function fieldsOf(entry: EventEntry<GateEvent>, event: GateEvent): LogFields {
  const fields: Record<string, unknown> = {};
  const source = event as unknown as Readonly<Record<string, unknown>>;
  for (const [name, kind] of Object.entries(entry.fields)) {
    const value = source[name];
    // The message of gate.warning is the line's own.
    if (value === undefined || name === 'message') continue;
    fields[name] = plain(value, kind);
  }
  if (entry.audit) fields['audit'] = true;
  return fields;
}

function plain(value: unknown, kind: 'name' | 'text'): unknown {
  if (typeof value === 'string') return kind === 'text' ? logText(value) : bounded(value);
  if (typeof value === 'number') return Number.isFinite(value) ? Math.round(value * 1_000) / 1_000 : undefined;
  if (typeof value === 'boolean') return value;
  return Array.isArray(value) ? value.map((entry) => plain(entry, kind)) : undefined;
}
