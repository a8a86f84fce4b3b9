// The connections to one upstream, one exchange on each at a time. undici's own pool asks every connection in turn whether it
// is free, which ten thousand open event streams make slow; this one takes the connection that was used last, in one step.

import type { buildConnector, Client, Dispatcher } from 'undici';
import { type CarriedHandler, CarrierClient } from './carrier-client.ts';

export type PoolOptions = Client.Options & { readonly connect: buildConnector.connector };

export class ClientPool {
  readonly #origin: URL;
  readonly #options: PoolOptions;
  readonly #clients = new Set<CarrierClient>();
  /** The idle connections: a stack linked through the clients, so that one that closes can leave from anywhere in it. */
  #top: CarrierClient | undefined = undefined;
  #closed = false;

  constructor(origin: URL, options: PoolOptions) {
    this.#origin = origin;
    this.#options = options;
  }

  /** Connections, and attempts at one. */
  get size(): number {
    return this.#clients.size;
  }

  /** Sends a request on the connection that became free last, or on a new one; failures reach the handler. */
  dispatch(options: Dispatcher.DispatchOptions, handler: CarriedHandler, connection: 'any' | 'new' = 'any'): void {
    const client = (connection === 'any' ? this.#top : undefined) ?? this.#create();
    this.#unlink(client);
    handler.carrier = client;
    client.dispatch(options, handler);
  }

  /** Every handler gives its connection back when its exchange is over, however it ended. */
  release(client: CarrierClient): void {
    if (this.#closed) return;
    client.idle = true;
    client.below = this.#top;
    if (this.#top !== undefined) this.#top.above = client;
    this.#top = client;
  }

  /** Lets the exchanges under way end; requests that come now fail. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#top = undefined;
    await Promise.all(Array.from(this.#clients, (client) => client.close()));
    this.#clients.clear();
  }

  #create(): CarrierClient {
    const client = new CarrierClient(this.#origin, this.#options);
    this.#clients.add(client);
    client.on('disconnect', () => this.#forgetIdle(client));
    client.on('connectionError', () => this.#forgetIdle(client));
    if (this.#closed) void client.close();
    return client;
  }

  /** A client without a connection and without an exchange is nothing to keep. */
  #forgetIdle(client: CarrierClient): void {
    if (!client.idle || this.#closed) return;
    this.#unlink(client);
    this.#clients.delete(client);
    void client.destroy();
  }

  #unlink(client: CarrierClient): void {
    if (!client.idle) return;
    if (client.above === undefined) this.#top = client.below;
    else client.above.below = client.below;
    if (client.below !== undefined) client.below.above = client.above;
    client.above = undefined;
    client.below = undefined;
    client.idle = false;
  }
}
