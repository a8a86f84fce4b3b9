// Encrypted and authenticated bytes for places that others can read: a browser's cookies, a shared store. AES-256-GCM with a
// random nonce; the key is one purpose's (deriveKey), and the label is bound in: what was sealed for one place opens at no other.

import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { deriveKey, type KeyPurpose, type Secret, type SecretsInForce } from './secret.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Seals with the first secret, opens with any: so `session.secret` rotates and nothing that was sealed before is lost. */
export class ByteSeal {
  readonly #secrets: SecretsInForce;
  readonly #purpose: KeyPurpose;
  #keysOf: readonly Secret[] | undefined;
  /** As key objects: making a cipher from bytes takes longer than everything that it does. */
  #keys: readonly KeyObject[] = [];

  constructor(secrets: SecretsInForce, purpose: KeyPurpose) {
    this.#secrets = secrets;
    this.#purpose = purpose;
  }

  seal(bytes: Buffer, label: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#keysInForce()[0]!, nonce).setAAD(Buffer.from(label));
    const body = Buffer.concat([cipher.update(bytes), cipher.final()]);
    return Buffer.concat([nonce, body, cipher.getAuthTag()]);
  }

  /** The bytes, or undefined for anything that was not sealed here with this label. */
  open(sealed: Buffer, label: string): Buffer | undefined {
    if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
    for (const key of this.#keysInForce()) {
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES))
        .setAAD(Buffer.from(label))
        .setAuthTag(sealed.subarray(-TAG_BYTES));
      try {
        const bytes = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
        // Brings no more bytes: it throws where the tag is not theirs.
        decipher.final();
        return bytes;
      } catch {
        // made with another key: try the next
      }
    }
    return undefined;
  }

  #keysInForce(): readonly KeyObject[] {
    const { current } = this.#secrets;
    if (current !== this.#keysOf) {
      this.#keys = current.map((secret) => createSecretKey(deriveKey(secret, this.#purpose)));
      this.#keysOf = current;
    }
    return this.#keys;
  }
}
