// A user who goes on working while something else happens: one request after another on one connection, each timed.

import { Agent, request } from 'node:http';

export class SteadyUser {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #answers: { status: number; tookMs: number }[] = [];
  readonly #loop: Promise<void>;
  #goesOn = true;

  constructor(url: string, cookie: string) {
    this.#loop = this.#ask(url, cookie);
  }

  /** Statuses other than 200, and how long the answers took. */
  async stop(): Promise<{ failures: number[]; tookMs: number[] }> {
    this.#goesOn = false;
    await this.#loop;
    this.#agent.destroy();
    return {
      failures: this.#answers.map(({ status }) => status).filter((status) => status !== 200),
      tookMs: this.#answers.map(({ tookMs }) => tookMs),
    };
  }

  async #ask(url: string, Cookie: string): Promise<void> {
    while (this.#goesOn) {
      const sentAtMs = performance.now();
      const status = await new Promise<number>((resolve, reject) => {
        request(url, { agent: this.#agent, headers: { Cookie } }, (response) => {
          response.on('end', () => resolve(response.statusCode!)).resume();
        })
          .on('error', reject)
          .end();
      });
      this.#answers.push({ status, tookMs: performance.now() - sentAtMs });
    }
  }
}
