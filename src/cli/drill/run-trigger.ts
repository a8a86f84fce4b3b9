// One end, from sign-in to verdict: what was open, when its last byte came, when it was closed, and what came after.

import { setTimeout as delay } from 'node:timers/promises';
import { Browser } from '../browser/browser.ts';
import type { LiveConnection } from '../browser/live-connection.ts';
import { openTransfer } from '../browser/open-transfer.ts';
import { openWebSocket } from '../browser/open-web-socket.ts';
import type { Drill } from './drill-options.ts';
import { type GateAccount, GateMetrics } from './gate-account.ts';
import { type Refusals, refusals } from './refusals.ts';
import { signIn } from './sign-in.ts';
import type { Trigger } from './triggers.ts';

/** One of the connections that were open. Times are from the moment the end was asked for. */
export interface ConnectionOutcome {
  readonly kind: LiveConnection['kind'];
  readonly path: string;
  readonly bytes: number;
  /** Negative: it came before; undefined: nothing came at all. */
  readonly lastByteMs: number | undefined;
  /** Undefined: still open when the drill gave up waiting. */
  readonly closedMs: number | undefined;
  readonly how: string;
  readonly isCut: boolean;
}

export interface Outcome {
  readonly trigger: Trigger;
  /** From asking for the end to the answer. */
  readonly answeredMs: number;
  readonly connections: readonly ConnectionOutcome[];
  /** At once, and again later. */
  readonly refused: readonly Refusals[];
  /** Undefined: its admin listener could not be reached. */
  readonly account: GateAccount | undefined;
}

/** An event stream may be silent for as long as it likes; waiting for its first event longer than this is no use. */
const FIRST_BYTES_MS = 3_000;

/** @throws Error that names the cure where it does not come as far as the end. */
export async function runTrigger(trigger: Trigger, drill: Drill): Promise<Outcome> {
  const { admin, username } = drill;
  const browser = new Browser(drill);
  const formerSids = admin === undefined ? [] : await admin.sessionsOf(await admin.userId(username));
  await signIn(browser, { ...drill, url: drill.pageUrl });
  const open = await openConnections(browser, drill);
  try {
    await Promise.race([Promise.all(open.map(({ live }) => live.begun)), delay(FIRST_BYTES_MS)]);
    const prepared = await trigger.prepare({ ...drill, browser, formerSids });
    const before = await readMetrics(drill);
    const askedAtMs = performance.now();
    await prepared.end();
    const answeredAtMs = performance.now();
    const probed = { pageUrl: drill.pageUrl, webSocketUrl: drill.webSockets[0], answeredAtMs };
    const atOnce = await refusals(browser, probed);
    await Promise.race([Promise.all(open.map(({ live }) => live.ended)), until(answeredAtMs + drill.withinMs)]);
    const connections = await Promise.all(open.map((each) => outcomeOf(each, askedAtMs)));
    await until(answeredAtMs + drill.againAfterMs);
    const later = await refusals(browser, probed);
    const account = before && (await readMetrics(drill))?.since(before);
    await prepared.after?.();
    return { trigger, answeredMs: answeredAtMs - askedAtMs, connections, refused: [atOnce, later], account };
  } finally {
    for (const { live } of open) live.close();
  }
}

interface Open {
  readonly url: string;
  readonly live: LiveConnection;
}

async function openConnections(browser: Browser, { webSockets, streams, downloads }: Drill): Promise<Open[]> {
  const open: Open[] = [];
  try {
    for (const url of webSockets) open.push({ url, live: await openWebSocket(browser, url) });
    for (const url of streams) open.push({ url, live: await openTransfer(browser, 'event stream', url) });
    for (const url of downloads) open.push({ url, live: await openTransfer(browser, 'download', url) });
    return open;
  } catch (error) {
    for (const { live } of open) live.close();
    throw error;
  }
}

async function outcomeOf({ url, live }: Open, askedAtMs: number): Promise<ConnectionOutcome> {
  const { bytes, lastAtMs } = live.received();
  const { pathname, search } = new URL(url);
  const stillOpen = { atMs: undefined, how: 'still open', isCut: false };
  const { atMs, how, isCut } = await Promise.race([live.ended, Promise.resolve(stillOpen)]);
  const isEarly = atMs !== undefined && atMs < askedAtMs;
  return {
    kind: live.kind,
    path: pathname + search,
    bytes,
    lastByteMs: lastAtMs === undefined ? undefined : lastAtMs - askedAtMs,
    closedMs: atMs === undefined ? undefined : atMs - askedAtMs,
    how,
    isCut: isCut && !isEarly,
  };
}

/** Without the gate's own account the drill is one of what was seen from outside. */
async function readMetrics({ adminUrl, authorities }: Drill): Promise<GateMetrics | undefined> {
  if (adminUrl === undefined) return undefined;
  return await GateMetrics.read(new Browser({ authorities }), adminUrl).catch(() => undefined);
}

async function until(atMs: number): Promise<void> {
  await delay(Math.max(0, Math.ceil(atMs - performance.now())));
}
