// One upstream connection as undici's Client keeps it, with what a proxy must know besides: which exchange it carries,
// whether its socket was used before, and how that socket ended.

import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { type buildConnector, Client, type Dispatcher } from 'undici';

/** Who is told which connection will carry its request. */
export interface CarriedHandler extends Dispatcher.DispatchHandler {
  carrier: CarrierClient | undefined;
}

export class CarrierClient extends Client {
  /** The current socket; undefined before the first connect. */
  socket: Socket | undefined = undefined;
  /** Requests that the current socket has carried. */
  requests = 0;
  /** For the pool: whether no exchange holds it, and its neighbours among those. */
  idle = false;
  above: CarrierClient | undefined = undefined;
  below: CarrierClient | undefined = undefined;

  constructor(origin: URL, options: Client.Options & { connect: buildConnector.connector }) {
    const connector = options.connect;
    super(origin, {
      ...options,
      connect: (target, done) => connector(target, (...result) => this.#connected(result, done)),
    });
    // undici emits 'error' where a handler of ours throws; unheard, it would end the process.
    (this as EventEmitter).on('error', () => this.socket?.destroy());
    this.on('connect', () => tolerateContinue(this.socket));
  }

  #connected(result: Parameters<buildConnector.Callback>, done: buildConnector.Callback): void {
    const [error, socket] = result;
    if (error === null) {
      this.socket = socket;
      this.requests = 0;
    }
    done(...result);
  }
}

interface Parser {
  onHeadersComplete(status: number, upgrade: boolean, keepAlive: boolean): number;
}

/**
 * undici takes a `100 Continue` that nobody asked for as a broken response and destroys the connection; servers do send
 * it (RFC 9110 section 15.2.1: a client must be able to parse 1xx even if it does not expect one). To undici's parser we
 * report it as one of the other interim responses, which it lets pass.
 */
function tolerateContinue(socket: Socket | undefined): void {
  if (socket === undefined) return;
  const key = Object.getOwnPropertySymbols(socket).find((symbol) => symbol.description === 'parser');
  if (key === undefined) return;
  const parser = (socket as unknown as Record<symbol, Parser | undefined>)[key];
  if (parser === undefined) return;
  const original = parser.onHeadersComplete;
  if (typeof original === 'function') parser.onHeadersComplete = reportContinueAsHints(original);
}

function reportContinueAsHints(original: Parser['onHeadersComplete']): Parser['onHeadersComplete'] {
  return function onHeadersComplete(this: Parser, status, upgrade, keepAlive) {
    return original.call(this, status === 100 ? 103 : status, upgrade, keepAlive);
  };
}
