// The administrator of Keycloak whom the environment names, for the commands that act as one.

import { providerFetch } from '../app/provider-fetch.ts';
import { Secret } from '../base/secret.ts';
import { environment } from '../config/environment.ts';
import type { Config } from '../config/model.ts';
import { type AdminCredentials, KeycloakAdmin } from '../keycloak/keycloak-admin.ts';

/** Keycloak tells its clients one after another, up to 5 s each, before it answers an administrator. */
const ADMIN_CALL_MS = 60_000;

/** Undefined where the environment names none. @throws GatewayError `not_keycloak` */
export function environmentAdmin(config: Config): KeycloakAdmin | undefined {
  const env = environment();
  const credentials = credentialsOf(env);
  if (credentials === undefined) return undefined;
  return new KeycloakAdmin({
    issuer: config.provider.issuer,
    baseUrl: env['KEYCLOAK_ADMIN_URL'],
    credentials,
    credentialsRealm: env['KEYCLOAK_ADMIN_REALM'] ?? 'master',
    fetch: providerFetch(config, { timeoutMs: ADMIN_CALL_MS }),
  });
}

function credentialsOf(env: ReturnType<typeof environment>): AdminCredentials | undefined {
  const { KEYCLOAK_ADMIN: username, KEYCLOAK_ADMIN_PASSWORD: password } = env;
  const { KEYCLOAK_ADMIN_CLIENT_ID: clientId, KEYCLOAK_ADMIN_CLIENT_SECRET: clientSecret } = env;
  if (username && password) return { username, password: new Secret(password) };
  if (clientId && clientSecret) return { clientId, clientSecret: new Secret(clientSecret) };
  return undefined;
}
