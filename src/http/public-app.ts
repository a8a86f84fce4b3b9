// The gate's own endpoints on the public listener. The order of the chain and the table of endpoints are this page.

import Koa from 'koa';
import { safeReturnAddress } from '../access/return-address.ts';
import type { Emit } from '../base/events.ts';
import { GatewayError } from '../base/gateway-error.ts';
import type { PostedNoticeKind } from '../logout/receive-notice.ts';
import type { AdminActionKind } from '../logout/understand-admin-action.ts';
import { type AdminUrlPlace, noticeAtRoot } from './admin-url.ts';
import { hasUnreadBody } from './answer.ts';
import { answerError } from './answer-page.ts';
import { appLogout } from './endpoints/app-logout.ts';
import { callback } from './endpoints/callback.ts';
import { formEndpoint } from './endpoints/form.ts';
import { frontchannelLogout } from './endpoints/frontchannel-logout.ts';
import { jwks } from './endpoints/jwks.ts';
import { loggedOut } from './endpoints/logged-out.ts';
import { login } from './endpoints/login.ts';
import { logout } from './endpoints/logout.ts';
import { misplacedNotice } from './endpoints/misplaced-notice.ts';
import { noticeEndpoint } from './endpoints/notice.ts';
import { session } from './endpoints/session.ts';
import { signedIn, signInAgain } from './endpoints/sign-in-again.ts';
import { startLogin } from './endpoints/start-login.ts';
import type { FormKeeping } from './form-keeping.ts';
import type { EndpointParts, GateContext, GateState } from './gate-context.ts';
import { type KoaSessionOptions, useKoaSession } from './koa-session.ts';
import { ownPath } from './own-path.ts';
import type { PublicRequest } from './public-request.ts';
import type { Errand, Snapshot } from './snapshot.ts';

type Endpoint = (ctx: GateContext) => void | Promise<void>;

interface EndpointEntry {
  readonly methods: readonly string[];
  readonly endpoint: Endpoint;
  /** Endpoints that look at the browser's session; the others must answer without a store. */
  readonly session: 'read' | 'none';
}

type Endpoints = Readonly<Record<string, EndpointEntry>>;

export interface PublicAppOptions {
  readonly parts: EndpointParts;
  readonly session: KoaSessionOptions;
  readonly adminUrl: AdminUrlPlace;
  /** Front-channel logout is served. */
  readonly frontchannel: boolean;
  readonly emit: Emit;
}

/**
 * Serves the requests below the prefix, starts a sign-in for a navigation that the decision sent here, and answers a browser
 * that has used an application's own logout.
 */
