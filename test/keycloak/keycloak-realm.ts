// The realm of the suite as data: users with roles and groups, the gate's client in each way of authenticating, and a
// second application whose logout is "logout elsewhere".

import type { KeycloakVersion } from './keycloak-distribution.ts';

/** All users have this one. */
export const PASSWORD = 'correct horse battery staple';
export const CLIENT_SECRET = 'a-secret-of-the-gate-and-of-keycloak';

export interface RealmOptions {
  readonly name: string;
  /** Where browsers reach the gate. */
  readonly gateUrl: string;
  /** Where Keycloak sends the gate's logout tokens. */
  readonly noticeUrl: string;
  /** A second application, and where Keycloak tells it. */
  readonly secondApp?: { readonly origin: string };
  /** Users besides alice and the others of every realm. */
  readonly users?: readonly string[];
  readonly accessTokenSeconds?: number;
  /** Where Keycloak looks the address after a logout up: in a list of its own, or among the redirect URIs (before 19). */
  readonly loggedOutIs?: 'post-logout' | 'redirect';
  /** What logout tokens name: the session (the default), or only its user. */
  readonly noticeNames?: 'session' | 'user';
  /** PEM of the public key for the client that authenticates by private_key_jwt. */
  readonly publicKeyPem?: string;
  /** Laid over the representation of the gate's client; its `attributes` are merged. */
  readonly client?: ClientChanges;
  /** More clients. */
  readonly clients?: readonly object[];
  /** Laid over the representation of the realm. */
  readonly settings?: Record<string, unknown>;
}

/** What `loggedOutIs` is to be for a version. */
export function whereLoggedOutIs(version: KeycloakVersion): 'post-logout' | 'redirect' {
  return version === '18.0.2' ? 'redirect' : 'post-logout';
}

export type ClientChanges = Record<string, unknown> & { attributes?: Record<string, string> };

/** The representation that Keycloak imports. */
export function acmeRealm(options: RealmOptions): { realm: string } & Record<string, unknown> {
  const { name, secondApp } = options;
  const basic = [`default-roles-${name}`];
  return {
    realm: name,
    enabled: true,
    sslRequired: 'none',
    roles: { realm: [{ name: 'wiki-admin' }, { name: 'wiki-reader' }] },
    groups: [{ name: 'staff' }, { name: 'visitors' }],
    users: [
      user('alice', { roles: [...basic, 'wiki-admin'], groups: ['/staff'] }),
      user('bob', { roles: [...basic, 'wiki-reader'], groups: ['/visitors'] }),
      ...['carol', 'dave', 'erin', 'frank', ...(options.users ?? [])].map((username) =>
        user(username, { roles: basic, groups: [] }),
      ),
    ],
    clients: [
      gateClient('gate', options, { clientAuthenticatorType: 'client-secret', secret: CLIENT_SECRET }),
      ...(options.publicKeyPem === undefined ? [] : [keyClient(options, options.publicKeyPem)]),
      ...(secondApp === undefined ? [] : [secondClient(secondApp.origin, options.loggedOutIs)]),
      ...(options.clients ?? []),
    ],
    ...options.settings,
  };
}

function user(username: string, { roles, groups }: { roles: string[]; groups: string[] }): object {
  return {
    username,
    enabled: true,
    email: `${username}@acme.example`,
    emailVerified: true,
    firstName: username[0]!.toUpperCase() + username.slice(1),
    lastName: 'Example',
    credentials: [{ type: 'password', value: PASSWORD, temporary: false }],
    realmRoles: roles,
    groups,
  };
}

const CONFIDENTIAL = {
  protocol: 'openid-connect',
  enabled: true,
  publicClient: false,
  standardFlowEnabled: true,
  directAccessGrantsEnabled: false,
  // "On" turns back-channel logout off for the client.
  frontchannelLogout: false,
  fullScopeAllowed: true,
};

/** What another gate of the realm has to be registered as; its secret is the first one's. */
export function anotherGate(clientId: string, at: { gateUrl: string; noticeUrl: string }): object {
  return gateClient(clientId, at, { clientAuthenticatorType: 'client-secret', secret: CLIENT_SECRET });
}

function gateClient(clientId: string, options: Omit<RealmOptions, 'name'>, authentication: ClientChanges): object {
  const { attributes: ofAuthentication, ...fields } = authentication;
  const { attributes: changed, ...changes } = options.client ?? {};
  const loggedOut = `${options.gateUrl}/_gate/logged-out`;
  return {
    ...CONFIDENTIAL,
    ...fields,
    clientId,
    // Keycloak before 19 has no list of its own for the addresses after a logout.
    redirectUris: [`${options.gateUrl}/_gate/callback`, ...(options.loggedOutIs === 'redirect' ? [loggedOut] : [])],
    attributes: {
      'backchannel.logout.url': options.noticeUrl,
      'backchannel.logout.session.required': String(options.noticeNames !== 'user'),
      'post.logout.redirect.uris': loggedOut,
      'pkce.code.challenge.method': 'S256',
      ...(options.accessTokenSeconds && { 'access.token.lifespan': String(options.accessTokenSeconds) }),
      ...ofAuthentication,
      ...changed,
    },
    protocolMappers: [
      {
        name: 'groups',
        protocol: 'openid-connect',
        protocolMapper: 'oidc-group-membership-mapper',
        config: {
          'claim.name': 'groups',
          'full.path': 'true',
          'id.token.claim': 'true',
          'userinfo.token.claim': 'true',
        },
      },
    ],
    ...changes,
  };
}

function keyClient(options: RealmOptions, publicKeyPem: string): object {
  return gateClient('gate-key', options, {
    clientAuthenticatorType: 'client-jwt',
    attributes: { 'jwt.credential.public.key': publicKeyPem.replace(/-----[^-]+-----|\s/g, '') },
  });
}

function secondClient(origin: string, loggedOutIs: RealmOptions['loggedOutIs']): object {
  return {
    ...CONFIDENTIAL,
    clientId: 'second-app',
    clientAuthenticatorType: 'client-secret',
    secret: CLIENT_SECRET,
    redirectUris: [`${origin}/callback`, ...(loggedOutIs === 'redirect' ? [`${origin}/bye`] : [])],
    attributes: {
      'backchannel.logout.url': `${origin}/backchannel-logout`,
      'backchannel.logout.session.required': 'true',
      'post.logout.redirect.uris': `${origin}/bye`,
    },
  };
}
