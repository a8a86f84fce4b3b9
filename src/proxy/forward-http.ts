// Forwards one admitted HTTP request and its response (RFC 9110 section 7, RFC 9112). Everything that was decided about it
// comes in the options; nothing is decided here.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ForwardOptions } from './forward-options.ts';
import { HttpExchange } from './http-exchange.ts';
import { hasAnnouncedBody } from './upload-body.ts';

/** Takes over `response`; call it in the tick of the decision. Never throws; every outcome reaches the options. */
export function forwardHttp(request: IncomingMessage, response: ServerResponse, options: ForwardOptions): void {
  if (request.socket.destroyed && options.body === undefined) {
    options.owner?.release();
    options.onFinished(499);
    return;
  }
  const body = options.body === undefined && hasAnnouncedBody(request.rawHeaders) ? 'body' : 'no body';
  new HttpExchange(request, response, options, body).begin();
}
