// The gate's side of the provider, as tests of the oidc room need it: real sockets, waits that are short, events kept.

import { EventEmitter, once } from 'node:events';
import type { GateEvent } from '../../src/base/events.ts';
import { Secret } from '../../src/base/secret.ts';
import { Provider, type ProviderDependencies, type ProviderOptions } from '../../src/oidc/provider.ts';
import { createOutboundFetch } from '../../src/proxy/outbound-fetch.ts';
import { CLIENT_ID, CLIENT_SECRET } from './fake-provider.ts';
import { hurriedTime } from './system-time.ts';

export interface TestProvider {
  readonly provider: Provider;
  readonly events: readonly GateEvent[];
  /** Resolves when an event of this name has happened. */
  happened(name: GateEvent['event']): Promise<void>;
}

/** A provider for the fake provider's client; not started. `options.issuer` is required. */
export function testProvider(
  options: Partial<ProviderOptions> & { issuer: string },
  dependencies: Partial<ProviderDependencies> = {},
): TestProvider {
  const events: GateEvent[] = [];
  const emitter = new EventEmitter();
  const provider = new Provider(
    {
      clientId: CLIENT_ID,
      clientAuth: { method: 'client_secret_basic', secret: new Secret(CLIENT_SECRET) },
      scopes: ['openid', 'profile', 'email'],
      authorizationParams: {},
      userinfo: 'auto',
      accessTokenClaims: 'auto',
      bearerAudiences: [],
      neededClaims: [],
      par: 'auto',
      idTokenAlg: 'RS256',
      clockToleranceSeconds: 30,
      logoutToken: { requireExp: true, requireTyp: false, maxAgeSeconds: 300 },
      liveness: 'auto',
      legacyLogoutRedirectUri: false,
      clientSessionState: 'sent',
      endpoints: {},
      allowHttp: false,
      fetch: createOutboundFetch({ timeoutMs: 10_000 }),
      ...options,
    },
    {
      ...hurriedTime,
      emit: (event) => {
        events.push(event);
        emitter.emit(event.event);
      },
      ...dependencies,
    },
  );
  const happened = async (name: GateEvent['event']) => {
    if (!events.some(({ event }) => event === name)) await once(emitter, name);
  };
  return { provider, events, happened };
}

/** What an assertion of a refused call needs: the error's code and its sentence for operators. */
export async function outcome(call: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await call;
    return { code: 'accepted', message: '' };
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return { code: code ?? 'not a GatewayError', message };
  }
}
