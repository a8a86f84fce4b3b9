// `provider`: the OpenID provider and our registration at it (design/config.md).

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is the syntax of the configuration file.

import { byDefault, optional, required } from '../kind.ts';
import { duration } from '../kinds/amounts.ts';
import { certificateFile, privateKeyFile, secret, secretFile } from '../kinds/files.ts';
import { choice, flag, scalarText, text } from '../kinds/scalars.ts';
import { list, record, section } from '../kinds/structures.ts';
import { absoluteUrl, issuerUrl } from '../kinds/urls.ts';
import { keyPair } from './server-section.ts';

/** Endpoints whose discovered URL can be replaced, by their names in the metadata (RFC 8414 section 2). */
const ENDPOINTS = [
  'authorization_endpoint',
  'token_endpoint',
  'userinfo_endpoint',
  'jwks_uri',
  'introspection_endpoint',
  'revocation_endpoint',
  'end_session_endpoint',
  'pushed_authorization_request_endpoint',
] as const;

/** Asymmetric ones: a key that the gate does not have cannot leak from it. */
const SIGNATURES = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

const logoutToken = section({
  require_exp: byDefault(flag, true, 'Refuse logout tokens without exp; false for Keycloak up to 22, which sends none'),
  require_typ: byDefault(flag, false, 'Refuse logout tokens whose typ is not logout+jwt'),
  // An accepted token is remembered for as long as this may be: recent-notices.ts.
  max_age: byDefault(duration({ most: '1h' }), '5m', 'Refuse logout tokens that were issued longer ago; at most 1h'),
});

/** What is asked of the provider besides, by name. */
export const authorizationParams = record({
  value: scalarText('the value of the parameter'),
  expected: 'parameters such as { kc_idp_hint: corp }',
});

export const providerSection = section({
  issuer: required(issuerUrl, 'The issuer, such as https://sso.example.com/realms/acme'),
  client_id: required(text('the client ID'), 'The client ID of the gate at the provider'),
  client_secret: optional(secret, 'The client secret; best ${NAME}, from the environment'),
  client_secret_file: optional(secretFile, 'File that holds the client secret'),
  client_auth: byDefault(
    choice(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'tls_client_auth']),
    'client_secret_basic',
    'How the gate proves itself to the provider',
  ),
  private_key_file: optional(privateKeyFile, 'PEM file with the key that signs for private_key_jwt'),
  tls: optional(
    keyPair,
    'Client certificate for the provider: for tls_client_auth, or where something before it asks for one',
  ),
  ca_file: optional(certificateFile, 'PEM file with the private CA of the provider'),
  scopes: byDefault(
    list(text('a scope such as openid'), { expected: 'scopes such as openid' }),
    ['openid', 'profile', 'email'],
    'Scopes that sign-in asks for',
  ),
  authorization_params: byDefault(authorizationParams, {}, 'Further parameters of the authorization request'),
  userinfo: byDefault(
    choice(['auto', 'always', 'never']),
    'auto',
    'Ask UserInfo at sign-in; auto: when a claim that is used is missing',
  ),
  access_token_claims: byDefault(
    choice(['auto', 'never']),
    'auto',
    "Read Keycloak's roles from its access token when its signature and issuer hold",
  ),
  bearer_audiences: byDefault(
    list(text('an audience such as wiki-api'), { expected: 'audiences such as wiki-api' }),
    [],
    'Audiences of bearer tokens that are accepted besides client_id; a token issued to client_id itself needs none',
  ),
  par: byDefault(
    choice(['auto', 'require', 'never']),
    'auto',
    'Pushed authorization requests; auto: when the provider offers them',
  ),
  id_token_signed_response_alg: byDefault(
    choice(SIGNATURES),
    'RS256',
    'The one algorithm that ID tokens and logout tokens are signed with',
  ),
  clock_tolerance: byDefault(duration({ least: '0s', most: '10m' }), '30s', "How far the provider's clock may be off"),
  logout_token: byDefault(logoutToken, {}, 'What a logout token must have'),
  liveness: byDefault(
    choice(['auto', 'introspect', 'refresh']),
    'auto',
    'How the provider is asked whether a session lives',
  ),
  endpoints: byDefault(
    record({
      value: absoluteUrl('http://keycloak:8080/realms/acme/protocol/openid-connect/token'),
      expected: 'endpoints such as { token_endpoint: … }',
      names: ENDPOINTS,
    }),
    {},
    'URLs that replace discovered ones, where the gate reaches the provider by another address than browsers do',
  ),
  legacy_logout_redirect_uri: byDefault(flag, false, 'Log out with redirect_uri, for Keycloak before 18'),
  allow_http: byDefault(
    flag,
    false,
    'Accept a plain-http provider outside loopback: whoever reads the traffic is then everybody',
  ),
});
