// The same for programs: one line of text or one JSON object (design: surface.md, "Errors everywhere").

export interface ErrorBody {
  /** Stable, for programs. */
  readonly code: string;
  /** What may be said in public. */
  readonly message: string;
  readonly requestId: string;
  /** Members that only this error has. */
  readonly more?: Readonly<Record<string, unknown>> | undefined;
}

/** `{"error", "message", "request_id"}` and what this error has besides, with a line end. */
export function errorJson(body: ErrorBody): string {
  return `${JSON.stringify({ error: body.code, message: body.message, request_id: body.requestId, ...body.more })}\n`;
}

/** One line for terminals: nothing in it can begin another line or move the cursor. */
export function errorText(body: ErrorBody): string {
  const line = `${body.code}: ${body.message} (request ${body.requestId})`;
  return `${line.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')}\n`;
}
