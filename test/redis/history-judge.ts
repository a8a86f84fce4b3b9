// Judges what clients of several replicas have seen by the promise alone (design: cut, everywhere): once the notice has been
// answered 200, no replica admits a request of that session, and no replica that hears the store forwards a byte of it; and
// nobody else is signed out. It knows nothing of leases, acknowledgements or logs.

/** Instants of one clock, milliseconds. */
export interface Interval {
  readonly from: number;
  /** Infinite while it lasts. */
  to: number;
}

export interface SeenEnd {
  /** Infinite where no 200 came. */
  answeredAt: number;
}

export interface SeenRequest {
  readonly session: number;
  readonly replica: number;
  readonly sentAt: number;
  readonly status: number;
}

/** A stream, download or socket, from its opening to the end of the history. */
export interface SeenConnection {
  readonly session: number;
  readonly replica: number;
  readonly kind: string;
  /** When the application made what came through last. */
  readonly lastMadeAt: number;
}

export interface SeenHistory {
  /** By session: those that somebody tried to end. */
  readonly ends: ReadonlyMap<number, SeenEnd>;
  /** By replica: when it could not hear the store. */
  readonly deaf: readonly (readonly Interval[])[];
  readonly requests: readonly SeenRequest[];
  readonly connections: readonly SeenConnection[];
}

/** Every breach of the promise, one line each. */
export function judge({ ends, deaf, requests, connections }: SeenHistory): string[] {
  const violations: string[] = [];
  for (const { session, replica, sentAt, status } of requests) {
    const end = ends.get(session);
    if (end === undefined && status === 401) violations.push(`replica ${replica} refuses a session that nobody ended`);
    if (end !== undefined && status === 200 && sentAt > end.answeredAt) {
      violations.push(`replica ${replica} admitted a request sent ${ms(sentAt - end.answeredAt)} after the answer`);
    }
  }
  for (const { session, replica, kind, lastMadeAt } of connections) {
    const end = ends.get(session);
    // Others may be closed too, by a process that slept and does not know yet whom it may forward to; they come again.
    if (end === undefined) continue;
    const stoppedBy = hearsFrom(deaf[replica]!, end.answeredAt);
    if (lastMadeAt > stoppedBy) {
      violations.push(`replica ${replica} forwarded on a ${kind} what was made ${ms(lastMadeAt - stoppedBy)} too late`);
    }
  }
  return violations;
}

/** How many connections of ended sessions were held to the answer itself, their replica hearing the store then. */
export function strictlyJudged({ ends, deaf, connections }: SeenHistory): number {
  return connections.filter(({ session, replica }) => {
    const end = ends.get(session);
    return (
      end !== undefined && end.answeredAt < Infinity && hearsFrom(deaf[replica]!, end.answeredAt) === end.answeredAt
    );
  }).length;
}

/** The first instant from `at` on at which a replica with these deaf times hears the store. */
function hearsFrom(deaf: readonly Interval[], at: number): number {
  let hears = at;
  for (const { from, to } of deaf.toSorted((one, other) => one.from - other.from)) {
    if (from <= hears && hears < to) hears = to;
  }
  return hears;
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}
