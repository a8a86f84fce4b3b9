// The decision: may this request pass, as whom, and to which upstream? The one place where that is decided, for HTTP,
// WebSocket upgrades and forward auth alike. A plain value when everything is at hand.

import { allowed, decidedBy, type Needs } from '../access/route-match.ts';
import type { RouteTable } from '../access/route-table.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { Claims } from '../base/tokens.ts';
import type { StoredSession } from '../session/session-record.ts';
import type { GateMatch, GateRoute } from './gate-route.ts';
import type { Identify } from './identify.ts';
import type { Bearer, IdentifyBearer, RefusedToken } from './identify-bearer.ts';
import type { Recheck } from './recheck.ts';
import type { SessionIdentity } from './session-identity.ts';
import { createSessionVerdict, type SessionVerdict } from './session-verdict.ts';

/** The bearer token that a request shows; `bad`: it shows something that may be read in several ways. */
export type ShownBearer = { readonly token: string } | { readonly bad: string };

/** What the decision needs to know of a request. Methods, not values, where only some decisions ask. */
export interface RequestFacts extends Bearer {
  readonly host: string;
  /** The same without its port: what a cookie is for. */
  readonly hostname: string;
  readonly method: string;
  /** The raw request target, origin-form. */
  readonly target: string;
  readonly sessionCookie: string | undefined;
  /** What its Authorization header shows; undefined: no bearer token. */
  bearer(): ShownBearer | undefined;
  readonly websocket: boolean;
  /** A person's browser moving to a new page: the only request that a redirect to sign-in helps. */
  isNavigation(): boolean;
  /** Where it goes to an application's logout: whether it says that its user wants to leave, and nobody else does. */
  isOwnWish(): boolean;
  /** The `Origin` header, which a browser sends with every WebSocket handshake. */
  origin(): string | undefined;
  readonly publicOrigin: string;
}

export type Decision =
  | {
      readonly kind: 'allow';
      readonly match: GateMatch;
      /** undefined: public, nobody's. */
      readonly session: StoredSession | undefined;
      readonly identity: readonly string[];
    }
  | { readonly kind: 'notFound' }
  /**
   * `acr`: what the provider is asked for; undefined: nothing special. `unproven`: it is asked whether this session of the
   * browser lives, and shows its user nothing.
   */
  | { readonly kind: 'login'; readonly acr: readonly string[] | undefined; readonly unproven?: StoredSession }
  /** Signed in, and not strongly enough; no redirect would help this request. */
  | {
      readonly kind: 'stepUp';
      readonly acr: readonly string[];
      readonly why: string;
      readonly route: GateRoute;
      readonly session: StoredSession;
    }
  /** The same for a page, where the provider was asked at this very sign-in: only the user asks it again. */
  | {
      readonly kind: 'stepUpFailed';
      readonly why: string;
      readonly route: GateRoute;
      readonly session: StoredSession;
    }
  /** `unproven`: signed in, and the provider has to be asked first whether the session lives. */
  | { readonly kind: 'unauthenticated'; readonly needs: Needs; readonly route: GateRoute; readonly unproven?: true }
  /** A bearer token was shown, and it is worth nothing. */
  | { readonly kind: 'tokenRefused'; readonly why: string }
  | { readonly kind: 'badRequest'; readonly why: string }
  | {
      readonly kind: 'forbidden';
      readonly why: string;
      readonly route: GateRoute;
      readonly session: StoredSession | undefined;
    }
  | { readonly kind: 'unavailable'; readonly why: string };

/** The user did something: counts for the idle timeout, and permits a refresh. */
export type NoteActivity = (session: StoredSession) => void;

export type Decide = (facts: RequestFacts) => MaybePromise<Decision>;

/** What a request is remembered by for as long as its connection lives. */
export type LiveFacts = Pick<RequestFacts, 'host' | 'method' | 'target' | 'websocket' | 'origin' | 'publicOrigin'>;

