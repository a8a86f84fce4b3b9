// Another user, who goes on working while somebody's session ends: a few connections, each asking again at once.

import { closedLoop } from './closed-loop.ts';
import { sharedNowMs } from './statistics.ts';

const CONNECTIONS = 4;

export class OtherUser {
  readonly #samples: { sentAt: number; tookMs: number }[] = [];
  readonly #loops: Promise<unknown>;
  #goesOn = true;

  constructor(url: string, cookie: string) {
    // The loops measure by performance.now(), whose zero is this process's start.
    const shift = sharedNowMs() - performance.now();
    const loop = {
      url,
      headers: { Cookie: cookie },
      goOn: () => this.#goesOn,
      onAnswer: (sentAt: number, tookMs: number) => void this.#samples.push({ sentAt: sentAt + shift, tookMs }),
    };
    this.#loops = Promise.all(Array.from({ length: CONNECTIONS }, () => closedLoop(loop)));
  }

  async stop(): Promise<void> {
    this.#goesOn = false;
    await this.#loops;
  }

  /** How long the answers took whose requests were under way between two instants of the shared clock. */
  between(from: number, to: number): number[] {
    return this.#samples
      .filter(({ sentAt, tookMs }) => sentAt + tookMs >= from && sentAt <= to)
      .map(({ tookMs }) => tookMs);
  }
}
