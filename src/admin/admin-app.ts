// The private listener: health, metrics, the API behind the token, and Keycloak's notices for a provider that calls an
// internal address. The order of the chain and the table of endpoints are this page.

import type { IncomingMessage, ServerResponse } from 'node:http';
import Koa, { type Context } from 'koa';
import { GatewayError } from '../base/gateway-error.ts';
import { newRequestId } from '../base/ids.ts';
import type { AdminParts } from './admin-parts.ts';
import { answer } from './answer.ts';
import { bearerCheck } from './bearer-check.ts';
import { listConnections } from './list-connections.ts';
import { endByHandle, endByQuery, listSessions } from './sessions-api.ts';

type Endpoint = (ctx: Context) => void | Promise<void>;
type Methods = Readonly<Partial<Record<string, Endpoint>>>;

/** The admin listener's request handler. */
export function createAdminApp(parts: AdminParts): (request: IncomingMessage, response: ServerResponse) => void {
  const open: Readonly<Record<string, Methods>> = {
    '/healthz': { GET: healthz },
    '/readyz': { GET: (ctx) => readyz(ctx, parts) },
    '/metrics': { GET: (ctx) => metrics(ctx, parts) },
    ...Object.fromEntries(Object.entries(parts.notices).map(([path, notice]) => [path, { POST: notice }])),
  };
  const guarded: Readonly<Record<string, Methods>> = {
    '/api/sessions': { GET: (ctx) => listSessions(ctx, parts), DELETE: (ctx) => endByQuery(ctx, parts) },
    '/api/connections': { GET: (ctx) => listConnections(ctx, parts) },
  };
  const authorized = bearerCheck(parts.token);
  const app = new Koa();
  app.silent = true;
  app.use(async (ctx, next) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.set('X-Content-Type-Options', 'nosniff');
    try {
      await next();
    } catch (error) {
      if (error instanceof GatewayError) return answer(ctx, error.status, error.code, error.message);
      parts.emit({ event: 'request.failed', code: 'internal_error', why: String(error), request_id: newRequestId() });
      answer(ctx, 500, 'internal_error', 'Something went wrong here.');
    }
  });
  app.use(async (ctx) => {
    const openMethods = Object.hasOwn(open, ctx.path) ? open[ctx.path] : undefined;
    if (openMethods) return await serve(ctx, openMethods);
    if (!ctx.path.startsWith('/api/')) return answer(ctx, 404, 'not_found', 'There is nothing here.');
    if (!authorized(ctx)) return;
    if (Object.hasOwn(guarded, ctx.path)) return await serve(ctx, guarded[ctx.path]!);
    const handle = /^\/api\/sessions\/([A-Za-z0-9_-]{1,64})$/.exec(ctx.path)?.[1];
    if (handle !== undefined) return await serve(ctx, { DELETE: () => endByHandle(ctx, parts, handle) });
    answer(ctx, 404, 'not_found', 'There is nothing here.');
  });
  return app.callback();
}

async function serve(ctx: Context, methods: Methods): Promise<void> {
  const endpoint = methods[ctx.method === 'HEAD' ? 'GET' : ctx.method];
  if (endpoint) return await endpoint(ctx);
  ctx.set('Allow', Object.keys(methods).join(', '));
  answer(ctx, 405, 'method_not_allowed', `Allowed: ${Object.keys(methods).join(', ')}.`);
}

function healthz(ctx: Context): void {
  ctx.type = 'text/plain';
  ctx.body = 'ok\n';
}

function readyz(ctx: Context, parts: AdminParts): void {
  const troubles = parts.readiness();
  ctx.status = troubles.length === 0 ? 200 : 503;
  ctx.body = { ready: troubles.length === 0, troubles };
}

async function metrics(ctx: Context, parts: AdminParts): Promise<void> {
  const { contentType, text } = await parts.metrics();
  ctx.type = contentType;
  ctx.body = text;
}
