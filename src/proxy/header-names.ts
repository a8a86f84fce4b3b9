// What a request header's name means to a proxy: hop-by-hop (RFC 9110 section 7.6.1), framing (RFC 9112 section 6), ours to
// set, or the application's. Answered from a fixed table for the names that clients send all day, computed for the rest:
// nothing that a client chooses is ever remembered.

/**
 * `pass` goes on unchanged; `drop` never does. The others need a look at the value. `drop` in the table below stands for
 * the route-independent reasons; a policy adds its identity headers.
 */
export type RequestHeaderClass = 'pass' | 'drop' | 'connection' | 'cookie' | 'host' | 'contentLength' | 'authorization';

/**
 * Letters and digits of `name` only, lower case. CGI-style upstreams map `-`, `_` and `.` to one variable
 * (CVE-2025-64484, CVE-2026-39858), so two names that fold alike are one name.
 */
function foldHeaderName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, '');
}

/**
 * What no client may tell an application, whatever the route; `*`: and whatever follows. Rewrites that frameworks and servers
 * obey, the addresses that only the gate may state, what is spoken among proxies, and `OIDC_CLAIM_*` and its kin, which
 * mod_auth_openidc's applications trust.
 */
const UNTRUSTED = [
  ...['Forwarded', 'X-Forwarded-*', 'X-Portcullis-*', 'OIDC_*', 'X-Accel-*'],
  ...['X-Original-URL', 'X-Original-URI', 'X-Rewrite-URL', 'X-Sendfile', 'X-Real-IP', 'X-Client-IP'],
  // CGI would make HTTP_PROXY of it (CVE-2016-5385).
  'Proxy',
];

/** Names that a client may not send in any spelling, folded. */
const FORBIDDEN = new Set([
  // Hop-by-hop, and what asks for another protocol.
  'keepalive',
  'proxyconnection',
  'proxyauthenticate',
  'proxyauthorization',
  'te',
  'trailer',
  'trailers',
  'upgrade',
  'http2settings',
  // The door answers it.
  'expect',
  // The transfer coding is undici's to write; any alias of a framing header is an attack.
  'transferencoding',
  'contentlength',
  'connection',
  'host',
  'cookie',
  ...UNTRUSTED.filter((name) => !name.endsWith('*')).map(foldHeaderName),
]);

const FORBIDDEN_PREFIXES = UNTRUSTED.filter((name) => name.endsWith('*')).map(foldHeaderName);

/**
 * True where a client's header of this folded name must not reach an upstream, whatever the route. CGI names its variables
 * `HTTP_…`, and some servers take that spelling from the wire too.
 */
function isForbiddenFold(fold: string, identityFolds: ReadonlySet<string>): boolean {
  let name = fold;
  for (;;) {
    if (FORBIDDEN.has(name) || identityFolds.has(name)) return true;
    for (const prefix of FORBIDDEN_PREFIXES) if (name.startsWith(prefix)) return true;
    if (!name.startsWith('http')) return false;
    name = name.slice(4);
  }
}

/** The class of the names that have one by their exact (lower-case) spelling. */
const EXACT: ReadonlyMap<string, RequestHeaderClass> = new Map([
  ['connection', 'connection'],
  ['cookie', 'cookie'],
  ['host', 'host'],
  ['content-length', 'contentLength'],
  ['authorization', 'authorization'],
]);

/** What browsers and common clients send, in the two spellings they use: the table that saves the folding. */
const COMMON = [
  'Accept Accept-Charset Accept-Encoding Accept-Language Accept-Ranges Access-Control-Request-Headers',
  'Access-Control-Request-Method Authorization Cache-Control Connection Content-Disposition Content-Encoding',
  'Content-Language Content-Length Content-Type Cookie Date Depth Destination DNT Expect ETag Host If-Match',
  'If-Modified-Since If-None-Match If-Range If-Unmodified-Since Keep-Alive Last-Event-ID Last-Modified Max-Forwards Origin',
  'Overwrite Pragma Priority Proxy-Authorization Proxy-Connection Purpose Range Referer Save-Data Sec-CH-UA',
  'Sec-CH-UA-Arch Sec-CH-UA-Mobile Sec-CH-UA-Model Sec-CH-UA-Platform Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site',
  'Sec-Fetch-User Sec-GPC Sec-Purpose Sec-WebSocket-Accept Sec-WebSocket-Extensions Sec-WebSocket-Key',
  'Sec-WebSocket-Protocol Sec-WebSocket-Version SOAPAction TE Traceparent Tracestate Trailer Transfer-Encoding Upgrade',
  'Upgrade-Insecure-Requests User-Agent Via X-Correlation-ID X-CSRF-Token X-Forwarded-For X-Forwarded-Host',
  'X-Forwarded-Port X-Forwarded-Proto X-HTTP-Method-Override X-Real-IP X-Request-ID X-Requested-With X-XSRF-TOKEN',
]
  .join(' ')
  .split(' ');

/** One per route policy: which headers of a client pass. */
export class RequestHeaderClasses {
  readonly #known = new Map<string, RequestHeaderClass>();
  readonly #identityFolds: ReadonlySet<string>;

  /** @param identityNames every header name by which an upstream may be told who the user is, in any spelling */
  constructor(identityNames: Iterable<string>) {
    this.#identityFolds = new Set(Array.from(identityNames, foldHeaderName));
    for (const name of COMMON) {
      this.#known.set(name, this.#classify(name));
      this.#known.set(name.toLowerCase(), this.#classify(name));
    }
  }

  of(name: string): RequestHeaderClass {
    return this.#known.get(name) ?? this.#classify(name);
  }

  #classify(name: string): RequestHeaderClass {
    const fold = foldHeaderName(name);
    const exact = EXACT.get(name.toLowerCase());
    if (exact !== undefined && !this.#identityFolds.has(fold)) return exact;
    return isForbiddenFold(fold, this.#identityFolds) ? 'drop' : 'pass';
  }
}

/**
 * For operators: the names, besides those that no proxy forwards, that a policy with these `identityNames` takes from a
 * client's headers in any spelling; `*`: and whatever follows.
 */
export function untrustedNames(identityNames: readonly string[]): readonly string[] {
  const others = identityNames.filter((name) => !isForbiddenFold(foldHeaderName(name), new Set()));
  return [...UNTRUSTED, ...others];
}
