// The one way to call the provider, for the gate and for the commands beside it: the configured authority and client
// certificate, a deadline, a bound on what is read, no redirects.

import type { Config } from '../config/model.ts';
import { createOutboundFetch } from '../proxy/outbound-fetch.ts';

/** Longer than a provider takes under load; a user is waiting for the answer. */
const CALL_TIMEOUT_MS = 10_000;
/** Key sets, metadata and token answers are a few KiB; Keycloak's metadata is 7. */
const MOST_BYTES = 1024 * 1024;

export interface ProviderFetchOptions {
  /** For calls that take longer than a user would wait. */
  readonly timeoutMs?: number;
}

export function providerFetch(
  { provider: { caPem, tls } }: Config,
  { timeoutMs = CALL_TIMEOUT_MS }: ProviderFetchOptions = {},
): typeof globalThis.fetch {
  return createOutboundFetch({
    ...(caPem === undefined ? {} : { caPem }),
    ...(tls === undefined ? {} : { client: { certPem: tls.certPem, keyPem: tls.keyPem.reveal() } }),
    timeoutMs,
    maxBytes: MOST_BYTES,
  });
}
