// The one error class that crosses rooms. Library errors are translated into it once, beside the call.

export interface GatewayErrorOptions {
  /** HTTP status the public door answers with. */
  status: number;
  /** For operators: may name hosts and settings, never a token, code, cookie or secret. */
  message: string;
  /** For the user's page; says nothing internal. */
  publicMessage?: string;
  cause?: unknown;
}

/** An expected failure with a stable `code`; whoever writes the response shows `publicMessage` and the request id only. */
export class GatewayError extends Error {
  readonly code: string;
  readonly status: number;
  readonly publicMessage: string;

  constructor(code: string, options: GatewayErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'GatewayError';
    this.code = code;
    this.status = options.status;
    this.publicMessage = options.publicMessage ?? 'The request could not be completed.';
  }
}

/** The `code` of an error that has one, else `fallback`: for events and metrics, which never carry foreign text. */
export function errorCode(error: unknown, fallback = 'internal_error'): string {
  return error instanceof GatewayError ? error.code : fallback;
}
