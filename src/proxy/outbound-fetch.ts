// How the gate calls its provider, and whoever else it calls itself: `fetch` with a private authority, a deadline for the
// whole call, a bound on what is read, and no redirects (a provider's endpoints are configured or discovered, never moved
// to; RFC 9700 section 4.12).

import { getCACertificates } from 'node:tls';
import { Agent, fetch } from 'undici';
import { GatewayError } from '../base/gateway-error.ts';
import { isConnectionLost } from './forward-failure.ts';

export interface OutboundFetchOptions {
  /** A private authority, PEM; believed beside the system's. */
  readonly caPem?: string;
  /** The certificate that is shown to whoever asks for one, and its key, PEM. */
  readonly client?: { readonly certPem: string; readonly keyPem: string };
  /** For the whole call, the body included. */
  readonly timeoutMs: number;
  /** Of the decoded body. */
  readonly maxBytes?: number;
  /** What a failure is called, and who is not there in its message; the provider unless told. */
  readonly failure?: { readonly code: string; readonly callee: string };
}

const PROVIDER_FAILURE = { code: 'provider_unavailable', callee: 'The provider' };

const MAX_BYTES = 1024 * 1024;

/**
 * A `fetch` whose answers are already read whole, at most `maxBytes`.
 * Rejects with a `GatewayError` of `failure.code` (503) for everything but an answer: no connection, a bad certificate,
 * the deadline, a body too large. A redirect is an answer with its 3xx status.
 */
export function createOutboundFetch(options: OutboundFetchOptions): typeof globalThis.fetch {
  const { caPem, client, timeoutMs, maxBytes = MAX_BYTES, failure = PROVIDER_FAILURE } = options;
  const dispatcher = new Agent({
    allowH2: false,
    connect: {
      timeout: timeoutMs,
      ...(caPem === undefined ? {} : { ca: [...getCACertificates('default'), caPem] }),
      ...(client === undefined ? {} : { cert: client.certPem, key: client.keyPem }),
    },
  });
  const call = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    if (input instanceof Request) return call(input.url, { ...(await partsOf(input)), ...init });
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal = init.signal ? AbortSignal.any([init.signal, deadline]) : deadline;
    try {
      const ask = () => fetch(input, { ...(init as object), redirect: 'manual', signal, dispatcher });
      const answer = await ask().catch((error: unknown) => {
        if (!isRepeatable(init) || !isConnectionLost(causeOf(error))) throw error;
        return ask();
      });
      const body = await readBounded(answer, maxBytes);
      return new Response(canHaveBody(answer.status) ? body : null, {
        status: answer.status,
        statusText: answer.statusText,
        headers: [...answer.headers],
      });
    } catch (error) {
      throw unavailable(failure, error, deadline.aborted ? `no complete answer within ${timeoutMs} ms` : undefined);
    }
  };
  return call as typeof globalThis.fetch;
}

/**
 * A connection that was kept may be closed by the other side in the moment in which it is used again. Where keys are fetched
 * for a notice, that would lose the notice. Only what can do no harm is asked once more: never a grant, never a revocation.
 */
function isRepeatable({ method = 'GET' }: RequestInit): boolean {
  return method === 'GET';
}

async function partsOf(request: Request): Promise<RequestInit> {
  const { method, headers, signal } = request;
  return { method, headers, signal, body: request.body === null ? null : await request.arrayBuffer() };
}

async function readBounded(answer: Awaited<ReturnType<typeof fetch>>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new Error(`an answer of more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function canHaveBody(status: number): boolean {
  return status !== 204 && status !== 205 && status !== 304;
}

function unavailable({ code, callee }: { code: string; callee: string }, error: unknown, why?: string): GatewayError {
  const cause = causeOf(error);
  const message = why ?? (cause instanceof Error ? cause.message : 'unknown failure');
  return new GatewayError(code, {
    status: 503,
    message: `${callee} cannot be reached: ${message}`,
    cause,
  });
}

/** `fetch` says no more than "failed"; what failed is inside. */
function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? error.cause : error;
}
