// The configuration as the rooms get it: checked, frozen, every default filled in, every file read (design/config.md).
// What is not available yet is not here. Durations are milliseconds, sizes bytes.

import type { Secret } from '../base/secret.ts';
import type { HostAndPort, ListenAddress } from './kinds/network.ts';
import type { Origin } from './kinds/urls.ts';

export interface Config {
  /** Every origin that is served; the first is the default. */
  readonly publicUrls: readonly [PublicUrl, ...PublicUrl[]];
  /** `/_gate`: no slash at the end. */
  readonly proxyPrefix: string;
  readonly server: ServerConfig;
  readonly admin: AdminConfig;
  readonly provider: ProviderConfig;
  readonly session: SessionConfig;
  readonly logout: LogoutConfig;
  /** At least one; no two with the same host and path. */
  readonly routes: readonly RouteConfig[];
  readonly log: LogConfig;
}

/** `origin`, `scheme`, `host` (with a port that is not the scheme's own) and `hostname`, as browsers write them. */
export type PublicUrl = Origin;

/** `host` undefined: every address of the machine. Port 0: any free one. */
export type Listen = ListenAddress;

/** Certificate chain and private key, PEM. */
export interface KeyPair {
  readonly certPem: string;
  readonly keyPem: Secret;
}

export interface ServerConfig {
  readonly listen: Listen;
  /** Undefined: plain HTTP. */
  readonly tls: KeyPair | undefined;
  /** A plain-http public URL outside loopback was accepted knowingly: say it loudly. */
  readonly allowHttp: boolean;
  /** CIDRs or single addresses; never everybody. */
  readonly trustedProxies: readonly string[];
  readonly limits: { readonly headers: number; readonly headerBytes: number; readonly urlBytes: number };
  readonly timeouts: { readonly headersMs: number; readonly keepAliveMs: number; readonly drainMs: number };
}

interface AdminConfig {
  readonly listen: Listen;
  /** Undefined: the API is off. */
  readonly token: Secret | undefined;
  readonly tls: KeyPair | undefined;
  readonly notices: boolean;
}

export type ClientAuth =
  | { readonly method: 'client_secret_basic' | 'client_secret_post'; readonly secret: Secret }
  | { readonly method: 'private_key_jwt'; readonly privateKeyPem: Secret }
  /** By the certificate of `tls`. */
  | { readonly method: 'tls_client_auth' };

export interface ProviderConfig {
  /** Byte for byte as written: it is compared so. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientAuth: ClientAuth;
  readonly caPem: string | undefined;
  /** What is shown to a provider that asks for a client certificate. */
  readonly tls: KeyPair | undefined;
  /** With `openid` among them. */
  readonly scopes: readonly string[];
  readonly authorizationParams: Readonly<Record<string, string>>;
  readonly userinfo: 'auto' | 'always' | 'never';
  readonly accessTokenClaims: 'auto' | 'never';
  /** Besides the client id. */
  readonly bearerAudiences: readonly string[];
  readonly par: 'auto' | 'require' | 'never';
  readonly idTokenAlg: string;
  readonly clockToleranceMs: number;
  readonly logoutToken: { readonly requireExp: boolean; readonly requireTyp: boolean; readonly maxAgeMs: number };
  readonly liveness: 'auto' | 'introspect' | 'refresh';
  /** Log out with `redirect_uri` in place of the standard parameters. */
  readonly legacyLogoutRedirectUri: boolean;
  /** By their names in the provider's metadata: `token_endpoint`, `jwks_uri`. */
  readonly endpoints: Readonly<Record<string, string>>;
  readonly allowHttp: boolean;
}

export interface SessionConfig {
  /** Each at least 32 bytes. The first makes, all read. */
  readonly secrets: readonly [Secret, ...Secret[]];
  readonly cookie: CookieConfig;
  readonly idleTimeoutMs: number;
  readonly absoluteTimeoutMs: number;
  readonly revalidateMs: number;
  /** For sessions without a refresh token; undefined: they end with their access token. */
  readonly recheck: RecheckConfig | undefined;
  /** With a shared store, how many sessions one process remembers. */
  readonly memory: { readonly maxSessions: number /** Its whole path. */; readonly file: string | undefined };
  /** Undefined: sessions are kept in memory. */
  readonly redis: RedisConfig | undefined;
}

export interface RecheckConfig {
  readonly afterMs: number;
  /** Prefixes of whole segments. */
  readonly exemptPaths: readonly string[];
}

export interface RedisConfig {
  readonly servers:
    | { readonly address: { readonly host: string; readonly port: number } | { readonly path: string } }
    | {
        readonly sentinels: readonly HostAndPort[];
        readonly master: string;
        readonly sentinelPassword: Secret | undefined;
      }
    | { readonly cluster: readonly HostAndPort[] };
  readonly username: string | undefined;
  readonly password: Secret | undefined;
  readonly database: number;
  /** Undefined: without TLS. */
  readonly tls: ClientTls | undefined;
  readonly keyPrefix: string;
  readonly commandTimeoutMs: number;
}

