// Time as the rooms see it: injected, so that tests move it and no room starts a timer of its own.

export interface Clock {
  /** Epoch milliseconds of this process's wall clock. Instants (`…At`) are of this kind. */
  now(): number;
  /** Milliseconds of a clock that never goes back; only differences mean anything. */
  monotonicMs(): number;
}

export interface Timer {
  cancel(): void;
}

/** The one timer wheel of the process. Callbacks come late by up to its granularity, never early. */
export interface Timers {
  after(delayMs: number, callback: () => void): Timer;
}
