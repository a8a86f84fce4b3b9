// Where forms wait that arrived when their user's session was over: sealed bytes by a random id, few, not for long, and each
// handed out once.

import type { MaybePromise } from '../base/maybe-promise.ts';

export interface WaitingForm {
  /** Random; names the form and opens nothing. */
  readonly id: string;
  /** Whose it is, as a hash: what one person may keep is bounded. */
  readonly owner: string;
  /** What it is, without its body; encrypted and authenticated, as the body is: the store cannot read them. */
  readonly head: Buffer;
  readonly body: Buffer;
}

export interface FormLimits {
  readonly formsOfOwner: number;
  readonly bytesOfOwner: number;
  readonly formsOfAll: number;
  readonly bytesOfAll: number;
}

/**
 * `taken`: somebody got it. That is remembered for as long as it would have waited, so that a second click is told the truth.
 */
export type FoundForm<Found> = Found | 'taken' | undefined;

/** All methods may throw GatewayError `store_unavailable`. */
export interface FormStore {
  /** Keeps it for `forMs`; 'too many' where a limit is reached, and nothing else has to go for it. */
  keep(form: WaitingForm, forMs: number): MaybePromise<'kept' | 'too many'>;

  /** The head alone; leaves the form where it is. */
  find(id: string): MaybePromise<FoundForm<Buffer>>;

  /** Exactly one of all callers, on all replicas, gets it. */
  take(id: string): MaybePromise<FoundForm<Pick<WaitingForm, 'head' | 'body'>>>;

  /** Puts a form back that was taken and went nowhere. */
  giveBack(form: WaitingForm, forMs: number): MaybePromise<void>;
}
