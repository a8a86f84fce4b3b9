// What the drill says: lines for a person, and one JSON document for whoever keeps it.

import type { Drill } from './drill-options.ts';
import { problemsOf, seconds } from './problems.ts';
import type { Refusals } from './refusals.ts';
import type { ConnectionOutcome, Outcome } from './run-trigger.ts';

/** Undefined: there was nothing open that could tell. */
interface Times {
  readonly stopMs: number | undefined;
  readonly closeMs: number | undefined;
}

/** To the last byte of any connection, and to the last close; from the moment that the end was asked for. */
function timesOf({ connections }: Outcome): Times {
  const closes = connections.map(({ closedMs }) => closedMs);
  return {
    stopMs: connections.length === 0 ? undefined : Math.max(0, ...connections.map(({ lastByteMs }) => lastByteMs ?? 0)),
    closeMs: closes.length === 0 || closes.includes(undefined) ? undefined : Math.max(0, ...(closes as number[])),
  };
}

/** What is about to be done, where and as whom. */
export function heading({ origin, issuer, username }: Drill): string {
  return `Drill at ${origin} as ${username}, signed in by ${issuer}`;
}

/** One end, in lines. */
export function outcomeText(outcome: Outcome, drill: Drill): string {
  const { trigger, answeredMs, connections, refused, account } = outcome;
  const { stopMs, closeMs } = timesOf(outcome);
  const problems = problemsOf(outcome, drill);
  const lines = [
    ...connections.map(connectionLine),
    ...(stopMs === undefined ? [] : [allLine(stopMs, closeMs)]),
    `${timeOf(answeredMs)}  whoever ended the session had the answer`,
    ...refused.map(refusalLine),
    ...(account === undefined ? [] : [accountLine(account)]),
    ...problems.map((problem) => `  PROBLEM   ${problem}`),
    ...(problems.length === 0 ? ['       ok'] : []),
  ];
  return `\n${trigger.name}: ${trigger.summary}\n${lines.join('\n')}`;
}

/** What was not run, and why. */
export function leftOutText({ leftOut }: Drill): string {
  return leftOut.map(({ trigger, why }) => `\n${trigger}: left out, ${why}`).join('');
}

function connectionLine({ kind, path, bytes, lastByteMs, closedMs, how }: ConnectionOutcome): string {
  const last = lastByteMs === undefined ? 'no byte ever came' : `last byte at ${timeOf(lastByteMs).trim()}`;
  return `${closedMs === undefined ? '     open' : timeOf(closedMs)}  ${kind} ${path}: ${how}, ${last}, ${sizeOf(bytes)} in all`;
}

/** Undefined: not all of them were closed. */
function allLine(stopMs: number, closeMs: number | undefined): string {
  if (closeMs === undefined) return `${timeOf(stopMs)}  the last byte of any of them came; not all are closed`;
  return `${timeOf(closeMs)}  all of them were closed; the last byte of any came at ${short(stopMs)}`;
}

function refusalLine({ afterMs, script, page, webSocket }: Refusals): string {
  const last = webSocket === undefined ? '' : `, a WebSocket ${webSocket}`;
  return `${`+${seconds(afterMs)}`.padStart(9)}  with the old cookie: a request ${script}, a page ${page}${last}`;
}

function accountLine({ notices, stopMs, closeMs }: NonNullable<Outcome['account']>): string {
  const kinds = Object.entries(notices).map(([kind, count]) => (count === 1 ? kind : `${count} ${kind}`));
  const times =
    stopMs === undefined
      ? ''
      : `; it stopped the session ${short(stopMs)} after the notice had come, and had closed everything after ${short(closeMs!)}`;
  return `     gate  says: ${kinds.length === 0 ? 'no notice' : `a notice (${kinds.join(', ')})`}${times}`;
}

function timeOf(ms: number): string {
  return short(ms).padStart(9);
}

function short(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}

function sizeOf(bytes: number): string {
  return bytes < 10 * 1024 ? `${bytes} bytes` : `${Math.round(bytes / 1024)} KiB`;
}

export interface Drilled {
  readonly outcomes: readonly Outcome[];
  /** Why the drill could not go on. */
  readonly fault: string | undefined;
}

/** What `--json` prints. Times are milliseconds. */
export function reportJson(drill: Drill, { outcomes, fault }: Drilled): object {
  const triggers = outcomes.map((outcome) => outcomeJson(outcome, drill));
  return {
    ok: fault === undefined && triggers.every(({ ok }) => ok),
    gate: drill.origin,
    issuer: drill.issuer,
    user: drill.username,
    finished_at: new Date().toISOString(),
    ...(fault !== undefined && { fault }),
    triggers,
    left_out: drill.leftOut,
  };
}

function outcomeJson(outcome: Outcome, drill: Drill): { ok: boolean } & Record<string, unknown> {
  const { trigger, answeredMs, connections, refused, account } = outcome;
  const { stopMs, closeMs } = timesOf(outcome);
  const problems = problemsOf(outcome, drill);
  return {
    trigger: trigger.name,
    ok: problems.length === 0,
    problems,
    stop_ms: rounded(stopMs),
    close_ms: rounded(closeMs),
    answered_ms: rounded(answeredMs),
    connections: connections.map(({ kind, path, bytes, lastByteMs, closedMs, how, isCut }) => ({
      kind,
      path,
      bytes,
      last_byte_ms: rounded(lastByteMs),
      closed_ms: rounded(closedMs),
      how,
      cut: isCut,
    })),
    refused: refused.map(({ afterMs, script, page, webSocket, areComplete }) => ({
      after_ms: rounded(afterMs),
      request: script,
      page,
      websocket: webSocket ?? null,
      ok: areComplete,
    })),
    gate: account === undefined ? null : accountJson(account),
  };
}

function accountJson({ notices, noticesRefused, ended, stopMs, closeMs }: NonNullable<Outcome['account']>): object {
  return {
    notices,
    notices_refused: noticesRefused,
    sessions_ended: ended,
    stop_ms: rounded(stopMs),
    close_ms: rounded(closeMs),
  };
}

function rounded(ms: number | undefined): number | null {
  return ms === undefined ? null : Number(ms.toFixed(2));
}
