// Hosts and segment-wise path prefixes to values (design: config.md, "the most specific host + longest path prefix wins").

import { PrefixMap } from './prefix-map.ts';

export class HostMap<T> {
  readonly #byHost = new Map<string, PrefixMap<T>>();
  readonly #anyHost = new PrefixMap<T>();

  /** The prefixes of a host, named as by `hostName`; undefined: those of all hosts. */
  at(host: string | undefined): PrefixMap<T> {
    if (host === undefined) return this.#anyHost;
    let map = this.#byHost.get(host);
    if (map === undefined) {
      map = new PrefixMap();
      this.#byHost.set(host, map);
    }
    return map;
  }

  /** The value with the longest prefix of `path` among the host's own, else among those of all hosts. */
  find(host: string, path: string): T | undefined {
    if (this.#byHost.size > 0) {
      const map = this.#byHost.get(host) ?? this.#byHost.get(hostName(host));
      const found = map?.longest(path);
      if (found !== undefined) return found;
    }
    return this.#anyHost.longest(path);
  }
}

/** A host as routes name it: in lower case, without its port. */
export function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, '');
}
