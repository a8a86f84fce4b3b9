// GET <prefix>/session : who is signed in, for scripts of the app's pages. Never a token. Asking is not activity.

import type { GateContext } from '../gate-context.ts';

export function session(ctx: GateContext): void {
  const current = ctx.state.session;
  if (current === undefined) {
    ctx.body = { signed_in: false };
    return;
  }
  const { claims, sub, createdAt } = current.record;
  const { idleTimeoutMs, absoluteTimeoutMs } = ctx.state.limits;
  const now = ctx.state.store.estimateNow();
  ctx.body = {
    signed_in: true,
    ...(ctx.state.recheck?.isDue(current) && { recheck_needed: true }),
    user: {
      sub,
      name: text(claims['name']),
      email: text(claims['email']),
      preferred_username: text(claims['preferred_username']),
    },
    idle_seconds_left: secondsLeft(current.lastSeenAt + idleTimeoutMs - now),
    absolute_seconds_left: secondsLeft(createdAt + absoluteTimeoutMs - now),
  };
}

function text(claim: unknown): string | undefined {
  return typeof claim === 'string' ? claim : undefined;
}

function secondsLeft(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000));
}
