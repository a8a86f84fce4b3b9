// Discovery (OpenID Connect Discovery 1.0 section 4) and what of it we believe.

import { allowInsecureRequests, type ClientAuth, Configuration, customFetch, discovery } from 'openid-client';
import { isJsonObject } from './compact-jws.ts';
import { tokenAnswerFetch } from './token-answer.ts';
import { answerIn, providerUnavailable, translateError, unexpectedAnswer } from './translate-error.ts';

export interface DiscoverOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly idTokenAlg: string;
  readonly clientAuth: (metadata: Record<string, unknown>) => ClientAuth;
  /** Whether our client authenticates by its certificate. */
  readonly mutualTls: boolean;
  readonly endpoints: Readonly<Record<string, string>>;
  readonly allowHttp: boolean;
  readonly fetch: typeof globalThis.fetch;
}

/** Not an endpoint of the metadata but the address of the metadata itself, for a gate that cannot reach the issuer's name. */
const DISCOVERY_OVERRIDE = 'discovery';
const REQUIRED = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'];
/** What only the gate calls, and no browser. */
const DIRECT = [
  ...['token_endpoint', 'userinfo_endpoint', 'introspection_endpoint', 'revocation_endpoint'],
  'pushed_authorization_request_endpoint',
];
const ENDPOINTS = new Set([...REQUIRED, ...DIRECT, 'end_session_endpoint']);

/**
 * The provider's configuration with our overrides in it. The issuer must be ours to the letter: a provider that calls
 * itself otherwise would sign tokens that we refuse, and one that is not asked for could stand in for ours.
 * @throws GatewayError `provider_unavailable`
 */
export async function discover(options: DiscoverOptions): Promise<Configuration> {
  const { issuer, clientId, endpoints, allowHttp } = options;
  const address = endpoints[DISCOVERY_OVERRIDE] ?? `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const endpoint = `discovery (${address})`;
  const url = URL.parse(address);
  if (!url) throw providerUnavailable(`${endpoint} is not a URL; check provider.issuer`);
  refusePlainHttp({ name: 'provider.issuer', url, allowHttp });
  let found: Configuration;
  try {
    found = await discovery(url, clientId, undefined, undefined, {
      [customFetch]: options.fetch as never,
      execute: url.protocol === 'http:' ? [allowInsecureRequests] : [],
    });
  } catch (error) {
    const answer = answerIn(error);
    if (answer?.status === 404) throw unexpectedAnswer(answer, endpoint, `: ${whyNothingThere(url)}`);
    throw translateError(error, endpoint);
  }
  const discovered: Record<string, unknown> = { ...found.serverMetadata() };
  if (discovered['issuer'] !== issuer) {
    throw providerUnavailable(
      `${endpoint} says that the issuer is ${JSON.stringify(discovered['issuer'])}, and provider.issuer is ` +
        `${JSON.stringify(issuer)}; they must be the same to the letter`,
    );
  }
  return configure(discovered, options);
}

/** The usual mistakes, for whoever has Keycloak. */
function whyNothingThere({ pathname }: URL): string {
  const realm = /^(.*)\/realms\/[^/]+\//.exec(pathname);
  if (realm === null) {
    return 'check provider.issuer; that of a Keycloak ends with /realms/NAME, and before version 17 with /auth/realms/NAME';
  }
  return realm[1]!.endsWith('/auth')
    ? 'check the name of the realm; and whether this Keycloak has /auth before /realms: since version 17 it has not, unless told to'
    : 'check the name of the realm; and whether this Keycloak has /auth before /realms: before version 17 it has, and where it is told to';
}

function configure(discovered: Record<string, unknown>, options: DiscoverOptions): Configuration {
  const { mtls_endpoint_aliases: aliases, ...metadata } = discovered;
  // Some providers ask for certificates at addresses of their own only (RFC 8705 section 5). The library must not choose them:
  // it would overrule what is configured.
  if (options.mutualTls && isJsonObject(aliases)) {
    for (const name of DIRECT) if (aliases[name] !== undefined) metadata[name] = aliases[name];
  }
  for (const [name, url] of Object.entries(options.endpoints)) if (name !== DISCOVERY_OVERRIDE) metadata[name] = url;
  let insecure = false;
  for (const name of ENDPOINTS) {
    const value = metadata[name];
    if (value === undefined && !REQUIRED.includes(name)) continue;
    const url = typeof value === 'string' ? URL.parse(value) : null;
    if (!url) throw providerUnavailable(`the provider's metadata has no usable ${name}`);
    refusePlainHttp({ name, url, allowHttp: options.allowHttp });
    insecure ||= url.protocol === 'http:';
  }
  const configuration = new Configuration(
    metadata as never,
    options.clientId,
    { id_token_signed_response_alg: options.idTokenAlg },
    options.clientAuth(metadata),
  );
  configuration[customFetch] = tokenAnswerFetch(options.fetch, metadata['token_endpoint'] as string) as never;
  if (insecure) allowInsecureRequests(configuration);
  return configuration;
}

/** Plain HTTP only to ourselves, or when the operator says so; nothing but HTTP(S) ever. */
function refusePlainHttp(endpoint: { name: string; url: URL; allowHttp: boolean }): void {
  const { name, url, allowHttp } = endpoint;
  if (url.protocol === 'https:') return;
  if (url.protocol === 'http:' && (allowHttp || isLoopback(url.hostname))) return;
  const cure = url.protocol === 'http:' ? 'use https, or set provider.allow_http' : 'only https is possible';
  throw providerUnavailable(`${name} is ${url.protocol}//${url.host}: ${cure}`);
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
