// Calls that failed and that our client had to authenticate for: whether the provider knows our client is worth remembering.

import { ResponseBodyError } from 'openid-client';
import { GatewayError } from '../base/gateway-error.ts';
import type { Provider } from './provider.ts';
import { isClientRefused, isInvalidGrant, translateError } from './translate-error.ts';

/** As `translateError`; where the provider refuses our client, `readyz` says so from now on. */
export function clientFailure(provider: Provider, error: unknown, endpoint: string): GatewayError {
  const failure = translateError(error, endpoint);
  if (isClientRefused(error)) provider.noteClientTrouble(failure.message);
  return failure;
}

/** As `clientFailure`; an answer that would be the same if the provider were asked again is `provider_refused`. */
export function finalFailure(provider: Provider, error: unknown, endpoint: string): GatewayError {
  const failure = clientFailure(provider, error, endpoint);
  if (!isRefusal(error)) return failure;
  const { status, message, publicMessage } = failure;
  return new GatewayError('provider_refused', { status, message, publicMessage });
}

function isRefusal(error: unknown): boolean {
  const isForbidden = error instanceof ResponseBodyError && error.status === 403;
  return isForbidden || isInvalidGrant(error) || isClientRefused(error);
}
