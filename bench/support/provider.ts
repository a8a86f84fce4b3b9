// The embedded OpenID provider in a process of its own, with real sign-ins and genuine logout tokens.
// Its lifetimes are longer than any bench, so that nothing is refreshed while something is measured.

import type { EmbeddedClient } from '../../test/support/embedded-provider.ts';
import { Worker } from './children.ts';

export class BenchProvider {
  readonly #worker: Worker;
  readonly issuer: string;

  private constructor(worker: Worker, issuer: string) {
    this.#worker = worker;
    this.issuer = issuer;
  }

  static async start(client: EmbeddedClient): Promise<BenchProvider> {
    const worker = Worker.start(new URL('./provider-process.ts', import.meta.url), { place: 'others' });
    return new BenchProvider(worker, await worker.ask<string>('start', client));
  }

  /**
   * A logout token for the user's session, made and signed by the provider as it ends that session. The provider sends it
   * to a catcher instead of the gate, so that whoever asked can choose the moment of its last byte.
   */
  logoutToken(user: string): Promise<string> {
    return this.#worker.ask<string>('logoutToken', user);
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }
}
