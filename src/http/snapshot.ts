// Everything of one configuration that the public door needs. A reload builds another one and swaps the reference;
// a request keeps the one it entered with.

import type { ServerResponse } from 'node:http';
import type { Decide, DecideAgain } from '../gate/decide.ts';
import type { GateRoute } from '../gate/gate-route.ts';
import type { RequestHeaderPolicy } from '../proxy/request-headers.ts';
import type { ResponseHeaderPolicy } from '../proxy/response-headers.ts';
import type { UpstreamGroup } from '../proxy/upstream-group.ts';
import type { StoredSession } from '../session/session-record.ts';
import type { AppLogoutRules } from './app-logout-rules.ts';
import type { FormKeeping } from './form-keeping.ts';
import type { Leaving } from './leaving.ts';
import type { ListenerRules } from './listener-rules.ts';
import type { PublicOrigins } from './public-origins.ts';
import type { PublicRequest } from './public-request.ts';
import type { HeadLimits } from './request-head.ts';
import type { RouteJar } from './route-jar.ts';

/** How requests of one route travel to its upstream. */
export interface RouteTransport {
  readonly upstreams: UpstreamGroup;
  readonly requestHeaders: RequestHeaderPolicy;
  /** By public origin, because an upstream's own links are rewritten to the origin that the client sees. */
  responseHeaders(publicOrigin: string): ResponseHeaderPolicy;
  /** The target as the upstream is asked for it. */
  upstreamTarget(target: string): string;
  readonly websocketIdleMs: number;
  /** Undefined where cookies pass. */
  readonly jar: RouteJar | undefined;
  /** The largest form that is kept; undefined where none is. */
  readonly maxFormBytes: number | undefined;
  /** Undefined where the application has no say in logout. */
  readonly appLogout: AppLogoutRules | undefined;
}

export interface Snapshot extends ListenerRules {
  readonly origins: PublicOrigins;
  readonly limits: HeadLimits;
  readonly decide: Decide;
  readonly decideAgain: DecideAgain;
  transport(route: GateRoute): RouteTransport;
  /** Undefined where no route keeps forms. */
  readonly forms: FormKeeping | undefined;
  /** The gate's own endpoints, through Koa, and what it does instead of forwarding a request. */
  readonly publicApp: (request: PublicRequest, response: ServerResponse, errand?: Errand) => void;
}

/** Why a request of the application's comes to the gate's own endpoints. */
export interface Errand {
  /** Instead of an answer of the application: the user has logged out there. */
  readonly leaving?: Leaving;
  /** To sign in, and what the provider is asked for. */
  readonly acr?: readonly string[] | undefined;
  /** The session of the browser that the provider is asked about. */
  readonly unproven?: StoredSession | undefined;
}
