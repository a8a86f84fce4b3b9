// One round of `bench/cut.ts`: a session with many live connections, something that ends it, and what was seen.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from './children.ts';
import type { BenchGate } from './gate.ts';
import type { ClientEnds } from './live-clients.ts';
import type { UpstreamEnds } from './live-upstream.ts';
import { OtherUser } from './other-user.ts';
import { processorSeconds } from './process-accounts.ts';
import type { AskTimes } from './timed-request.ts';

export interface Scene {
  readonly gate: BenchGate;
  readonly clients: Worker;
  readonly upstream: Worker;
  /** What another user asks for meanwhile, and who that is; absent: nobody. */
  readonly other?: { readonly url: string; readonly cookie: string };
}

export interface RoundPlan {
  /** Of a user who was not signed out before. */
  readonly cookie: string;
  readonly websockets: number;
  readonly streams: number;
  /** `busy`: the upstream sends and another user works. `ticking`: it sends. `quiet`: neither, for the processor time. */
  readonly kind: 'busy' | 'ticking' | 'quiet';
  /** How much it sends, in all; 4 000 unless told otherwise. */
  readonly ticksPerSecond?: number;
  /** What comes before the end, with the connections open; returns the end itself. */
  readonly prepare: () => Promise<() => Promise<AskTimes>>;
}

/** Milliseconds from the last byte of what ended it. */
export interface CutRound {
  readonly answeredMs: number;
  /** Until a client received its last application byte. Upper bound: includes the client's own delay. */
  readonly lastByteMs: number;
  /** When the youngest tick that came through was made. Lower bound; negative where all were made before. */
  readonly lastTickMs: number;
  readonly lastCloseMs: number;
  readonly microsecondsPerConnection: number;
  readonly loopLagMs: number | undefined;
  /** The other user's requests, ms: while the connections were being closed, and before. */
  readonly during: readonly number[];
  readonly before: readonly number[];
  readonly clientEnds: ClientEnds;
  readonly upstreamEnds: UpstreamEnds;
}

const UNDISTURBED_MS = 1_000;
const LONGEST_CLOSE_MS = 30_000;

export async function cutRound(
  { gate, clients, upstream, other }: Scene,
  { cookie, websockets, streams, kind, prepare, ticksPerSecond = 4_000 }: RoundPlan,
): Promise<CutRound> {
  await upstream.ask('tick', { perSecond: 0 });
  await clients.ask('open', { origin: gate.address.publicUrl, cookie, websockets, streams });
  if (kind !== 'quiet') await upstream.ask('tick', { perSecond: ticksPerSecond });
  const otherUser = kind === 'busy' && other ? new OtherUser(other.url, other.cookie) : undefined;
  await sleep(UNDISTURBED_MS);
  const end = await prepare();
  // Reading it begins a new count.
  await gate.metric('nodejs_eventloop_lag_max_seconds');
  const closed = clients.ask<ClientEnds>('closed', { atMostMs: LONGEST_CLOSE_MS });
  const before = processorSeconds(gate.pid);
  const { lastByteAt, answeredAt } = await end();
  const clientEnds = await closed;
  const upstreamEnds = await upstreamClosed(upstream);
  const seconds = processorSeconds(gate.pid) - before;
  const lag = await gate.metric('nodejs_eventloop_lag_max_seconds');
  await otherUser?.stop();
  const lastCloseAt = Math.max(clientEnds.lastCloseAt, upstreamEnds.lastCloseAt);
  return {
    answeredMs: answeredAt - lastByteAt,
    lastByteMs: clientEnds.lastByteAt - lastByteAt,
    lastTickMs: clientEnds.lastTickMadeAt - lastByteAt,
    lastCloseMs: lastCloseAt - lastByteAt,
    microsecondsPerConnection: (seconds / (websockets + streams)) * 1e6,
    loopLagMs: lag === undefined ? undefined : lag * 1000,
    during: otherUser?.between(lastByteAt, lastCloseAt) ?? [],
    before: otherUser?.between(0, lastByteAt) ?? [],
    clientEnds,
    upstreamEnds,
  };
}

async function upstreamClosed(upstream: Worker): Promise<UpstreamEnds> {
  const until = performance.now() + LONGEST_CLOSE_MS;
  for (;;) {
    const ends = await upstream.ask<UpstreamEnds>('ends');
    if (ends.open === 0 || performance.now() > until) return ends;
    await sleep(10);
  }
}
