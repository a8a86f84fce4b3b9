// GET /api/connections: live connections by session.

import type { Context } from 'koa';
import type { AdminParts } from './admin-parts.ts';

export function listConnections(ctx: Context, { registry }: AdminParts): void {
  const connections = [...registry.list()].map((owner) => ({ session: owner.key, ...owner.counts() }));
  ctx.body = { connections, totals: registry.totals() };
}
