// Certificates with their private keys, wherever the file names such a pair.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Secret } from '../../base/secret.ts';
import type { Finding } from '../problem.ts';

/** A certificate and the private key of another one: TLS libraries say this in riddles, and only when they start. */
export function checkKeyPair(
  path: string,
  { cert_file, key_file }: { readonly cert_file?: string | undefined; readonly key_file?: Secret | undefined },
): Finding[] {
  if (cert_file === undefined || key_file === undefined) return [];
  if (new X509Certificate(cert_file).checkPrivateKey(createPrivateKey(key_file.reveal()))) return [];
  const message = 'this key does not belong to the certificate in cert_file';
  return [
    {
      path: `${path}.key_file`,
      message,
      cure: 'name the key that the certificate was made for, and the certificate itself first in its file',
    },
  ];
}
