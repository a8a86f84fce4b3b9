// /api/sessions: who is signed in, and ending sessions (design: surface.md). Handles only; never a cookie or a token.

import type { Context } from 'koa';
import type { StoredSession } from '../session/session-record.ts';
import type { EndSelector, SessionFilter } from '../session/session-store.ts';
import type { AdminParts } from './admin-parts.ts';
import { answer } from './answer.ts';

const DEFAULT_LIMIT = 100;
const MOST_LISTED = 1000;

/** Answers a page of sessions; 400 for a limit that is none. */
export async function listSessions(ctx: Context, parts: AdminParts): Promise<void> {
  const query = new URLSearchParams(ctx.querystring);
  const limit = query.has('limit') ? Number(query.get('limit')) : DEFAULT_LIMIT;
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_LISTED) {
    return answer(ctx, 400, 'invalid_request', `limit is a whole number from 1 to ${MOST_LISTED}.`);
  }
  const filter: { -readonly [K in keyof SessionFilter]: SessionFilter[K] } = {};
  for (const key of ['user', 'sub', 'sid'] as const) {
    const value = query.get(key);
    if (value !== null) filter[key] = value;
  }
  const { sessions, nextCursor } = await parts.store.list(filter, limit, query.get('cursor') ?? undefined);
  ctx.body = { sessions: sessions.map((session) => sessionView(session, parts)), next_cursor: nextCursor ?? null };
}

function sessionView(session: StoredSession, { registry, sessionLimits }: AdminParts): object {
  const { handle, kind, sub, sid, user, createdAt, address, userAgent } = session.record;
  return {
    handle,
    kind,
    sub,
    sid: sid ?? null,
    user,
    created_at: new Date(createdAt).toISOString(),
    last_seen_at: new Date(session.lastSeenAt).toISOString(),
    expires_at: new Date(expiresAt(session, sessionLimits)).toISOString(),
    address,
    user_agent: userAgent,
    connections: registry.find(handle)?.counts() ?? { requests: 0, streams: 0, websockets: 0 },
  };
}

function expiresAt({ record, lastSeenAt }: StoredSession, limits: AdminParts['sessionLimits']): number {
  const { kind, beganAt, createdAt, tokens } = record;
  return kind === 'bearer'
    ? Math.min(beganAt + limits.absoluteTimeoutMs, tokens.accessExpiresAt)
    : Math.min(createdAt + limits.absoluteTimeoutMs, lastSeenAt + limits.idleTimeoutMs);
}

/** Ends one session; answers how many ended (0 or 1) and what was cut. */
export async function endByHandle(ctx: Context, parts: AdminParts, handle: string): Promise<void> {
  await endSelected(ctx, parts, { by: 'handle', handle });
}

/** Exactly one of sub, sid, user and all=true; anything else ends nobody. */
export async function endByQuery(ctx: Context, parts: AdminParts): Promise<void> {
  const selector = selectorOf(new URLSearchParams(ctx.querystring), parts.issuer);
  if (selector === undefined) {
    return answer(ctx, 400, 'invalid_request', 'Name exactly one of sub=, sid=, user= or all=true.');
  }
  await endSelected(ctx, parts, selector);
}

function selectorOf(query: URLSearchParams, issuer: string): EndSelector | undefined {
  const [only, ...others] = [...query];
  if (only === undefined || others.length > 0) return undefined;
  const [key, value] = only;
  if (value === '') return undefined;
  if (key === 'sub') return { by: 'sub', issuer, sub: value };
  if (key === 'sid') return { by: 'sid', issuer, sid: value };
  if (key === 'user') return { by: 'user', user: value };
  return key === 'all' && value === 'true' ? { by: 'all' } : undefined;
}

async function endSelected(ctx: Context, parts: AdminParts, selector: EndSelector): Promise<void> {
  const atProvider = parts.operatorEndsSso ? ({ atProvider: 'end_session' } as const) : {};
  const { count, cut } = await parts.endSessions(selector, { reason: 'operator', ...atProvider });
  ctx.body = { ended: count, cut };
}
