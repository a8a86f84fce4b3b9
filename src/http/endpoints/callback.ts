// GET <prefix>/callback : the second leg of sign-in (OpenID Connect Core section 3.1.2.5; RFC 9207). A callback that
// this browser did not ask for, that comes twice or too late is refused before any token request.

import { hasAcr } from '../../access/route-match.ts';
import { GatewayError } from '../../base/gateway-error.ts';
import { newSessionHandle } from '../../base/ids.ts';
import type { Claims } from '../../base/tokens.ts';
import { finishLogin, type SignedIn } from '../../oidc/finish-login.ts';
import { quoteForeign } from '../../oidc/translate-error.ts';
import { stepUpFailedPage } from '../../pages/step-up-failed-page.ts';
import { userName } from '../../session/new-session-record.ts';
import type { StoredSession } from '../../session/session-record.ts';
import { answerPage } from '../answer-page.ts';
import { formPath } from '../form-requests.ts';
import type { GateContext } from '../gate-context.ts';
import { commitSession, livingSession, presentedSession } from '../koa-session.ts';
import type { LoginTransaction } from '../login-transactions.ts';
import { otherAccountPath, signInPath } from '../own-path.ts';
import { goOn } from './go-on.ts';
import { isStillThere, notConfirmed, overtaken } from './recheck-answer.ts';
import { startLogin } from './start-login.ts';

/** Parameters that may come once only (RFC 6749 section 3.1): a second copy is somebody's attempt at confusion. */
const SINGLE = ['state', 'code', 'iss', 'error', 'session_state'];
/** The gate restarts a sign-in by itself once; after that a person decides. */
const MOST_RESTARTS = 1;

/** @throws GatewayError of sign-in; the error page offers to start again. */
export async function callback(ctx: GateContext): Promise<void> {
  const { transactions, entry, provider, store } = ctx.state;
  const { snapshot } = entry;
  holdSession(ctx, await presentedSession(ctx));
  const query = new URLSearchParams(ctx.querystring);
  const state = query.get('state') ?? undefined;
  const transaction = SINGLE.some((name) => query.getAll(name).length > 1) ? undefined : ownTransaction(ctx, state);
  for (const cookie of transactions.tidy(snapshot.cookies, entry.cookie, state)) ctx.append('Set-Cookie', cookie);
  if (transaction === undefined) {
    if (ctx.state.session !== undefined) throw new GatewayError('already_signed_in', alreadySignedIn);
    throw new GatewayError('callback_unknown', unknownCallback);
  }
  ctx.state.returnTo = transaction.returnTo;
  if (!(await transactions.consume(transaction.state))) return await usedAlready(ctx, transaction);
  // A SameSite=Strict cookie does not come along from the provider.
  if (ctx.state.session === undefined) holdSession(ctx, await livingSession(ctx, transaction.recheck?.id));
  const isSilent = transaction.recheck !== undefined;
  if (isSilent && !isStillThere(ctx, transaction.recheck)) return await overtaken(ctx, transaction);
  if (isTimedOutAtProvider(query) && transaction.restarts < MOST_RESTARTS) {
    return await startAgain(ctx, transaction);
  }
  // Before the exchange: a notice that arrives while we wait for the provider must find this sign-in already begun.
  const beganAt = await store.now();
  const handle = newSessionHandle();
  let signedIn: SignedIn;
  try {
    signedIn = await finishLogin(provider, {
      callbackUrl: new URL(`${transaction.redirectUri}?${ctx.querystring}`),
      redirectUri: transaction.redirectUri,
      transaction,
      handle,
    });
  } catch (error) {
    if (!isSilent) throw error;
    return await notConfirmed(ctx, transaction, error);
  }
  // Where nobody was asked, the page itself asks for what is missing.
  const refusedAcr = isSilent || isStrongEnough(signedIn.claims, transaction.acr) ? undefined : transaction.acr;
  ctx.state.signIn = { signedIn, beganAt, handle, refusedAcr, isSilent };
  await commitSession(ctx);
  rememberUser(ctx, signedIn.sub);
  if (refusedAcr === undefined) goOn(ctx, transaction.returnTo);
  else stopHere(ctx, signedIn, { returnTo: transaction.returnTo, refusedAcr });
}

