// What the gate's own endpoints find on Koa's context. The endpoints are plain functions of it.

import type { ParameterizedContext } from 'koa';
import type { Emit } from '../base/events.ts';
import type { SessionHandle } from '../base/ids.ts';
import type { Recheck } from '../gate/recheck.ts';
import type { EndSessions } from '../logout/end-sessions.ts';
import type { FollowUp } from '../logout/follow-up.ts';
import type { ReceiveFrontchannelNotice } from '../logout/receive-frontchannel-notice.ts';
import type { ReceiveNotice } from '../logout/receive-notice.ts';
import type { SignedIn } from '../oidc/finish-login.ts';
import type { Provider } from '../oidc/provider.ts';
import type { StoredSession } from '../session/session-record.ts';
import type { SessionStore } from '../session/session-store.ts';
import type { FormKeeping } from './form-keeping.ts';
import type { Leaving } from './leaving.ts';
import type { LoginTransactions } from './login-transactions.ts';
import type { LogoutStates } from './logout-states.ts';
import type { PublicRequest } from './public-request.ts';

export interface LogoutOptions {
  /** undefined: the gate's own page on the origin of the request. */
  readonly postLogoutRedirectUri: string | undefined;
  readonly revokeTokens: boolean;
  readonly clearSiteData: readonly string[];
  /** The claim that is sent as `logout_hint`, name by name. */
  readonly hintClaim: readonly string[] | undefined;
  readonly initiatingIdp: string | undefined;
}

/** The parts that endpoints use, the same for every request of a snapshot. */
export interface EndpointParts {
  readonly provider: Provider;
  readonly store: SessionStore;
  readonly transactions: LoginTransactions;
  readonly logoutStates: LogoutStates;
  readonly endSessions: EndSessions;
  /** The provider's part of an end, where the cause could not name it yet. */
  readonly endAtProvider: FollowUp;
  readonly receiveNotice: ReceiveNotice;
  readonly receiveFrontchannelNotice: ReceiveFrontchannelNotice;
  readonly logoutOptions: LogoutOptions;
  /** The public keys of signed assertions, a JWK Set; undefined where no route sends any. */
  readonly assertionKeys: (() => Promise<object>) | undefined;
  /** Undefined where no route keeps forms. */
  readonly forms: FormKeeping | undefined;
  /** Undefined where no browser is sent to the provider for its session's sake. */
  readonly recheck: Recheck | undefined;
  readonly emit: Emit;
  readonly limits: { readonly idleTimeoutMs: number; readonly absoluteTimeoutMs: number };
}

export interface GateState extends EndpointParts {
  readonly entry: PublicRequest;
  /** The live session of this browser, if it has one. */
  session?: StoredSession;
  /** Set by the callback for the session that is about to be created. */
  signIn?: {
    readonly signedIn: SignedIn;
    readonly beganAt: number;
    readonly handle: SessionHandle;
    readonly refusedAcr: readonly string[] | undefined;
    readonly isSilent: boolean;
  };
  /** Set where an application's own logout was answered. */
  leaving?: Leaving;
  /** What the provider is to be asked for when this request signs in. */
  acr?: readonly string[] | undefined;
  /** The session of this browser that the provider is asked about. */
  unproven?: StoredSession | undefined;
  /** Where the user wanted to go: for the link on an error page. */
  returnTo?: string;
}

export type GateContext = ParameterizedContext<GateState>;
