// Watches bodies that take longer than a moment: tells that they move, and ends those that stand still. One ticking timer
// for all of an upstream's transfers, so that a chunk costs the store of a flag and a short exchange costs nothing.

export interface Transfer {
  /** Set by the transfer when a byte moves in either direction, cleared here. */
  moved: boolean;
  /** Bytes moved lately; at most once a second. */
  onMoving(): void;
  /** No byte has moved for the idle time; called again after as long, until the transfer is deleted. */
  onStalled(): void;
}

/** How often movement is told, at most. */
const TELL_MS = 1_000;

interface Progress {
  movedAt: number;
  toldAt: number;
}

export class TransferWatch {
  readonly #progress = new Map<Transfer, Progress>();
  readonly #idleMs: number;
  #ticking: NodeJS.Timeout | undefined;

  /** @param idleMs 0: nothing is ended for standing still */
  constructor(idleMs: number) {
    this.#idleMs = idleMs;
  }

  add(transfer: Transfer): void {
    this.#progress.set(transfer, { movedAt: performance.now(), toldAt: Number.NEGATIVE_INFINITY });
    if (this.#ticking !== undefined) return;
    const tickMs = this.#idleMs === 0 ? TELL_MS : Math.min(TELL_MS, Math.max(10, this.#idleMs / 4));
    this.#ticking = setInterval(() => this.#tick(), tickMs).unref();
  }

  delete(transfer: Transfer): void {
    if (!this.#progress.delete(transfer) || this.#progress.size > 0) return;
    clearInterval(this.#ticking);
    this.#ticking = undefined;
  }

  #tick(): void {
    const now = performance.now();
    for (const [transfer, progress] of this.#progress) {
      if (transfer.moved) {
        transfer.moved = false;
        progress.movedAt = now;
        if (now - progress.toldAt < TELL_MS) continue;
        progress.toldAt = now;
        transfer.onMoving();
      } else if (this.#idleMs > 0 && now - progress.movedAt >= this.#idleMs) {
        progress.movedAt = now;
        transfer.onStalled();
      }
    }
  }
}
