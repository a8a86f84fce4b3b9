// The origins that the gate serves, by what a `Host` header may call them. Nothing a client sends ever makes an origin.

export interface PublicOrigin {
  /** `https://wiki.example.com`, as browsers write it. */
  readonly origin: string;
  readonly scheme: 'https' | 'http';
  /** Host with the port where it is not the scheme's own: the route table's key, and what upstreams are told. */
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
}

/** Looks a Host header up. Undefined: no public URL names it (421). */
export class PublicOrigins {
  readonly all: readonly PublicOrigin[];
  readonly #byHost = new Map<string, PublicOrigin>();

  constructor(urls: readonly URL[]) {
    this.all = urls.map(publicOrigin);
    for (const origin of this.all) {
      this.#byHost.set(origin.host, origin);
      // The default port may be spelled out (RFC 9110 section 4.2.3).
      if (!origin.host.endsWith(`:${origin.port}`)) this.#byHost.set(`${origin.host}:${origin.port}`, origin);
    }
  }

  find(hostHeader: string): PublicOrigin | undefined {
    return this.#byHost.get(hostHeader) ?? this.#byHost.get(hostHeader.toLowerCase());
  }
}

function publicOrigin(url: URL): PublicOrigin {
  const scheme = url.protocol === 'http:' ? 'http' : 'https';
  return {
    origin: url.origin,
    scheme,
    host: url.host,
    hostname: url.hostname,
    port: url.port || (scheme === 'http' ? '80' : '443'),
  };
}