/**
 * A callback that this browser brings a second time: its balancer has tried twice, or Keycloak has answered two tabs that
 * came at once with the state of one. The code goes nowhere, and the browser where it wanted to go.
 */
async function usedAlready(ctx: GateContext, transaction: LoginTransaction): Promise<void> {
  if (ctx.state.session !== undefined) return goOn(ctx, transaction.returnTo);
  if (transaction.restarts >= MOST_RESTARTS) throw new GatewayError('callback_unknown', unknownCallback);
  await startAgain(ctx, transaction);
}

function startAgain(ctx: GateContext, { returnTo, restarts, acr }: LoginTransaction): Promise<void> {
  return startLogin(ctx, { returnTo, restarts: restarts + 1, acr });
}

function holdSession({ state }: GateContext, session: StoredSession | undefined): void {
  if (session !== undefined) state.session = session;
}

function isStrongEnough({ acr }: Claims, wanted: readonly string[] | undefined): boolean {
  return wanted === undefined || hasAcr(acr, wanted);
}

/** To go on would lead to the provider again, and round for ever. The user is signed in all the same, as far as that goes. */
function stopHere(
  ctx: GateContext,
  { claims, sub }: SignedIn,
  { returnTo, refusedAcr }: { returnTo: string; refusedAcr: readonly string[] },
): void {
  const { entry, emit, signIn, session } = ctx.state;
  const { requestId, snapshot, publicOrigin } = entry;
  const user = userName(claims, sub);
  const why = `the page asks for acr ${refusedAcr.join(' or ')}, and the provider gave ${claims['acr'] === undefined ? 'none' : quoteForeign(String(claims['acr']))}`;
  emit({
    event: 'access.denied',
    user,
    sub,
    // A session that goes on keeps its name.
    session: session === undefined || session.ended ? signIn!.handle : session.record.handle,
    route: 'gate',
    method: ctx.method,
    request_id: requestId,
    why,
  });
  const page = stepUpFailedPage({
    user,
    retryUrl: signInPath(snapshot.prefix, returnTo),
    forForm: returnTo.startsWith(`${publicOrigin}${formPath(snapshot.prefix, '')}`),
    logoutUrl: otherAccountPath(snapshot.prefix, returnTo),
    requestId,
  });
  answerPage(ctx, 403, page);
}

/** Whose form it is that comes when this session is over. */
function rememberUser(ctx: GateContext, sub: string): void {
  const { forms, entry } = ctx.state;
  if (forms !== undefined) ctx.append('Set-Cookie', forms.lastUser.remember(entry.snapshot.cookies, sub));
}

/** The transaction that this browser began at this very address for this provider. */
function ownTransaction(ctx: GateContext, state: string | undefined): LoginTransaction | undefined {
  const { transactions, entry, provider } = ctx.state;
  if (state === undefined) return undefined;
  const transaction = transactions.read(entry.snapshot.cookies, entry.cookie, state);
  const here = `${entry.publicUrl.origin}${entry.snapshot.prefix}/callback`;
  return transaction?.redirectUri === here && transaction.issuer === provider.options.issuer ? transaction : undefined;
}

/** Keycloak's answer when its own sign-in form timed out or another tab signed in meanwhile. */
function isTimedOutAtProvider(query: URLSearchParams): boolean {
  return (
    query.get('error') === 'temporarily_unavailable' && query.get('error_description') === 'authentication_expired'
  );
}

const alreadySignedIn = {
  status: 400,
  message: 'a callback came again or without its transaction, in a browser that is signed in',
  publicMessage: 'You are already signed in.',
};

const unknownCallback = {
  status: 400,
  message: 'a callback without a transaction of this browser: replayed, expired, forged, or its cookie was lost',
  publicMessage: 'This sign-in was not started in this browser, was already used, or took too long.',
};
