// `server` and `admin`: the two listeners (design/config.md).

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is the syntax of the configuration file.

import { byDefault, optional, required, type WholeOf } from '../kind.ts';
import { duration, size } from '../kinds/amounts.ts';
import { certificateFile, privateKeyFile, secret, secretFile } from '../kinds/files.ts';
import { cidr, listenAddress } from '../kinds/network.ts';
import { flag, integer, integerOr } from '../kinds/scalars.ts';
import { list, section } from '../kinds/structures.ts';

/** A certificate and its key. */
export const keyPair = section({
  cert_file: required(certificateFile, 'PEM file with the certificate, and the intermediate ones after it'),
  key_file: required(privateKeyFile, 'PEM file with the private key, without a passphrase'),
});
export type KeyPairSection = WholeOf<typeof keyPair>;

export const serverSection = section({
  listen: byDefault(listenAddress, '0.0.0.0:8080', 'Where users arrive: host:port, or :port for every address'),
  tls: optional(keyPair, 'Certificate of this listener; without it plain HTTP, behind something that terminates TLS'),
  allow_http: byDefault(
    flag,
    false,
    'Accept a plain-http public_url that is not loopback: passwords and sessions then travel in the clear',
  ),
  workers: byDefault(
    integerOr('auto', { least: 1, most: 1024 }),
    1,
    'Processes that share the listener: a number, or auto for all cores',
  ),
  trusted_proxies: byDefault(
    list(cidr, { expected: 'networks such as 10.0.0.0/8' }),
    [],
    'Proxies whose X-Forwarded-For is believed, as networks; empty: nobody',
  ),
  limits: byDefault(
    section({
      headers: byDefault(integer({ least: 10, most: 2000 }), 100, 'Most header lines of a request'),
      header_bytes: byDefault(
        size({ least: '1KiB', most: '1MiB' }),
        '16KiB',
        'Most bytes of a request line and its headers',
      ),
      url_bytes: byDefault(size({ least: '256B', most: '1MiB' }), '8KiB', 'Most bytes of a request target'),
    }),
    {},
    'What a request may measure before it is refused',
  ),
  timeouts: byDefault(
    section({
      headers: byDefault(duration(), '15s', 'How long a client may take to send its headers'),
      keep_alive: byDefault(
        duration(),
        '65s',
        'How long an idle client connection stays open; longer than the balancer before it',
      ),
      drain: byDefault(duration({ least: '0s' }), '30s', 'How long a stopping gate lets running requests finish'),
    }),
    {},
    'How long a client connection may take',
  ),
});

export const adminSection = section({
  listen: byDefault(
    listenAddress,
    '${PORTCULLIS_ADMIN_LISTEN:-127.0.0.1:9090}',
    'Where operators and monitoring arrive; never reachable for users',
  ),
  token: optional(secret, 'Bearer token of the API; without one it is off'),
  token_file: optional(secretFile, 'File that holds the token'),
  tls: optional(keyPair, 'Certificate of this listener'),
  notices: byDefault(flag, true, 'Take logout notices here too; they carry their own signature'),
});