export interface CookieConfig {
  /** Fits the public URLs: a prefix only where browsers accept it. */
  readonly name: string;
  readonly sameSite: 'lax' | 'strict' | 'none';
  readonly domain: string | undefined;
  /** No public URL is plain http. */
  readonly secure: boolean;
}

interface LogoutConfig {
  /** Undefined: `<the request's public origin><proxyPrefix>/logged-out`. */
  readonly postLogoutRedirectUri: string | undefined;
  readonly revokeTokens: boolean;
  /** What an operator ends here ends at the provider too. */
  readonly operatorEndsSso: boolean;
  /** Where Keycloak's Admin URL points: `<public origin><proxyPrefix>`, the public origin itself, or nowhere here. */
  readonly keycloakAdminUrl: 'prefix' | 'root' | 'off';
  /** Directives of Clear-Site-Data, without quotes. */
  readonly clearSiteData: readonly string[];
  /** The front-channel logout endpoint is served. */
  readonly frontchannel: boolean;
  /** The claim, by its dotted path, whose value is sent as `logout_hint`. */
  readonly hintClaim: string | undefined;
  /** Keycloak's alias of the identity provider that need not be told. */
  readonly initiatingIdp: string | undefined;
  /** Called when a user logs out. */
  readonly notify: { readonly url: string; readonly method: 'GET' | 'POST' } | undefined;
}

export interface RouteConfig {
  /** Unique; for logs and metrics. */
  readonly name: string;
  /** As a public URL's `hostname`; undefined: every public host. */
  readonly host: string | undefined;
  /** `/` or a prefix of whole segments without a slash at its end. */
  readonly path: string;
  /** Origins, http or https; at least one. */
  readonly upstreams: readonly string[];
  /** `session`: every request of a session goes to the same one, while it is up. */
  readonly balance: 'round_robin' | 'session';
  readonly stripPrefix: boolean;
  readonly preserveHost: boolean;
  readonly rewriteLocation: boolean;
  readonly ambiguousPaths: 'refuse' | 'forward';
  /** For rules only; the choice of the route never ignores case. */
  readonly caseInsensitivePaths: boolean;
  readonly upstreamTls: ClientTls | undefined;
  readonly timeouts: { readonly connectMs: number; readonly responseHeadMs: number; readonly idleMs: number };
  readonly auth: 'session' | 'bearer' | 'session or bearer' | 'public';
  /** Of who signs in here; before those of the provider. */
  readonly authorizationParams: Readonly<Record<string, string>>;
  readonly unauthenticated: 'auto' | 'login' | 'deny';
  readonly accessDefault: 'signed_in' | 'deny';
  /** The first that matches decides: any-of within a list, all-of across them. */
  readonly access: readonly AccessRule[];
  /** `jar`: the application's cookies stay at the gate with the session. */
  readonly cookies: 'pass' | 'jar';
  readonly logout: RouteLogout;
  readonly headers: {
    readonly preset: 'oauth2-proxy' | 'gatekeeper' | 'authelia' | 'mod_auth_openidc' | 'none';
    /** Header name to template, in the order of the file. */
    readonly set: Readonly<Record<string, string>>;
    /** HTTP Basic credentials: the user name is a template, the password the same for all or a claim of each user. */
    readonly basicAuth:
      | { readonly username: string; readonly password: Secret | { readonly claim: string } }
      | undefined;
    readonly accessToken: 'none' | 'authorization' | 'x-forwarded-access-token' | 'x-auth-token';
    /** Of claims, in the preset and in `set`. */
    readonly encoding: 'percent' | 'utf-8';
    readonly signedAssertion: boolean;
  };
  /** The largest form that is kept while its user signs in again; undefined: none is. */
  readonly maxFormBytes: number | undefined;
  readonly websocket: {
    readonly enabled: boolean;
    /** Origins besides the public one. */
    readonly origins: readonly string[];
    /** 0: no limit. */
    readonly idleMs: number;
  };
}

interface RouteLogout {
  /** The application's own logout addresses, each exactly, as the browser sends it; with parameters that its query must have, or none. */
  readonly paths: readonly string[];
  /** Undefined: the application has no header to ask by. */
  readonly responseHeader: string | undefined;
  /** What is called at the application when a session ends. */
  readonly relay: { readonly url: string; readonly method: 'GET' | 'POST' } | undefined;
}

/** What the gate trusts, and what it shows, where it is the client. */
export interface ClientTls {
  readonly caPem: string | undefined;
  readonly certPem: string | undefined;
  readonly keyPem: Secret | undefined;
  readonly serverName: string | undefined;
}

export interface AccessRule {
  /** The whole path as the client sends it, the route's own prefix included. */
  readonly path: string;
  /** Undefined: every method. */
  readonly methods: readonly string[] | undefined;
  /** Undefined: the route's own. */
  readonly auth: 'session' | 'bearer' | 'public' | undefined;
  /** Undefined: not asked for; otherwise at least one. So with groups and claims. */
  readonly roles: readonly string[] | undefined;
  readonly groups: readonly string[] | undefined;
  /** Claim path to accepted values. */
  readonly claims: Readonly<Record<string, readonly string[]>> | undefined;
  /** Undefined: however the user signed in. */
  readonly acr: readonly string[] | undefined;
}

interface LogConfig {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'json' | 'pretty';
}
