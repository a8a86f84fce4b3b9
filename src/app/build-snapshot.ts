// One snapshot: everything that follows from one configuration, built whole before anything of it is used.

import { parseClaimPath } from '../access/claim-path.ts';
import { compileRouteTable, type Match, type RouteTable } from '../access/route-table.ts';
import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import type { Config } from '../config/model.ts';
import type { Freshness } from '../freshness/freshness.ts';
import { createDecide, createDecideAgain } from '../gate/decide.ts';
import type { GateRoute } from '../gate/gate-route.ts';
import { createIdentify } from '../gate/identify.ts';
import { createIdentifyBearer, type IdentifyBearer } from '../gate/identify-bearer.ts';
import type { RecheckOptions } from '../gate/recheck.ts';
import { createSessionIdentity } from '../gate/session-identity.ts';
import { TrustedProxies } from '../http/client-address.ts';
import type { EndpointParts } from '../http/gate-context.ts';
import { LoginTransactions } from '../http/login-transactions.ts';
import { LogoutStates } from '../http/logout-states.ts';
import { createPublicApp } from '../http/public-app.ts';
import { PublicOrigins } from '../http/public-origins.ts';
import { TextSeal } from '../http/sealed-text.ts';
import type { RouteTransport, Snapshot } from '../http/snapshot.ts';
import type { UsedStates } from '../http/used-states.ts';
import type { AdmitSignIn } from '../logout/admit-sign-in.ts';
import type { EndSessions } from '../logout/end-sessions.ts';
import type { ReceiveFrontchannelNotice } from '../logout/receive-frontchannel-notice.ts';
import type { ReceiveNotice } from '../logout/receive-notice.ts';
import type { AssertionSigner } from '../oidc/assertion-signer.ts';
import type { Provider } from '../oidc/provider.ts';
import { addresseeTrouble, verifyAccessToken } from '../oidc/verify-access-token.ts';
import type { UpstreamGroup } from '../proxy/upstream-group.ts';
import type { FormStore } from '../session/form-store.ts';
import type { JarStore } from '../session/jar-store.ts';
import type { SessionStore } from '../session/session-store.ts';
import { UpstreamCookies } from '../session/upstream-cookies.ts';
import { assertionSigner } from './build-assertion.ts';
import type { FollowUps } from './build-follow-ups.ts';
import { buildFormKeeping } from './build-form-keeping.ts';
import type { Rechecks } from './build-rechecks.ts';
import { buildRoutes, type RouteParts } from './build-routes.ts';
import { buildTransport } from './build-transport.ts';
import { cookieScope } from './cookie-scope.ts';

/** What outlives snapshots. */
export interface LivingParts {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly store: SessionStore;
  readonly jars: JarStore;
  readonly forms: FormStore;
  readonly provider: Provider;
  readonly usedStates: UsedStates;
  readonly freshness: Freshness;
  readonly endSessions: EndSessions;
  readonly followUps: FollowUps;
  readonly receiveNotice: ReceiveNotice;
  readonly receiveFrontchannelNotice: ReceiveFrontchannelNotice;
  readonly admitSignIn: AdmitSignIn;
  readonly recheck: Rechecks['of'];
}

export interface BuiltSnapshot {
  readonly snapshot: Snapshot;
  readonly upstreams: readonly UpstreamGroup[];
}

