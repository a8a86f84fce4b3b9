// Decides at sign-in how the session will be asked for: a probe that calls a token of a moment ago dead means a setting,
// not a logout, and must never be believed later.

import { errorCode, GatewayError } from '../base/gateway-error.ts';
import type { LivenessProbe } from '../base/tokens.ts';
import { probeSession } from './probe-session.ts';
import type { Provider } from './provider.ts';

/**
 * `introspect` where the option says so or the provider just proved it right, else `refresh`, with an event that says why.
 * Without a refresh token there is nothing to decide.
 */
export async function armProbe(provider: Provider, refreshToken: string | undefined): Promise<LivenessProbe> {
  const { liveness } = provider.options;
  if (liveness !== 'auto') return liveness;
  if (refreshToken === undefined) return 'refresh';
  const why = await trouble(provider, refreshToken);
  if (why === undefined) return 'introspect';
  provider.emit({ event: 'probe.not_armed', why: `${why}; sessions are asked for by a refresh instead` });
  return 'refresh';
}

async function trouble(provider: Provider, refreshToken: string): Promise<string | undefined> {
  try {
    if ((await probeSession(provider, refreshToken)) === 'alive') return undefined;
    return 'introspection calls a refresh token of a moment ago not active (is our client allowed to introspect?)';
  } catch (error) {
    if (error instanceof GatewayError) return error.message;
    return `introspection failed (${errorCode(error)})`;
  }
}
