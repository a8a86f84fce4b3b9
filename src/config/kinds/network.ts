// Addresses to listen on, hosts, and the addresses of proxies that are trusted.

import { isIP } from 'node:net';
import type { Kind } from '../kind.ts';
import { parsedText } from './scalars.ts';

export interface ListenAddress {
  /** Undefined: every address of the machine. */
  readonly host: string | undefined;
  readonly port: number;
}

const LISTEN = 'host:port, such as 0.0.0.0:8080, or :8080 for every address';
const HOST_NAME = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/;

/** `host:port`, `:port` for every address, `[::1]:port`. Port 0 takes any free one. */
export const listenAddress: Kind<ListenAddress> = parsedText<ListenAddress>({
  expected: LISTEN,
  schema: { pattern: '^([^:/@ ]*|\\[[^\\]]+\\]):[0-9]{1,5}$' },
  parse(text) {
    const cure = `write ${LISTEN}`;
    const match = /^(?:\[([^\]]+)\]|([^:[\]/@\s]*)):(\d{1,5})$/.exec(text);
    if (!match) return { wrong: 'is no address to listen on', cure, exactCure: exactListen(text) };
    const port = Number(match[3]);
    if (port > 65_535) return { wrong: 'has a port that does not exist', cure: 'write a port from 0 to 65535' };
    if (match[1] !== undefined) {
      if (isIP(match[1]) === 6) return { value: { host: match[1], port } };
      return { wrong: 'has something else than an IPv6 address in brackets', cure };
    }
    const host = match[2] ?? '';
    if (host === '' || host === '*') return { value: { host: undefined, port } };
    const valid = isIP(host) === 4 || (HOST_NAME.test(host) && !/^[\d.]+$/.test(host));
    return valid ? { value: { host, port } } : { wrong: 'has a host that cannot be one', cure };
  },
});

function exactListen(text: string): string | undefined {
  if (/^\d{1,5}$/.test(text)) return `write ":${text}"`;
  const colon = text.lastIndexOf(':');
  const bare = colon > 0 && isIP(text.slice(0, colon)) === 6;
  return bare ? `write the IPv6 address in brackets: "[${text.slice(0, colon)}]${text.slice(colon)}"` : undefined;
}

/** A server by name or address. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, `[::1]:port`: where something else listens. */
export function hostAndPort(example: string): Kind<HostAndPort> {
  const expected = `host:port, such as ${example}`;
  return parsedText<HostAndPort>({
    expected,
    schema: { pattern: '^([^:/@ ]+|\\[[^\\]]+\\]):[0-9]{1,5}$' },
    parse(text) {
      const cure = `write ${expected}`;
      const match = /^(?:\[([^\]]+)\]|([^:[\]/@\s]+)):(\d{1,5})$/.exec(text);
      const port = Number(match?.[3]);
      if (!match || port < 1 || port > 65_535) return { wrong: 'is no host and port', cure };
      const [, address, name = ''] = match;
      const isValid = address === undefined ? isIP(name) === 4 || HOST_NAME.test(name) : isIP(address) === 6;
      return isValid ? { value: { host: address ?? name, port } } : { wrong: 'has a host that cannot be one', cure };
    },
  });
}

/** A host of requests; the port only where it was written. */
export interface RequestHost {
  /** Lower case, as browsers write it. */
  readonly hostname: string;
  readonly port: number | undefined;
}

/** A host as a `Host` header names it: `wiki.example.com`, or `wiki.example.com:8443`. */
export const requestHost: Kind<RequestHost> = parsedText<RequestHost>({
  expected: 'a host such as wiki.example.com',
  schema: { pattern: '^[^/@?#*\\s]+$' },
  parse(text) {
    const cure = 'write the host alone, such as wiki.example.com';
    if (text.includes('://')) return { wrong: 'is a URL, not a host', cure };
    if (text.includes('*')) {
      return { wrong: 'holds a wildcard', cure: 'write one route for each host, or leave host out for all of them' };
    }
    const url = `http://${text}`;
    if (/[\s/@?#\\]/.test(text) || !URL.canParse(url)) return { wrong: 'is no host', cure };
    const port = /:(\d+)$/.exec(text)?.[1];
    return { value: { hostname: new URL(url).hostname, port: port === undefined ? undefined : Number(port) } };
  },
});

/** A network in CIDR notation, or one address: `10.0.0.0/8`, `fd00::/8`, `192.0.2.7`. Kept as written. */
export const cidr: Kind<string> = parsedText<string>({
  expected: 'a network such as 10.0.0.0/8',
  schema: { pattern: '^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$' },
  parse(text) {
    const [address = '', prefix, ...more] = text.split('/');
    const version = isIP(address);
    const cure = 'write an address or a network: 192.0.2.7, 10.0.0.0/8 or fd00::/8';
    if (version === 0 || more.length > 0 || address.includes('%'))
      return { wrong: 'is no address and no network', cure };
    const bits = version === 4 ? 32 : 128;
    const valid = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
    return valid ? { value: text } : { wrong: `has a prefix that is no number from 0 to ${bits}`, cure };
  },
});