export function buildSnapshot(config: Config, living: LivingParts): BuiltSnapshot {
  const { emit, freshness } = living;
  const signer = assertionSigner(config);
  const routes = buildRoutes(config, { signer, clock: living.clock, onLeftOut: leftOutTeller(emit) });
  const cookies = cookieScope(config);
  const jars = new UpstreamCookies(living.jars);
  const transports = new Map<string, RouteTransport>(
    config.routes.map((route) => [route.name, buildTransport(config, route, { cookies, emit, jars })]),
  );
  const forms = buildFormKeeping(config, living);
  const isLogout: RecheckOptions['isLogout'] = (target, { name }) =>
    transports.get(name)!.appLogout?.isLogoutOnly(target) === true;
  const recheck = living.recheck(config, isLogout);
  const routeTable = compileRouteTable<GateRoute>(routes);
  const snapshot: Snapshot = {
    origins: new PublicOrigins(config.publicUrls.map(({ origin }) => new URL(origin))),
    prefix: config.proxyPrefix,
    adminUrl: config.logout.keycloakAdminUrl,
    limits: { ...config.server.limits, callbackPath: cookies.callbackPath },
    trustedProxies: new TrustedProxies(config.server.trustedProxies),
    cookies,
    decide: createDecide({
      routes: routeTable,
      identify: createIdentify(living),
      identifyBearer: identifyBearer(config, living),
      noteActivity: (session) => freshness.active(session),
      identity: createSessionIdentity(living.clock),
      recheck,
    }),
    decideAgain: createDecideAgain({
      routes: routeTable,
      isMeantForUs: (claims) => addresseeTrouble(claims, config.provider) === undefined,
    }),
    transport: (route) => transports.get(route.name)!,
    forms,
    authorizationParams: authorizationParams(config, routeTable),
    acrFor: (address, method) => {
      const match = matchAddress(routeTable, address, method);
      return match.kind === 'route' && match.acr?.length ? match.acr : undefined;
    },
    publicApp: createPublicApp({
      parts: { ...endpointParts(config, living, signer), forms, recheck },
      session: { admitSignIn: living.admitSignIn, emit },
      adminUrl: config.logout.keycloakAdminUrl,
      frontchannel: config.logout.frontchannel,
      emit,
    }),
  };
  return { snapshot, upstreams: [...transports.values()].map(({ upstreams }) => upstreams) };
}

/** By the route of the address, which is where the user goes after signing in. */
function authorizationParams({ routes }: Config, table: RouteTable<GateRoute>): Snapshot['authorizationParams'] {
  const byRoute = new Map(routes.map(({ name, authorizationParams: parameters }) => [name, parameters]));
  return (address) => {
    const match = matchAddress(table, address, 'GET');
    return (match.kind === 'route' && byRoute.get(match.route.name)) || {};
  };
}

function matchAddress(table: RouteTable<GateRoute>, address: string, method: 'GET' | 'POST'): Match<GateRoute> {
  const { host, pathname, search } = new URL(address);
  return table.match(host, pathname + search, method);
}

function identifyBearer({ provider, session }: Config, living: LivingParts): IdentifyBearer {
  return createIdentifyBearer({
    ...living,
    verifyAccessToken: (token) => verifyAccessToken(living.provider, token),
    addresseeTrouble: (claims) => addresseeTrouble(claims, provider),
    issuer: provider.issuer,
    clientId: provider.clientId,
    clockToleranceMs: provider.clockToleranceMs,
    absoluteTimeoutMs: session.absoluteTimeoutMs,
  });
}

function leftOutTeller(emit: Emit): RouteParts['onLeftOut'] {
  return (route, header, why) => {
    const message = `Route ${route}: ${header} was left out: ${why}.`;
    emit({ event: 'gate.warning', code: 'header_left_out', message });
  };
}

function endpointParts(
  config: Config,
  living: LivingParts,
  signer: AssertionSigner | undefined,
): Omit<EndpointParts, 'forms' | 'recheck'> {
  const { session, logout } = config;
  const secrets = { current: session.secrets };
  return {
    provider: living.provider,
    store: living.store,
    endSessions: living.endSessions,
    endAtProvider: living.followUps.endAtProvider,
    receiveNotice: living.receiveNotice,
    transactions: new LoginTransactions({
      seal: new TextSeal(secrets, 'login transaction'),
      clock: living.clock,
      used: living.usedStates,
    }),
    receiveFrontchannelNotice: living.receiveFrontchannelNotice,
    logoutStates: new LogoutStates(new TextSeal(secrets, 'page token'), living.clock),
    logoutOptions: {
      ...logout,
      hintClaim: logout.hintClaim === undefined ? undefined : parseClaimPath(logout.hintClaim),
    },
    emit: living.emit,
    assertionKeys: signer && (() => signer.keySet()),
    limits: session,
  };
}
