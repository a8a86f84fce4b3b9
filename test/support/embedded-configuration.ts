// How the embedded provider sets up oidc-provider: no consent page, claims where Keycloak has them, loopback allowed.

import type Provider from 'oidc-provider';
import type { EmbeddedProviderOptions, Lifetimes } from './embedded-provider.ts';
import type { ProviderStorage } from './provider-storage.ts';

const RESOURCE = 'urn:embedded:api';
const SCOPES = 'openid profile email groups roles offline_access';

/** Claims of the users by name; `sub` is `sub-<name>` unless the claims say otherwise. */
export class EmbeddedUsers {
  readonly #users: Readonly<Record<string, Record<string, unknown>>>;

  constructor(users: Readonly<Record<string, Record<string, unknown>>> = DEFAULT_USERS) {
    this.#users = users;
  }

  get names(): readonly string[] {
    return Object.keys(this.#users);
  }

  claims(username: string): Record<string, unknown> | undefined {
    if (!Object.hasOwn(this.#users, username)) return undefined;
    return { sub: `sub-${username}`, preferred_username: username, ...this.#users[username] };
  }

  bySub(sub: string): Record<string, unknown> | undefined {
    return this.names.map((name) => this.claims(name)).find((claims) => claims?.['sub'] === sub);
  }
}

const DEFAULT_USERS: Readonly<Record<string, Record<string, unknown>>> = {
  alice: person('Alice', ['staff', 'admins'], ['user', 'admin']),
  bob: person('Bob', ['staff'], ['user']),
  carol: person('Carol', [], []),
};

function person(name: string, groups: string[], roles: string[]): Record<string, unknown> {
  const email = `${name.toLowerCase()}@example.com`;
  return { name: `${name} Example`, email, email_verified: true, groups, realm_access: { roles } };
}

interface Parts {
  /** Read at every use: a test may change them. */
  readonly lifetimes: Lifetimes;
  readonly storage: ProviderStorage;
  readonly users: EmbeddedUsers;
  readonly jwks: { keys: object[] };
  readonly cookieKey: string;
}

export function embeddedConfiguration(options: EmbeddedProviderOptions, parts: Parts): object {
  const { lifetimes, storage, users, jwks, cookieKey } = parts;
  const readable = options.accessTokens === 'jwt';
  return {
    adapter: (kind: string) => storage.adapter(kind),
    jwks,
    cookies: { keys: [cookieKey] },
    scopes: SCOPES.split(' '),
    claims: {
      openid: ['sub'],
      profile: ['name', 'preferred_username', 'given_name', 'family_name', 'picture'],
      email: ['email', 'email_verified'],
      groups: ['groups'],
      roles: ['realm_access', 'resource_access'],
    },
    conformIdTokenClaims: options.claimsIn === 'userinfo',
    rotateRefreshToken: options.rotateRefreshTokens ?? false,
    issueRefreshToken: async () => true,
    pkce: { required: () => true },
    clockTolerance: 5,
    // The package refuses to call loopback addresses; a test has no others.
    fetch: (url: string, { dispatcher: _, ...init }: RequestInit & { dispatcher?: unknown }) => fetch(url, init),
    ttl: {
      AccessToken: () => lifetimes.accessTokenSeconds,
      IdToken: () => lifetimes.accessTokenSeconds,
      RefreshToken: () => lifetimes.refreshTokenSeconds,
      Session: () => lifetimes.sessionSeconds,
      Grant: () => lifetimes.sessionSeconds,
      Interaction: 600,
      AuthorizationCode: 60,
    },
    features: { ...features(), ...(readable && { resourceIndicators: readableAccessTokens(lifetimes) }) },
    extraTokenClaims: async (_: unknown, token: { accountId: string }) => {
      const { realm_access, resource_access } = users.bySub(token.accountId) ?? {};
      return readable ? { realm_access, resource_access } : undefined;
    },
    findAccount: async (_: unknown, sub: string) => {
      const claims = users.bySub(sub);
      return claims && { accountId: sub, claims: async () => claims };
    },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    loadExistingGrant: grantEverything,
    ...options.configuration,
  };
}

function features(): object {
  return {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    introspection: { enabled: true, allowedPolicy: async () => true },
    revocation: { enabled: true, allowedPolicy: async () => true },
    pushedAuthorizationRequests: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: async (ctx: { body: string }, form: string) => {
        ctx.body = `<!doctype html><title>Sign out</title><h1>Sign out?</h1>${form}
<button name="logout" value="yes" form="op.logoutForm">Sign out</button>`;
      },
    },
    resourceIndicators: { enabled: false },
  };
}

/** JWT access tokens are a matter of resource indicators in oidc-provider: every token is for one resource. */
function readableAccessTokens(lifetimes: Lifetimes): object {
  return {
    enabled: true,
    defaultResource: async () => RESOURCE,
    useGrantedResource: async () => true,
    getResourceServerInfo: async () => ({
      scope: SCOPES,
      audience: RESOURCE,
      accessTokenTTL: lifetimes.accessTokenSeconds,
      accessTokenFormat: 'jwt',
      jwt: { sign: { alg: 'RS256' } },
    }),
  };
}

/** No consent page: every client has every scope. */
async function grantEverything(ctx: {
  oidc: { provider: Provider; client: { clientId: string }; session: { accountId: string } };
}): Promise<unknown> {
  const { provider, client, session } = ctx.oidc;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(SCOPES);
  grant.addResourceScope(RESOURCE, SCOPES);
  await grant.save();
  return grant;
}
