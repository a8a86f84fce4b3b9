// A call that failed and that our client had to authenticate for: whether the provider knows our client is worth remembering.

import type { GatewayError } from '../base/gateway-error.ts';
import type { Provider } from './provider.ts';
import { isClientRefused, translateError } from './translate-error.ts';

/** As `translateError`; where the provider refuses our client, `readyz` says so from now on. */
export function clientFailure(provider: Provider, error: unknown, endpoint: string): GatewayError {
  const failure = translateError(error, endpoint);
  if (isClientRefused(error)) provider.noteClientTrouble(failure.message);
  return failure;
}
