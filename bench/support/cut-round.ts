// One round of `bench/cut.ts`: a session with many live connections, a notice that ends it, and what was seen.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from './children.ts';
import type { BenchGate } from './gate.ts';
import type { ClientEnds } from './live-clients.ts';
import type { UpstreamEnds } from './live-upstream.ts';
import { OtherUser } from './other-user.ts';
import { processorSeconds } from './process-accounts.ts';
import type { BenchProvider } from './provider.ts';
import { sendNotice } from './send-notice.ts';

export interface Scene {
  readonly gate: BenchGate;
  readonly provider: BenchProvider;
  readonly clients: Worker;
  readonly upstream: Worker;
  /** What another user asks for meanwhile, and who that is. */
  readonly other: { readonly url: string; readonly cookie: string };
}

export interface RoundPlan {
  /** Nobody who was signed out before. */
  readonly user: string;
  readonly websockets: number;
  readonly streams: number;
  /** `busy`: the upstream sends and another user works, for the times. `quiet`: neither, for the processor time. */
  readonly kind: 'busy' | 'quiet';
}

/** Milliseconds from the notice's last byte. */
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

const TICKS_PER_SECOND = 4_000;
const UNDISTURBED_MS = 1_000;
const LONGEST_CLOSE_MS = 30_000;

export async function cutRound(
  { gate, provider, clients, upstream, other }: Scene,
  plan: RoundPlan,
): Promise<CutRound> {
  const { publicUrl } = gate.address;
  const cookie = await gate.signIn(plan.user);
  await upstream.ask('tick', { perSecond: 0 });
  await clients.ask('open', { origin: publicUrl, cookie, websockets: plan.websockets, streams: plan.streams });
  const isBusy = plan.kind === 'busy';
  if (isBusy) await upstream.ask('tick', { perSecond: TICKS_PER_SECOND });
  const otherUser = isBusy ? new OtherUser(other.url, other.cookie) : undefined;
  await sleep(UNDISTURBED_MS);
  const token = await provider.logoutToken(plan.user);
  // Reading it begins a new count.
  await gate.metric('nodejs_eventloop_lag_max_seconds');
  const closed = clients.ask<ClientEnds>('closed', { atMostMs: LONGEST_CLOSE_MS });
  const before = processorSeconds(gate.pid);
  const { lastByteAt, answeredAt } = await sendNotice(publicUrl, token);
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
    microsecondsPerConnection: (seconds / (plan.websockets + plan.streams)) * 1e6,
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
