// Keycloak's not-before: an instant of the provider's; whatever it issued before that is void.

import type { Provider } from './provider.ts';
import { isEpochSeconds } from './token-claims.ts';

/**
 * Whether `value` can be one, in epoch seconds: 0 where none is set, and never in the future by more than the clocks may
 * differ. What is remembered of it only moves forward, so a mistaken year would let nobody sign in until then.
 */
export function isNotBefore(provider: Provider, value: unknown): value is number {
  const { clockToleranceSeconds } = provider.options;
  return (
    isEpochSeconds(value) && Number.isInteger(value) && value <= provider.clock.now() / 1000 + clockToleranceSeconds
  );
}

/** The one that came with a token answer, as it counts for the user of these tokens; nothing where none is set. */
export function notBeforeOf(provider: Provider, answer: { notBefore: unknown }): { notBeforeSeconds?: number } {
  return isNotBefore(provider, answer.notBefore) && answer.notBefore > 0 ? { notBeforeSeconds: answer.notBefore } : {};
}