/** For what was let through under other rules: what lets it through now, or undefined. Looks at no cookie. */
export type DecideAgain = (facts: LiveFacts, session: StoredSession | undefined) => GateMatch | undefined;

export interface DecideOptions {
  readonly routes: RouteTable<GateRoute>;
  readonly identify: Identify;
  readonly identifyBearer: IdentifyBearer;
  readonly noteActivity: NoteActivity;
  readonly identity: SessionIdentity;
  /** undefined: sessions that cannot be asked for end with their access token. */
  readonly recheck?: Recheck | undefined;
}

interface DecideParts extends DecideOptions {
  readonly verdict: SessionVerdict;
}

export interface DecideAgainOptions extends Pick<DecideOptions, 'routes'> {
  /** Whether a bearer token with these claims is still meant for us. */
  readonly isMeantForUs: (claims: Claims) => boolean;
}

const NONE: readonly string[] = [];
const NOT_FOUND: Decision = { kind: 'notFound' };
const TOKEN_ENDED: Decision = { kind: 'tokenRefused', why: 'the session of the token has ended meanwhile' };

/** Never throws and never rejects: what goes wrong while deciding is `unavailable`, which lets nobody in. */
export function createDecide(options: DecideOptions): Decide {
  const parts = { ...options, verdict: createSessionVerdict() };
  return (facts) => {
    try {
      const decision = begin(parts, facts);
      return decision instanceof Promise ? decision.catch(unavailable) : decision;
    } catch (error) {
      return unavailable(error);
    }
  };
}

/** Never throws: where a rule cannot be evaluated nothing goes on. */
export function createDecideAgain({ routes, isMeantForUs }: DecideAgainOptions): DecideAgain {
  return (facts, session) => {
    const match = routes.match(facts.host, facts.target, facts.method);
    if (match.kind !== 'route') return undefined;
    if (facts.websocket && refusedWebSocket(match, facts)) return undefined;
    if (match.needs === 'public') return match;
    if (session === undefined || !takes(match, session, isMeantForUs)) return undefined;
    return allowed(match, session.record.claims) ? match : undefined;
  };
}

/** Whether the route still takes what the session's holder has shown. */
function takes({ needs }: GateMatch, { record }: StoredSession, isMeantForUs: (claims: Claims) => boolean): boolean {
  if (record.kind === 'bearer') return needs !== 'session' && isMeantForUs(record.claims);
  return needs !== 'bearer';
}

function begin(options: DecideParts, facts: RequestFacts): MaybePromise<Decision> {
  const match = options.routes.match(facts.host, facts.target, facts.method);
  if (match.kind === 'none') return NOT_FOUND;
  if (match.kind === 'bad_path') return { kind: 'badRequest', why: match.why };
  const refusal = facts.websocket ? refusedWebSocket(match, facts) : undefined;
  if (refusal) return refusal;
  if (match.needs === 'public') return { kind: 'allow', match, session: undefined, identity: NONE };
  if (match.needs !== 'session') {
    const decision = byBearer(options, facts, match);
    if (decision !== undefined) return decision;
  }
  const session = options.identify(facts.sessionCookie, facts.hostname);
  if (session instanceof Promise) return session.then((settled) => admit(options, facts, match, settled));
  return admit(options, facts, match, session);
}

/**
 * By the token and by nothing else, where one is shown: a token that is refused is not made good by a cookie that came
 * along, and who the user is never depends on which of two was looked at first. undefined: the cookie decides.
 */
function byBearer(options: DecideParts, facts: RequestFacts, match: GateMatch): MaybePromise<Decision> | undefined {
  const shown = facts.bearer();
  if (shown === undefined) {
    return match.needs === 'bearer' ? { kind: 'unauthenticated', needs: 'bearer', route: match.route } : undefined;
  }
  if ('bad' in shown) return { kind: 'badRequest', why: shown.bad };
  const settle = (identified: StoredSession | RefusedToken): MaybePromise<Decision> => {
    if ('refused' in identified) return { kind: 'tokenRefused', why: identified.refused };
    return identified.ended ? TOKEN_ENDED : admit(options, facts, match, identified);
  };
  const identified = options.identifyBearer(shown.token, facts);
  return identified instanceof Promise ? identified.then(settle) : settle(identified);
}

