// `session`: the cookie, the timeouts and the store (design/config.md).

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is the syntax of the configuration file.

import { byDefault, optional } from '../kind.ts';
import { duration } from '../kinds/amounts.ts';
import { certificateFile, ownFile, privateKeyFile, secret, secretFile } from '../kinds/files.ts';
import { hostAndPort } from '../kinds/network.ts';
import { pathPrefix } from '../kinds/paths.ts';
import { choice, integer, parsedText, text } from '../kinds/scalars.ts';
import { list, oneOrMany, section } from '../kinds/structures.ts';

const cookieName = parsedText<string>({
  expected: 'the name of the cookie, such as __Host-portcullis',
  schema: { pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$" },
  parse(name) {
    if (/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) return { value: name };
    return { wrong: 'is no name of a cookie', cure: 'write letters, digits, - and _, such as __Host-portcullis' };
  },
});

const cookieDomain = parsedText<string>({
  expected: 'a domain such as example.com',
  schema: { pattern: '^[A-Za-z0-9][A-Za-z0-9.-]*$' },
  parse(domain) {
    const cure = 'write the domain alone, such as example.com';
    if (domain.startsWith('.')) return { wrong: 'begins with a dot', cure, exactCure: `write ${domain.slice(1)}` };
    if (/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(domain)) return { value: domain.toLowerCase() };
    return { wrong: 'is no domain', cure };
  },
});

/** A server certificate to trust and a client certificate to show. */
export const upstreamTls = section({
  ca_file: optional(certificateFile, 'PEM file with the private CA that signed the server certificate'),
  cert_file: optional(certificateFile, 'PEM file with a client certificate'),
  key_file: optional(privateKeyFile, "PEM file with the client certificate's key"),
  server_name: optional(
    text('a name such as wiki.internal'),
    'The name that the server certificate must have, where it differs from the host',
  ),
});

const nodes = list(hostAndPort('s1:26379'), { expected: 'nodes such as "s1:26379"', nonEmpty: true });
const noNodes = 'Addresses of the nodes, host:port';

const redis = section({
  url: optional(
    secret,
    'redis://user:password@host:6379/0, rediss:// with TLS, or unix:/path; with sentinels or a cluster its host is not used',
  ),
  url_file: optional(secretFile, 'File that holds the URL'),
  tls: optional(upstreamTls, 'Certificates for rediss://'),
  sentinel: optional(
    section({
      master: optional(text('the name of the master'), 'Name of the master'),
      nodes: optional(nodes, noNodes),
      password: optional(secret, 'Password of the sentinels'),
      password_file: optional(secretFile, 'File that holds the password of the sentinels'),
    }),
    'Find the master through sentinels',
  ),
  cluster: optional(section({ nodes: optional(nodes, noNodes) }), 'A Redis cluster'),
  key_prefix: byDefault(
    text('a prefix such as portcullis:'),
    'portcullis:',
    'What the names of all keys begin with: one for each gate on a server',
  ),
  command_timeout: byDefault(duration(), '2s', 'How long one command may take, at most 2500ms'),
});

const recheck = section({
  after: byDefault(
    duration(),
    '15m',
    "At least 10s; a page that is opened so long after the provider's last word is preceded by a silent question (prompt=none)",
  ),
  exempt_paths: byDefault(
    list(pathPrefix, { expected: 'paths such as /api' }),
    [],
    'Paths, with everything below them, that wait for no answer: for scripts and programs that cannot be redirected',
  ),
});

export const sessionSection = section({
  secret: optional(
    oneOrMany(secret, 'secrets of at least 32 bytes'),
    'At least 32 random bytes, best ${NAME}; a list rotates: the first makes, all read',
  ),
  secret_file: optional(oneOrMany(secretFile, 'names of files'), 'File that holds the secret, or a list of files'),
  cookie: byDefault(
    section({
      name: optional(
        cookieName,
        'Name of the session cookie; default __Host-portcullis, with a domain __Secure-portcullis, over plain http portcullis',
      ),
      same_site: byDefault(
        choice(['lax', 'strict', 'none']),
        'lax',
        'When browsers send the cookie with requests from other sites',
      ),
      domain: optional(cookieDomain, 'A domain whose hosts share the session; null: each host its own'),
    }),
    {},
    'The session cookie',
  ),
  idle_timeout: byDefault(
    duration(),
    '30m',
    'A session that its user leaves alone so long ends, live connections included',
  ),
  absolute_timeout: byDefault(duration(), '10h', 'A session ends at this age, whatever its user does'),
  revalidate: byDefault(
    duration(),
    '5m',
    'How long a session in use goes unproven at most; sooner when the access token lives shorter',
  ),
  recheck: optional(
    recheck,
    'Sessions for which the provider gave no refresh token go on as long as it confirms them to the browser, in place of ending with their access token',
  ),
  store: byDefault(choice(['memory', 'redis']), 'memory', 'Where sessions are kept'),
  memory: byDefault(
    section({
      max_sessions: byDefault(
        integer({ least: 1, most: 10_000_000 }),
        100_000,
        'Most sessions; beyond it the one idle longest goes. With the store in Redis: most that one process remembers',
      ),
      file: optional(ownFile, 'Encrypted file that carries the sessions over a restart'),
    }),
    {},
    'The store in memory',
  ),
  redis: optional(redis, 'The store in Redis or Valkey'),
});
