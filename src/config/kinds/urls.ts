// URLs and origins, and what a plain-http one may be.

import { isIP } from 'node:net';
import type { Kind } from '../kind.ts';
import { type Parsed, parsedText } from './scalars.ts';

/** An origin that the gate serves or forwards to. */
export interface Origin {
  /** As browsers write it: `https://wiki.example.com`, `http://localhost:8080`. */
  readonly origin: string;
  readonly scheme: 'http' | 'https';
  /** With the port where it is not the scheme's own. */
  readonly host: string;
  readonly hostname: string;
  readonly port: number;
}

/** An origin, `https://host` or `https://host:port`, nothing after it. */
export function origin(example: string): Kind<Origin> {
  return originKind(example, (url) => `write ${url.origin}, without a path, query or fragment`);
}

/** An origin that users type. */
export const publicOrigin = originKind('https://wiki.example.com', ({ origin, hostname, pathname }) => {
  const mayBePlain = isLoopback(hostname);
  const written = mayBePlain ? origin : origin.replace(/^http:/, 'https:');
  if (pathname === '/') return `write ${written}, without a query or fragment`;
  return `write ${written}, and path: ${pathname.replace(/(?<=.)\/$/, '')} at the route that is for it`;
});

/** @param cureFor what to write in place of a URL that is more */
function originKind(example: string, cureFor: (url: URL) => string): Kind<Origin> {
  return parsedText<Origin>({
    expected: `an origin such as ${example}`,
    schema: { pattern: '^https?://[^/?#@]+/?$' },
    parse(text) {
      const url = httpUrl(text, example);
      if ('wrong' in url) return url;
      const { origin, host, hostname, protocol, pathname, search, hash } = url.value;
      const beyond = pathname !== '/' || search !== '' || hash !== '' || /[?#]/.test(text);
      if (beyond) {
        const cure = 'write scheme, host and port only, without a path, query or fragment';
        return {
          wrong: 'is more than an origin',
          cure,
          exactCure: cureFor(url.value),
        };
      }
      const scheme = protocol === 'http:' ? 'http' : 'https';
      const port = Number(url.value.port) || (scheme === 'http' ? 80 : 443);
      return { value: { origin, scheme, host, hostname, port } };
    },
  });
}

/** An absolute http(s) URL without user, password and fragment, kept as it is written. */
export function absoluteUrl(example: string): Kind<string> {
  return parsedText<string>({
    expected: `a URL such as ${example}`,
    schema: { pattern: '^https?://' },
    parse(text) {
      const url = httpUrl(text, example);
      if ('wrong' in url) return url;
      if (text.includes('#')) return { wrong: 'has a fragment', cure: 'remove the # and what follows it' };
      return { value: text };
    },
  });
}

/** The provider's issuer identifier, compared byte for byte (OpenID Connect Discovery 1.0 section 4.3). */
export const issuerUrl: Kind<string> = parsedText<string>({
  expected: 'the issuer, such as https://sso.example.com/realms/acme',
  schema: { pattern: '^https?://[^?#]+$' },
  parse(text) {
    const url = httpUrl(text, 'https://sso.example.com/realms/acme');
    if ('wrong' in url) return url;
    if (/[?#]/.test(text)) return { wrong: 'has a query or a fragment', cure: 'remove what begins with ? or #' };
    const suffix = text.indexOf('/.well-known/');
    if (suffix !== -1) {
      const cure = 'write the issuer: what stands before /.well-known/';
      return {
        wrong: 'is the address of the discovery document',
        cure,
        exactCure: `write the issuer: ${text.slice(0, suffix)}`,
      };
    }
    return { value: text };
  },
});

function httpUrl(text: string, example: string): Parsed<URL> {
  // The parser drops tabs and newlines and trims blanks, which would then stand in a header.
  if (/[\s\u0000-\u001f\u007f\\]/.test(text)) {
    return { wrong: 'has a blank or a backslash in it', cure: `write it without, such as ${example}` };
  }
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    return { wrong: 'is no absolute URL', cure: `write it with its scheme, such as ${example}` };
  }
  if (!/^https?:/i.test(text)) {
    return {
      wrong: 'is neither http nor https',
      cure: `write a URL that begins with http:// or https://, such as ${example}`,
    };
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined)
    return { wrong: 'is no valid URL', cure: `check its host and port; write it such as ${example}` };
  if (url.username !== '' || url.password !== '') {
    return { wrong: 'has a user or password in it', cure: 'remove everything from after // up to and including the @' };
  }
  return { value: url };
}

/** Names and addresses that never leave this machine: plain http is no risk there. */
export function isLoopback(hostname: string): boolean {
  if (hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]') return true;
  return isIP(hostname) === 4 && hostname.startsWith('127.');
}