/** The last look at the session, again after every wait: from its answer to the registration of the connection nothing waits. */
function admit(
  options: DecideParts,
  facts: RequestFacts,
  match: GateMatch,
  session: StoredSession | undefined,
): MaybePromise<Decision> {
  if (session === undefined || session.ended) return anonymous(match, facts);
  const verdict = options.verdict(match, session.record);
  if (verdict !== 'allowed') return refuse(match, facts, { session, acr: verdict.acr });
  if (options.recheck !== undefined) {
    const demanded = options.recheck.demands(session, facts, match.route);
    if (demanded instanceof Promise) return demanded.then(() => admit(options, facts, match, session));
    if (demanded) return recheckFirst(match, facts, session);
  }
  const identity = options.identity(match.route, session.record);
  if (identity instanceof Promise) return identity.then(() => admit(options, facts, match, session));
  options.noteActivity(session);
  return { kind: 'allow', match, session, identity };
}

interface Refused {
  readonly session: StoredSession;
  readonly acr: readonly string[] | undefined;
}

/** A stronger sign-in, where that would open it: whoever has only a token gets it elsewhere. */
function refuse(match: GateMatch, facts: RequestFacts, { session, acr }: Refused): Decision {
  const where = { why: `refused by ${decidedBy(match)}`, route: match.route, session };
  if (acr === undefined) return { kind: 'forbidden', ...where };
  const { kind, refusedAcr } = session.record;
  if (kind !== 'sign_in' || !isSentToSignIn(match.route, facts)) return { kind: 'stepUp', acr, ...where };
  const isRefused = acr.every((each) => refusedAcr?.includes(each));
  return isRefused ? { kind: 'stepUpFailed', ...where } : { kind: 'login', acr };
}

function recheckFirst({ route, needs, acr }: GateMatch, facts: RequestFacts, session: StoredSession): Decision {
  if (isSentToSignIn(route, facts)) return { kind: 'login', acr, unproven: session };
  return { kind: 'unauthenticated', needs, route, unproven: true };
}

function anonymous({ route, needs, acr }: GateMatch, facts: RequestFacts): Decision {
  return isSentToSignIn(route, facts) ? { kind: 'login', acr } : { kind: 'unauthenticated', needs, route };
}

/** Whether the answer to who lacks a sign-in, or a stronger one, is a redirect to the provider, and not 401. */
export function isSentToSignIn(
  { unauthenticated }: GateRoute,
  facts: Pick<RequestFacts, 'method' | 'websocket' | 'isNavigation'>,
): boolean {
  if (facts.websocket || unauthenticated === 'deny') return false;
  return unauthenticated === 'login' ? facts.method === 'GET' || facts.method === 'HEAD' : facts.isNavigation();
}

/** Cookies travel with cross-site WebSocket handshakes: the Origin is the only defence (RFC 6455 section 10.2). */
function refusedWebSocket(match: GateMatch, facts: LiveFacts): Decision | undefined {
  const { route } = match;
  const { websocket } = route;
  if (!websocket.enabled)
    return { kind: 'forbidden', why: 'WebSockets are off for this route', route, session: undefined };
  const origin = facts.origin();
  if (origin === undefined || origin === facts.publicOrigin || websocket.origins.includes(origin)) return undefined;
  return { kind: 'forbidden', why: 'the Origin of the WebSocket is not allowed', route, session: undefined };
}

function unavailable(error: unknown): Decision {
  return { kind: 'unavailable', why: error instanceof Error ? error.message : 'unknown failure' };
}
