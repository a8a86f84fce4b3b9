// What the gate itself says of an end: its metrics before and after (design: surface.md, metrics).

import type { Browser } from '../browser/browser.ts';

export interface GateAccount {
  /** Notices that it accepted, by kind, and how many it refused. */
  readonly notices: Readonly<Record<string, number>>;
  readonly noticesRefused: number;
  /** Sessions that ended by them. */
  readonly ended: number;
  /** From the notice's last byte, the mean of those sessions. */
  readonly stopMs: number | undefined;
  readonly closeMs: number | undefined;
}

/** The gate's counters at one moment. */
export class GateMetrics {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  /** @throws where the admin listener does not answer. */
  static async read(browser: Browser, adminUrl: string): Promise<GateMetrics> {
    const { status, body } = await browser.ask(`${adminUrl}/metrics`, { as: 'script' });
    if (status !== 200) throw new Error(`${adminUrl}/metrics was answered ${status}`);
    return new GateMetrics(body);
  }

  /** What happened since `before`. */
  since(before: GateMetrics): GateAccount {
    const increase = (pattern: RegExp) => this.#sum(pattern) - before.#sum(pattern);
    const kinds = new Set(
      Array.from(this.#text.matchAll(/^portcullis_logout_notices_total\{kind="(\w+)"/gm), ([, kind]) => kind!),
    );
    const accepted = [...kinds].map(
      (kind) =>
        [
          kind,
          increase(new RegExp(`^portcullis_logout_notices_total\\{kind="${kind}",outcome="accepted"\\} (.+)$`, 'gm')),
        ] as const,
    );
    const ended = increase(/^portcullis_logout_stop_seconds_count (.+)$/gm);
    const meanMs = (pattern: RegExp) => (ended === 0 ? undefined : (increase(pattern) / ended) * 1_000);
    return {
      notices: Object.fromEntries(accepted.filter(([, count]) => count > 0)),
      noticesRefused: increase(/^portcullis_logout_notices_total\{kind="\w+",outcome="refused"\} (.+)$/gm),
      ended,
      stopMs: meanMs(/^portcullis_logout_stop_seconds_sum (.+)$/gm),
      closeMs: meanMs(/^portcullis_logout_close_seconds_sum (.+)$/gm),
    };
  }

  #sum(pattern: RegExp): number {
    return Array.from(this.#text.matchAll(pattern), ([, value]) => Number(value)).reduce(
      (sum, value) => sum + value,
      0,
    );
  }
}
