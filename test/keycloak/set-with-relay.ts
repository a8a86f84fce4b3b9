// A stage whose gate asks Keycloak for tokens and for the life of sessions through a relay, which sees both, holds their
// answers, and can go away as a Keycloak that is down does.

import { HttpRelay } from './http-relay.ts';
import type { KeycloakServer } from './keycloak-server.ts';
import { Stage, type StageOptions } from './stage.ts';

/** Close the relay after the stage. */
export async function setWithRelay(
  keycloak: KeycloakServer,
  options: Omit<StageOptions, 'provider'> = {},
): Promise<{ stage: Stage; relay: HttpRelay }> {
  const relay = await new HttpRelay(keycloak.origin).listen();
  const stage = await Stage.set(keycloak, {
    ...options,
    provider: async (issuer) => {
      const endpoint = (name: string) => relay.urlOf(`${new URL(issuer).pathname}/protocol/openid-connect/${name}`);
      return { endpoints: { token_endpoint: endpoint('token'), introspection_endpoint: endpoint('token/introspect') } };
    },
  });
  return { stage, relay };
}
