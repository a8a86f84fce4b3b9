// Whose bearer token is it? Verified once, and from then on a session in the store like every other, so that whatever ends
// sessions ends it too (design: a bearer access token whose sid was ended is refused like the cookie session was).

import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import { GatewayError } from '../base/gateway-error.ts';
import { bearerSessionId, type SessionId } from '../base/ids.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { Claims } from '../base/tokens.ts';
import type { Freshness } from '../freshness/freshness.ts';
import type { AccessToken } from '../oidc/verify-access-token.ts';
import { bearerRecord } from '../session/bearer-record.ts';
import type { StoredSession } from '../session/session-record.ts';
import type { SessionStore } from '../session/session-store.ts';

/** Whoever shows a token, for the record of its first use. */
export interface Bearer {
  readonly clientAddress: string;
  userAgent(): string;
}

/** Why a token is worth nothing here, for operators. */
export interface RefusedToken {
  readonly refused: string;
}

/**
 * The live session that `token` is, or why it is none. A plain value for a token that is known; where it waited, look at
 * `ended` once more in the tick in which it is used.
 * @throws GatewayError `store_unavailable`, `provider_unavailable` (also as rejections): fails closed.
 */
export type IdentifyBearer = (token: string, bearer: Bearer) => MaybePromise<StoredSession | RefusedToken>;

export interface IdentifyBearerOptions {
  readonly store: SessionStore;
  readonly freshness: Freshness;
  readonly clock: Clock;
  readonly emit: Emit;
  /** @throws GatewayError `token_refused`, or `provider_unavailable` */
  readonly verifyAccessToken: (token: string) => Promise<AccessToken>;
  /** Why a token is not meant for us, as the configuration says it now. */
  readonly addresseeTrouble: (claims: Claims) => string | undefined;
  readonly issuer: string;
  readonly clientId: string;
  readonly clockToleranceMs: number;
  readonly absoluteTimeoutMs: number;
}

const UNSIGNED: RefusedToken = { refused: 'the token is not a signed JWT of three parts' };
const ENDED: RefusedToken = { refused: 'the token was issued before its session, user or client was ended' };
const OVER: RefusedToken = { refused: 'the token has expired, or is older than session.absolute_timeout' };

export function createIdentifyBearer(options: IdentifyBearerOptions): IdentifyBearer {
  const { store, freshness } = options;
  /** Tokens of an earlier configuration are asked again whom they are for. */
  const meantForUs = new WeakSet<StoredSession>();
  /** By token, those being verified now: a thousand first requests are one look at the signature. */
  const admissions = new Map<string, Promise<StoredSession | RefusedToken>>();

  function alive(session: StoredSession): MaybePromise<StoredSession | RefusedToken> {
    if (!meantForUs.has(session)) {
      const refused = options.addresseeTrouble(session.record.claims);
      if (refused !== undefined) return { refused };
      meantForUs.add(session);
    }
    const outcome = freshness.ensure(session);
    if (outcome instanceof Promise) return outcome.then((settled) => (settled === 'ended' ? OVER : session));
    return outcome === 'ended' ? OVER : session;
  }

  function admitOnce(id: SessionId, token: string, bearer: Bearer): Promise<StoredSession | RefusedToken> {
    let admission = admissions.get(token);
    if (admission === undefined) {
      admission = admit(options, { id, token, bearer }).finally(() => admissions.delete(token));
      admissions.set(token, admission);
    }
    return admission;
  }

  return (token, bearer) => {
    const id = bearerSessionId(token);
    if (id === undefined) return UNSIGNED;
    const judge = (found: StoredSession | undefined): MaybePromise<StoredSession | RefusedToken> => {
      // The id does not vouch for the signature; the token that was verified does.
      if (found !== undefined && isSameText(found.record.tokens.accessToken, token)) return alive(found);
      return admitOnce(id, token, bearer).then((admitted) => ('refused' in admitted ? admitted : alive(admitted)));
    };
    const found = store.find(id);
    return found instanceof Promise ? found.then(judge) : judge(found);
  };
}

async function admit(
  options: IdentifyBearerOptions,
  { id, token, bearer }: { id: SessionId; token: string; bearer: Bearer },
): Promise<StoredSession | RefusedToken> {
  const { store, freshness, clock, absoluteTimeoutMs } = options;
  let verified: AccessToken;
  try {
    verified = await options.verifyAccessToken(token);
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'token_refused') return { refused: error.message };
    throw error;
  }
  const record = bearerRecord({
    ...options,
    ...verified,
    id,
    token,
    now: await store.now(),
    wallNow: clock.now(),
    address: bearer.clientAddress,
    userAgent: bearer.userAgent(),
  });
  // No end is remembered longer than a session may live, so nothing older may come in.
  if (store.estimateNow() >= record.beganAt + absoluteTimeoutMs) return OVER;
  const session = await store.create(record);
  if (session === 'ended') return ENDED;
  freshness.watch(session);
  const { user, sub, sid, handle, address } = record;
  options.emit({ event: 'bearer.accepted', user, sub, sid, session: handle, address });
  return session;
}

/** Without telling by its time how much of a guessed signature is right. */
function isSameText(known: string, shown: string): boolean {
  return known.length === shown.length && timingSafeEqual(Buffer.from(known, 'latin1'), Buffer.from(shown, 'latin1'));
}
