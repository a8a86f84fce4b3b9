// How we prove to the provider who we are (OpenID Connect Core 1.0 section 9, RFC 7523 section 3, RFC 8705 section 2.1).

import { createPrivateKey, type KeyObject } from 'node:crypto';
import { type ClientAuth, ClientSecretPost, modifyAssertion, PrivateKeyJwt, TlsClientAuth } from 'openid-client';
import { GatewayError } from '../base/gateway-error.ts';
import type { Secret } from '../base/secret.ts';

export type ClientAuthOptions =
  | { readonly method: 'client_secret_basic' | 'client_secret_post'; readonly secret: Secret }
  /** PEM: PKCS #8, PKCS #1 or SEC 1, not encrypted. */
  | { readonly method: 'private_key_jwt'; readonly privateKeyPem: Secret }
  /** The connection proves it: `fetch` shows the certificate. */
  | { readonly method: 'tls_client_auth' };

/** Whether our certificate says who we are (RFC 8705 section 2). */
export function usesMutualTls({ method }: ClientAuthOptions): boolean {
  return method === 'tls_client_auth';
}

/** What the provider says of itself, as far as it matters here. */
interface Metadata {
  readonly token_endpoint_auth_signing_alg_values_supported?: unknown;
}

/**
 * Makes the client authentication, once the provider's metadata is known. Assertions name the issuer as their audience,
 * and only it: one that names an endpoint could be used elsewhere (CVE-2025-27370).
 * @throws GatewayError `provider_key_unusable` when the private key cannot sign
 */
export function clientAuthentication(options: ClientAuthOptions): (metadata: Metadata) => ClientAuth {
  if (options.method === 'tls_client_auth') return TlsClientAuth;
  if (options.method !== 'private_key_jwt') {
    const secret = options.secret.reveal();
    return () => (options.method === 'client_secret_basic' ? clientSecretBasic(secret) : ClientSecretPost(secret));
  }
  const key = readPrivateKey(options.privateKeyPem);
  const algs = signatureAlgs(key);
  return (metadata) => {
    const supported = metadata.token_endpoint_auth_signing_alg_values_supported;
    const alg = algs.find((each) => Array.isArray(supported) && supported.includes(each.name)) ?? algs[0]!;
    return PrivateKeyJwt(key.toCryptoKey(alg.subtle, false, ['sign']), {
      // The library writes "Ed25519" where most providers, Keycloak included, know "EdDSA".
      [modifyAssertion]: (header) => {
        header['alg'] = alg.name;
      },
    });
  };
}

/**
 * HTTP Basic with the id and the secret form-encoded (RFC 6749 section 2.3.1). The library's own encodes `-`, `_` and `.`
 * as well, which a form leaves alone; Keycloak 18 decodes nothing, and would refuse "wiki-gate" and every secret like a UUID.
 */
function clientSecretBasic(secret: string): ClientAuth {
  return (_server, client, _body, headers) => {
    const credentials = `${formEncoded(client.client_id)}:${formEncoded(secret)}`;
    headers.set('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`);
  };
}

function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice('='.length);
}

function readPrivateKey(pem: Secret): KeyObject {
  try {
    return createPrivateKey(pem.reveal());
  } catch {
    throw unusableKey('it is not an unencrypted private key in PEM form');
  }
}

interface SignatureAlg {
  readonly name: string;
  readonly subtle: Parameters<KeyObject['toCryptoKey']>[0];
}

const rsa = (name: string, family: string): SignatureAlg => ({ name, subtle: { name: family, hash: 'SHA-256' } });
const RS256 = rsa('RS256', 'RSASSA-PKCS1-v1_5');
const PS256 = rsa('PS256', 'RSA-PSS');
const CURVES: Readonly<Record<string, SignatureAlg>> = {
  prime256v1: { name: 'ES256', subtle: { name: 'ECDSA', namedCurve: 'P-256' } },
  secp384r1: { name: 'ES384', subtle: { name: 'ECDSA', namedCurve: 'P-384' } },
  secp521r1: { name: 'ES512', subtle: { name: 'ECDSA', namedCurve: 'P-521' } },
};

/** What the key can sign with, the most widely understood first. */
function signatureAlgs(key: KeyObject): readonly SignatureAlg[] {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'rsa') {
    if ((details?.modulusLength ?? 0) < 2048) throw unusableKey('an RSA key needs 2048 bit or more');
    return [RS256, PS256];
  }
  const ecdsa = type === 'ec' ? CURVES[details?.namedCurve ?? ''] : undefined;
  if (ecdsa) return [ecdsa];
  if (type === 'ed25519') return ['EdDSA', 'Ed25519'].map((name) => ({ name, subtle: { name: 'Ed25519' } }));
  throw unusableKey('it is neither RSA, nor EC on P-256, P-384 or P-521, nor Ed25519');
}

function unusableKey(why: string): GatewayError {
  return new GatewayError('provider_key_unusable', {
    status: 500,
    message: `provider.private_key_file cannot be used for private_key_jwt: ${why}`,
  });
}
