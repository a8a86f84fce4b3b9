// Whose request is it: the peer's address, or what a trusted proxy says in X-Forwarded-For. The rightmost address that
// is not a trusted proxy counts; everything left of it may be invented.

import { BlockList, isIP } from 'node:net';

/** A list beyond this length is an attack, not a chain of proxies. */
const MOST_HOPS = 20;

/** Who may say, in X-Forwarded-*, whose request it is. */
export class TrustedProxies {
  readonly #list = new BlockList();
  readonly #empty: boolean;

  /** `cidrs`: `10.0.0.0/8`, `fd00::/8`, or single addresses. Empty trusts nobody. */
  constructor(cidrs: readonly string[]) {
    this.#empty = cidrs.length === 0;
    for (const cidr of cidrs) {
      const [address, prefix] = cidr.split('/') as [string, string | undefined];
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (prefix === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(prefix), family);
    }
  }

  trusts(peerAddress: string): boolean {
    if (this.#empty) return false;
    const address = plainAddress(peerAddress);
    const version = isIP(address);
    return version !== 0 && this.#list.check(address, version === 6 ? 'ipv6' : 'ipv4');
  }

  /** The client's address; the peer's own where the peer is not trusted or says nonsense. */
  clientAddress(peerAddress: string, forwardedFor: string | undefined): string {
    if (forwardedFor === undefined || !this.trusts(peerAddress)) return plainAddress(peerAddress);
    const hops = forwardedFor.split(',', MOST_HOPS + 1);
    if (hops.length > MOST_HOPS) return plainAddress(peerAddress);
    let client = plainAddress(peerAddress);
    for (const hop of hops.reverse()) {
      const address = plainAddress(hop.trim());
      if (isIP(address) === 0) return client;
      client = address;
      if (!this.trusts(address)) return client;
    }
    return client;
  }
}

/** IPv4 addresses come as `::ffff:10.0.0.1` on a dual-stack socket. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}
