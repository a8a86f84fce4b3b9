// How the story is told: one line for each thing that is done, one for each thing that must be so, and a verdict.

export class StoryReport {
  readonly #print: (line: string) => void;
  readonly #beganAtMs = performance.now();
  #held = 0;
  #failed = 0;
  #step = 'starting';

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  step(text: string): void {
    this.#step = text;
    this.#print(`${`${Math.round(performance.now() - this.#beganAtMs)} ms`.padStart(9)}  ${text}`);
  }

  /** Something that must be so; `seen` says what was seen. */
  check(holds: boolean, seen: string): void {
    if (holds) this.#held += 1;
    else this.#failed += 1;
    this.#print(`           ${holds ? '✓' : '✗ NOT AS IT SHOULD BE:'} ${seen}`);
  }

  /** The story could not go on. */
  broke(error: unknown): void {
    this.#failed += 1;
    this.#print(`           ✗ stuck at "${this.#step}": ${error instanceof Error ? error.message : String(error)}`);
  }

  /** Prints the verdict; true when everything was as it must be. */
  verdict(): boolean {
    const seconds = ((performance.now() - this.#beganAtMs) / 1000).toFixed(1);
    const failure = `The demo failed: ${this.#failed} of ${this.#failed + this.#held} checks, see ✗ above.`;
    this.#print(`\n${this.#failed === 0 ? `The gate held: ${this.#held} checks in ${seconds} s.` : failure}`);
    return this.#failed === 0;
  }
}
