// Secrets that cannot slip into a log: printing, JSON and inspection all show a placeholder.

import { hkdfSync } from 'node:crypto';
import { inspect } from 'node:util';

const PLACEHOLDER = '[secret]';

export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The secret itself; call it only where it is used. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return PLACEHOLDER;
  }

  toJSON(): string {
    return PLACEHOLDER;
  }

  [inspect.custom](): string {
    return PLACEHOLDER;
  }
}

/**
 * `session.secret` as it is in force: the first makes, all read. What lives longer than one configuration looks here each time,
 * and a reload puts another list in the place of this one.
 */
export interface SecretsInForce {
  readonly current: readonly Secret[];
}

/** Each use of `session.secret` has a key of its own, so that what one use makes means nothing to another. */
export type KeyPurpose =
  | 'login transaction'
  | 'stored tokens'
  | 'stored cookies'
  | 'session file'
  | 'assertion'
  | 'page token'
  | 'last user'
  | 'kept form';

/** As many bytes for `purpose` out of `secret` (HKDF-SHA-256, RFC 5869), always the same ones. */
export function deriveKey(secret: Secret, purpose: KeyPurpose, bytes = 32): Buffer {
  return Buffer.from(hkdfSync('sha256', secret.reveal(), 'portcullis', purpose, bytes));
}
