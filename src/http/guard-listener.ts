// The last net under the doors: whatever one request makes a listener throw costs that request's connection, and nobody
// else's session. Without it one packet could end the process, and with it every session that is kept in memory.

import type { IncomingMessage } from 'node:http';
import type { Emit } from '../base/events.ts';
import { newRequestId } from '../base/ids.ts';

type Listener<Rest extends unknown[]> = (request: IncomingMessage, ...rest: Rest) => void;

/** `listener`, with a throw turned into an event and a closed connection. */
export function guardListener<Rest extends unknown[]>(emit: Emit, listener: Listener<Rest>): Listener<Rest> {
  return (request, ...rest) => {
    try {
      listener(request, ...rest);
    } catch (error) {
      dropRequest(emit, request, error);
    }
  };
}

/** For what fails later, in a continuation. */
export function dropRequest(emit: Emit, request: IncomingMessage, error: unknown): void {
  const why = error instanceof Error ? `${error.name}: ${error.message}` : 'unknown failure';
  emit({ event: 'request.failed', code: 'internal_error', why, request_id: newRequestId() });
  request.socket.destroy();
}