export function createPublicApp(options: PublicAppOptions): Snapshot['publicApp'] {
  const { parts, emit } = options;
  const notice = (kind: PostedNoticeKind): EndpointEntry => {
    return { methods: ['POST'], endpoint: noticeEndpoint(kind, parts.receiveNotice), session: 'none' };
  };
  const misplaced = (kind: AdminActionKind): EndpointEntry => {
    return { methods: ['POST'], endpoint: misplacedNotice(kind, emit), session: 'none' };
  };
  const adminUrl = (entry: (kind: AdminActionKind) => EndpointEntry): Endpoints => ({
    '/k_logout': entry('k_logout'),
    '/k_push_not_before': entry('k_push_not_before'),
    '/k_test_available': entry('k_test_available'),
  });
  const form = ({ kept }: FormKeeping): Endpoints => ({
    '/form': { methods: ['GET', 'POST'], endpoint: formEndpoint(kept), session: 'read' },
  });
  const frontchannel: Endpoints = {
    '/frontchannel-logout': { methods: ['GET'], endpoint: frontchannelLogout, session: 'none' },
  };
  const keys: Endpoints = { '/jwks': { methods: ['GET', 'HEAD'], endpoint: jwks, session: 'none' } };
  const endpoints: Endpoints = {
    '/login': { methods: ['GET'], endpoint: login, session: 'none' },
    '/callback': { methods: ['GET'], endpoint: callback, session: 'read' },
    '/logout': { methods: ['GET', 'POST'], endpoint: logout, session: 'read' },
    '/logged-out': { methods: ['GET', 'HEAD'], endpoint: loggedOut, session: 'none' },
    '/signed-in': { methods: ['GET'], endpoint: signedIn, session: 'none' },
    '/sign-in-again.js': { methods: ['GET', 'HEAD'], endpoint: signInAgain, session: 'none' },
    ...(parts.forms === undefined ? {} : form(parts.forms)),
    '/session': { methods: ['GET', 'HEAD'], endpoint: session, session: 'read' },
    '/backchannel-logout': notice('backchannel'),
    ...(parts.assertionKeys === undefined ? {} : keys),
    ...(options.frontchannel ? frontchannel : {}),
    ...(options.adminUrl === 'prefix' ? adminUrl(notice) : {}),
    '/healthz': { methods: ['GET', 'HEAD'], endpoint: healthz, session: 'none' },
  };
  const atRoot = adminUrl(options.adminUrl === 'root' ? notice : misplaced);
  const find = (ctx: GateContext): EndpointEntry => endpointOf(ctx, endpoints, atRoot);
  const errands = new WeakMap<object, { entry: PublicRequest } & Errand>();
  const app = new Koa<GateState>();
  app.silent = true;
  app.use(async (ctx, next) => {
    Object.assign(ctx.state, parts, errands.get(ctx.req));
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Referrer-Policy', 'no-referrer');
    ctx.set('X-Content-Type-Options', 'nosniff');
    try {
      await next();
    } catch (error) {
      answerError(ctx as GateContext, error, emit);
    }
    // Nobody wants the rest of a body that was not read, and waiting for it would hold the connection for ever.
    if (hasUnreadBody(ctx.req)) ctx.set('Connection', 'close');
  });
  app.use(async (ctx, next) => {
    const entry = find(ctx as GateContext);
    if (entry.session === 'none') return await entry.endpoint(ctx as GateContext);
    return await next();
  });
  useKoaSession(app, options.session);
  app.use((ctx) => find(ctx as GateContext).endpoint(ctx as GateContext));
  const handle = app.callback();
  return (entry, response, errand) => {
    errands.set(entry.request, { ...errand, entry });
    void handle(entry.request, response);
  };
}

function endpointOf(ctx: GateContext, endpoints: Endpoints, atRoot: Endpoints): EndpointEntry {
  const { entry, leaving } = ctx.state;
  if (leaving !== undefined) return { methods: [], endpoint: appLogout, session: 'none' };
  const path = ownPath(entry.target, entry.snapshot.prefix);
  if (path === undefined) {
    const notice = noticeAtRoot(ctx.method, entry.target);
    if (notice !== undefined) return atRoot[`/${notice}`]!;
    return { methods: [], endpoint: signInForThisPage, session: 'none' };
  }
  const found = Object.hasOwn(endpoints, path) ? endpoints[path] : undefined;
  if (found === undefined) throw new GatewayError('not_found', { status: 404, message: 'no such endpoint' });
  if (!found.methods.includes(ctx.method)) {
    ctx.set('Allow', found.methods.join(', '));
    throw new GatewayError('method_not_allowed', { status: 405, message: `${ctx.method} is not served here` });
  }
  return found;
}

/** The decision was "sign in": the address of the request is where the user comes back to. */
async function signInForThisPage(ctx: GateContext): Promise<void> {
  const { entry, acr, unproven } = ctx.state;
  const { publicUrl, snapshot, target } = entry;
  const returnTo = safeReturnAddress(target, publicUrl.origin, snapshot.prefix);
  await startLogin(ctx, { returnTo, restarts: 0, acr, unproven });
}

function healthz(ctx: GateContext): void {
  ctx.type = 'text/plain';
  ctx.body = 'ok\n';
}
