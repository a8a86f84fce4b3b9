// From the checked file to the model that the rooms get: names, prefixes and cookie names worked out, everything frozen.

import type { Secret } from '../base/secret.ts';
import { buildRoute } from './build-route.ts';
import { buildRedis } from './build-store.ts';
import type {
  ClientAuth,
  Config,
  CookieConfig,
  KeyPair,
  ProviderConfig,
  PublicUrl,
  ServerConfig,
  SessionConfig,
} from './model.ts';
import type { ConfigFile } from './sections/config-file.ts';
import type { KeyPairSection } from './sections/server-section.ts';

/** The model of a file without mistakes. */
export function buildConfig(file: ConfigFile): Config {
  const publicUrls = file.public_url as readonly [PublicUrl, ...PublicUrl[]];
  const {
    post_logout_redirect_uri,
    revoke_tokens,
    operator_ends_sso,
    frontchannel,
    keycloak_admin_url,
    clear_site_data,
    hint_claim,
    initiating_idp,
    notify,
  } = file.logout;
  return deepFreeze({
    publicUrls,
    proxyPrefix: file.proxy_prefix,
    server: buildServer(file.server),
    admin: {
      listen: file.admin.listen,
      token: file.admin.token ?? file.admin.token_file,
      tls: buildKeyPair(file.admin.tls),
      notices: file.admin.notices,
    },
    provider: buildProvider(file.provider),
    session: buildSession(file.session, publicUrls),
    logout: {
      postLogoutRedirectUri: post_logout_redirect_uri,
      revokeTokens: revoke_tokens,
      operatorEndsSso: operator_ends_sso,
      frontchannel,
      keycloakAdminUrl: keycloak_admin_url,
      clearSiteData: clear_site_data,
      hintClaim: hint_claim,
      initiatingIdp: initiating_idp,
      notify,
    },
    routes: file.routes.map(buildRoute),
    log: file.log,
  });
}

function buildServer({
  listen,
  tls,
  allow_http,
  trusted_proxies,
  limits,
  timeouts,
}: ConfigFile['server']): ServerConfig {
  return {
    listen,
    tls: buildKeyPair(tls),
    allowHttp: allow_http,
    trustedProxies: trusted_proxies,
    limits: { headers: limits.headers, headerBytes: limits.header_bytes, urlBytes: limits.url_bytes },
    timeouts: { headersMs: timeouts.headers, keepAliveMs: timeouts.keep_alive, drainMs: timeouts.drain },
  };
}

function buildKeyPair(tls: KeyPairSection | undefined): KeyPair | undefined {
  return tls && { certPem: tls.cert_file, keyPem: tls.key_file };
}

function buildProvider(provider: ConfigFile['provider']): ProviderConfig {
  const { require_exp, require_typ, max_age } = provider.logout_token;
  return {
    issuer: provider.issuer,
    clientId: provider.client_id,
    clientAuth: buildClientAuth(provider),
    caPem: provider.ca_file,
    tls: buildKeyPair(provider.tls),
    scopes: provider.scopes,
    authorizationParams: Object.fromEntries(provider.authorization_params),
    userinfo: provider.userinfo,
    accessTokenClaims: provider.access_token_claims,
    bearerAudiences: provider.bearer_audiences,
    par: provider.par,
    idTokenAlg: provider.id_token_signed_response_alg,
    clockToleranceMs: provider.clock_tolerance,
    logoutToken: { requireExp: require_exp, requireTyp: require_typ, maxAgeMs: max_age },
    liveness: provider.liveness,
    legacyLogoutRedirectUri: provider.legacy_logout_redirect_uri,
    endpoints: Object.fromEntries(provider.endpoints),
    allowHttp: provider.allow_http,
  };
}

function buildClientAuth({
  client_auth,
  client_secret,
  client_secret_file,
  private_key_file,
}: ConfigFile['provider']): ClientAuth {
  if (client_auth === 'private_key_jwt') return { method: client_auth, privateKeyPem: private_key_file! };
  if (client_auth === 'tls_client_auth') return { method: client_auth };
  return { method: client_auth, secret: (client_secret ?? client_secret_file)! };
}

function buildSession(session: ConfigFile['session'], publicUrls: readonly PublicUrl[]): SessionConfig {
  return {
    secrets: (session.secret ?? session.secret_file) as readonly [Secret, ...Secret[]],
    cookie: buildCookie(session.cookie, publicUrls),
    idleTimeoutMs: session.idle_timeout,
    absoluteTimeoutMs: session.absolute_timeout,
    revalidateMs: session.revalidate,
    recheck: session.recheck && { afterMs: session.recheck.after, exemptPaths: session.recheck.exempt_paths },
    memory: { maxSessions: session.memory.max_sessions, file: session.memory.file },
    redis: buildRedis(session),
  };
}

/** The strongest name that browsers accept: `__Host-` keeps other hosts of the domain from setting the cookie. */
function buildCookie(
  { name, same_site, domain }: ConfigFile['session']['cookie'],
  publicUrls: readonly PublicUrl[],
): CookieConfig {
  const secure = publicUrls.every((url) => url.scheme === 'https');
  const prefix = !secure ? '' : domain === undefined ? '__Host-' : '__Secure-';
  return { name: name ?? `${prefix}portcullis`, sameSite: same_site, domain, secure };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
