// The fence around koa-session: it reads the browser's session and creates a new one on the gate's own endpoints, and
// nothing else. Measured with version 7: with `rolling`, `renew` or any write in flight its commit saves a record again
// after it was destroyed, and it commits after a proxied answer has gone out. So those are off, the forwarding path does
// not know it, and its `destroy` is closed: sessions end in logout/end-sessions only.

import type Koa from 'koa';
import { type CreateSessionOptions, createSession } from 'koa-session';
import type { Emit } from '../base/events.ts';
import { GatewayError } from '../base/gateway-error.ts';
import { newSessionId, parseSessionId, type SessionId } from '../base/ids.ts';
import type { AdmitSignIn } from '../logout/admit-sign-in.ts';
import { isShownAtHome, type StoredSession } from '../session/session-record.ts';
import { sessionCookie } from './cookies.ts';
import type { GateContext } from './gate-context.ts';
import { isCallback } from './own-path.ts';

export interface KoaSessionOptions {
  readonly admitSignIn: AdmitSignIn;
  readonly emit: Emit;
}

/** Puts `ctx.session` and `ctx.state.session` on `app`'s contexts. A new session's cookie is set only once it exists. */
export function useKoaSession(app: Koa, options: KoaSessionOptions): void {
  const middleware = createSession(
    // The options' types come from a schema that knows contexts as `any`.
    {
      autoCommit: false,
      rolling: false,
      renew: false,
      maxAge: 'session',
      genid: () => newSessionId(),
      externalKey: {
        // koa-session writes a new session under the key that the browser brought along. A sign-in must have a new id
        // (session fixation), so at the callback there is no key.
        get: (ctx: GateContext) => (isSignIn(ctx) ? '' : (presentedId(ctx) ?? '')),
        set: (ctx: GateContext, id: string) => {
          ctx.append('Set-Cookie', sessionCookie(ctx.state.entry.snapshot.cookies, id));
        },
      },
      store: {
        get: (_id: string, _maxAge: number, { ctx }: { ctx: GateContext }) => read(ctx),
        set: (id: string, _value: unknown, _maxAge: number, { ctx }: { ctx: GateContext }) =>
          create(options, ctx, id as SessionId),
        destroy: () => Promise.reject(new Error('sessions end in logout/end-sessions')),
      },
    } as CreateSessionOptions,
    app,
  );
  app.use(middleware);
}

/**
 * Creates the session of `ctx.state.signIn` and sets its cookie.
 * @throws GatewayError `session_ended`: a notice came first, and no cookie is set
 */
export async function commitSession(ctx: GateContext): Promise<void> {
  const holder = ctx as unknown as { session: { manuallyCommit(): Promise<void> } };
  Object.assign(holder, { session: { signedIn: true } });
  await holder.session.manuallyCommit();
}

/** The live session that this browser's cookie names; looks and does not ask the provider. */
export async function presentedSession(ctx: GateContext): Promise<StoredSession | undefined> {
  return livingSession(ctx, presentedId(ctx));
}

/** The session with this id, if it lives and is the browser's at this host. @throws GatewayError `store_unavailable` */
export async function livingSession(ctx: GateContext, id: SessionId | undefined): Promise<StoredSession | undefined> {
  const session = id === undefined ? undefined : await ctx.state.store.find(id);
  if (session === undefined || session.ended) return undefined;
  return isShownAtHome(session.record, ctx.state.entry.hostname) ? session : undefined;
}

function isSignIn({ state: { entry } }: GateContext): boolean {
  return isCallback(entry.target, entry.snapshot.prefix);
}

function presentedId(ctx: GateContext): SessionId | undefined {
  const cookie = ctx.state.entry.sessionCookie;
  return cookie === undefined ? undefined : parseSessionId(cookie);
}

/**
 * Looks and does not ask: logout must not wait for a provider that hangs, and a page that polls `/session` is not a user
 * who keeps the SSO session alive.
 */
async function read(ctx: GateContext): Promise<unknown> {
  const session = await presentedSession(ctx);
  if (session === undefined) return undefined;
  ctx.state.session = session;
  return { signedIn: true };
}

/** Create, never update: what is written is the sign-in that the callback has just finished. */
async function create({ admitSignIn, emit }: KoaSessionOptions, ctx: GateContext, id: SessionId): Promise<void> {
  const { signIn, entry, session } = ctx.state;
  if (signIn === undefined) throw new Error('only a finished sign-in creates a session');
  const admitted = await admitSignIn({
    ...signIn,
    id,
    current: session,
    cookieHost: entry.snapshot.cookies.domain === undefined ? entry.hostname : undefined,
    address: entry.clientAddress,
    userAgent: ctx.get('User-Agent'),
  });
  if (admitted === 'ended') {
    throw new GatewayError('session_ended', {
      status: 400,
      message: 'a logout notice ended this session before its sign-in was finished',
      publicMessage: 'You were signed out while you were signing in.',
    });
  }
  const { user, sub, sid, handle, address } = admitted.record;
  if (signIn.isSilent && admitted === session) emit({ event: 'session.refreshed', user, sub, sid, session: handle });
  else emit({ event: 'login.succeeded', user, sub, sid, session: handle, address });
}
