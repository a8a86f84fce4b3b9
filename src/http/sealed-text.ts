// Small encrypted and authenticated texts that the gate hands to a browser and gets back: login transactions and the
// `state` of a logout.

import { ByteSeal } from '../base/byte-seal.ts';
import type { KeyPurpose, SecretsInForce } from '../base/secret.ts';

const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** Seals with the first secret, opens with any: so `session.secret` rotates without losing a login in flight. */
export class TextSeal {
  readonly #seal: ByteSeal;

  constructor(secrets: SecretsInForce, purpose: KeyPurpose) {
    this.#seal = new ByteSeal(secrets, purpose);
  }

  seal(text: string, label: string): string {
    return this.#seal.seal(Buffer.from(text), label).toString('base64url');
  }

  /** The text, or undefined for anything that was not sealed here with this label. */
  open(sealed: string, label: string): string | undefined {
    if (!BASE64URL.test(sealed)) return undefined;
    return this.#seal.open(Buffer.from(sealed, 'base64url'), label)?.toString();
  }
}
