// Small encrypted and authenticated texts that the gate hands to a browser and gets back: login transactions and the
// `state` of a logout. AES-256-GCM with a random nonce; the key is one purpose's (deriveKey), the label is bound in.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { deriveKey, type KeyPurpose, type Secret } from '../base/secret.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** Seals with the first secret, opens with any: so `session.secret` rotates without losing a login in flight. */
export class TextSeal {
  readonly #keys: readonly Buffer[];

  constructor(secrets: readonly Secret[], purpose: KeyPurpose) {
    this.#keys = secrets.map((secret) => deriveKey(secret, purpose));
  }

  seal(text: string, label: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#keys[0]!, nonce).setAAD(Buffer.from(label));
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64url');
  }

  /** The text, or undefined for anything that was not sealed here with this label. */
  open(sealed: string, label: string): string | undefined {
    if (!BASE64URL.test(sealed)) return undefined;
    const bytes = Buffer.from(sealed, 'base64url');
    if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
    for (const key of this.#keys) {
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES))
        .setAAD(Buffer.from(label))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString();
      } catch {
        // made with another key: try the next
      }
    }
    return undefined;
  }
}
