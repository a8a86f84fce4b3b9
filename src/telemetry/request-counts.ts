// Requests by route, method and status, counted without allocation on the path of every request; text is made of them
// only when somebody scrapes (design: surface.md, metrics; decided.md, "never a client-chosen label").

/** Every other method is `other`. */
const COUNTED_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'other'] as const;
const METHOD_SLOTS: ReadonlyMap<string, number> = new Map(COUNTED_METHODS.map((name, at) => [name, at]));
const OTHER_METHOD = COUNTED_METHODS.length - 1;

/** Slot 0 is every status outside 100 to 599; the rest is status - 99. */
const STATUS_SLOTS = 501;

/** Upper bounds in seconds: from a cached page to a long download. */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

/** Routes come from configurations, some reloads' worth of them; whatever lies beyond is one route, `other`. */
const MAX_ROUTES = 4096;

type StatusCounts = Float64Array;

export class RequestCounts {
  readonly #byRoute = new Map<string, (StatusCounts | undefined)[]>();
  readonly #durations = new Float64Array(DURATION_BUCKETS.length + 1);
  #durationSum = 0;

  /** Counts one finished exchange. Under 0.5 us, without allocation once route and method have been seen. */
  count(route: string, method: string, status: number, seconds: number): void {
    const byMethod = this.#byRoute.get(route) ?? this.#addRoute(route);
    const slot = METHOD_SLOTS.get(method) ?? OTHER_METHOD;
    let counts = byMethod[slot];
    if (counts === undefined) {
      counts = new Float64Array(STATUS_SLOTS);
      byMethod[slot] = counts;
    }
    const statusSlot = status >= 100 && status <= 599 ? Math.trunc(status) - 99 : 0;
    counts[statusSlot] = counts[statusSlot]! + 1;
    let bucket = 0;
    while (bucket < DURATION_BUCKETS.length && seconds > DURATION_BUCKETS[bucket]!) bucket++;
    this.#durations[bucket] = this.#durations[bucket]! + 1;
    if (seconds > 0) this.#durationSum += seconds;
  }

  /** Each combination that has occurred. */
  *totals(): Generator<{ route: string; method: string; status: string; count: number }> {
    for (const [route, byMethod] of this.#byRoute) {
      for (const [slot, counts] of byMethod.entries()) {
        for (let at = 0; counts !== undefined && at < STATUS_SLOTS; at++) {
          const count = counts[at]!;
          if (count > 0)
            yield { route, method: COUNTED_METHODS[slot]!, status: at === 0 ? 'other' : `${at + 99}`, count };
        }
      }
    }
  }

  /** The histogram of durations in Prometheus's text format, without a last line end. */
  durationsText(name: string, help: string): string {
    const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`];
    let total = 0;
    for (const [at, count] of this.#durations.entries()) {
      total += count;
      lines.push(`${name}_bucket{le="${DURATION_BUCKETS[at] ?? '+Inf'}"} ${total}`);
    }
    lines.push(`${name}_sum ${this.#durationSum}`, `${name}_count ${total}`);
    return lines.join('\n');
  }

  #addRoute(route: string): (StatusCounts | undefined)[] {
    const key = this.#byRoute.size < MAX_ROUTES ? route : 'other';
    let byMethod = this.#byRoute.get(key);
    if (byMethod === undefined) {
      byMethod = COUNTED_METHODS.map(() => undefined);
      this.#byRoute.set(key, byMethod);
    }
    return byMethod;
  }
}
