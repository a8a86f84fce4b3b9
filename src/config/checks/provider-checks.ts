// `provider`: what the gate needs to prove itself, and what must not travel in the clear.

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is the syntax of the configuration file.

import { isLoopback } from '../kinds/urls.ts';
import type { Finding, IsWritten } from '../problem.ts';
import type { ConfigDraft, RouteDraft } from '../sections/config-file.ts';
import { checkKeyPair } from './key-pair-checks.ts';

/** Parameters of the authorization request that the gate itself writes. */
const OWN_PARAMETERS = new Set([
  'client_id',
  'code_challenge',
  'code_challenge_method',
  'nonce',
  'redirect_uri',
  'request',
  'request_uri',
  'response_mode',
  'response_type',
  'scope',
  'state',
]);

/** The provider's addresses and the client's authentication. */
export function checkProvider({ provider, routes }: ConfigDraft, isWritten: IsWritten): Finding[] {
  if (provider === undefined) return [];
  const findings = [...checkPlainHttp(provider), ...checkClientAuth(provider, isWritten)];
  if (provider.tls !== undefined) findings.push(...checkKeyPair('provider.tls', provider.tls));
  const hasAudiences = (provider.bearer_audiences?.length ?? 0) > 0;
  if (hasAudiences && routes?.every((route) => route !== undefined && takesNoToken(route))) {
    const message = 'no route takes bearer tokens, so these audiences are not used';
    const cure = 'write auth: bearer or [session, bearer] at a route or a rule, or remove the audiences';
    findings.push({ path: 'provider.bearer_audiences', message, cure });
  }
  if (provider.scopes && !provider.scopes.includes('openid') && !provider.scopes.includes(undefined)) {
    const message = 'without the scope openid the provider sends no ID token, and nobody can sign in';
    findings.push({ path: 'provider.scopes', message, cure: 'add openid' });
  }
  findings.push(...checkParameters('provider', provider.authorization_params));
  return findings;
}

/** The `authorization_params` of the section at `at`. */
export function checkParameters(at: string, parameters: ReadonlyMap<string, unknown> | undefined): Finding[] {
  return [...(parameters?.keys() ?? [])]
    .filter((name) => OWN_PARAMETERS.has(name))
    .map((name) => ({
      path: `${at}.authorization_params.${name}`,
      message: 'the gate writes this parameter itself',
      cure: name === 'scope' ? 'remove it; scopes are listed in provider.scopes' : 'remove it',
    }));
}

function takesNoToken({ auth, access }: RouteDraft): boolean {
  return [auth, ...(access ?? []).map((rule) => rule?.auth)].every((ways) => !ways?.includes('bearer'));
}

type Provider = NonNullable<ConfigDraft['provider']>;

function checkPlainHttp({ issuer, endpoints, allow_http }: Provider): Finding[] {
  if (allow_http !== false) return [];
  const named = [...(endpoints ?? [])].map(([name, url]) => [`provider.endpoints.${name}`, url] as const);
  return [['provider.issuer', issuer] as const, ...named]
    .filter(([, url]) => url?.toLowerCase().startsWith('http:') && !isLoopback(new URL(url).hostname))
    .map(([path]) => ({
      path,
      message: 'plain http outside loopback: whoever reads or changes the traffic can sign in as anybody',
      cure: 'write https://, or accept it with provider.allow_http: true',
    }));
}

function checkClientAuth({ client_auth }: Provider, isWritten: IsWritten): Finding[] {
  const hasKey = isWritten('provider.private_key_file');
  if (client_auth === 'private_key_jwt') {
    const message = 'client_auth: private_key_jwt needs the key that signs';
    return hasKey
      ? []
      : [{ path: 'provider.private_key_file', message, cure: 'add private_key_file: the name of its PEM file' }];
  }
  if (client_auth === undefined) return [];
  if (hasKey) {
    const message = `this key is not used: client_auth is ${client_auth}`;
    return [
      { path: 'provider.private_key_file', message, cure: 'write client_auth: private_key_jwt, or remove the key' },
    ];
  }
  if (client_auth === 'tls_client_auth') {
    const message = 'client_auth: tls_client_auth needs the certificate that it goes by';
    const cure = 'add tls: { cert_file: …, key_file: … }';
    return isWritten('provider.tls') ? [] : [{ path: 'provider.tls', message, cure }];
  }
  if (isWritten('provider.client_secret') || isWritten('provider.client_secret_file')) return [];
  const message = `client_auth: ${client_auth} needs the client secret`;
  return [
    { path: 'provider.client_secret', message, cure: 'add client_secret: ${CLIENT_SECRET}, or client_secret_file' },
  ];
}
