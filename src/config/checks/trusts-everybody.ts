// Do these networks together hold every address? `0.0.0.0/1` and `128.0.0.0/1` do, as `0.0.0.0/0` does.

import { isIP } from 'node:net';

interface Range {
  readonly first: bigint;
  readonly last: bigint;
}

/** `IPv4` or `IPv6` where every address of that kind is in one of `cidrs`; undefined where none is whole. */
export function trustsEverybody(cidrs: readonly string[]): 'IPv4' | 'IPv6' | undefined {
  const six = cidrs.filter((cidr) => cidr.includes(':')).map((cidr) => range(cidr, 128n));
  const four = cidrs.filter((cidr) => !cidr.includes(':')).map((cidr) => range(cidr, 32n));
  // IPv4 peers of a dual-stack socket come as ::ffff:a.b.c.d.
  const mapped = 0xffffn << 32n;
  const fourInSix = six.map(({ first, last }) => ({ first: first - mapped, last: last - mapped }));
  if (covers([...four, ...fourInSix], (1n << 32n) - 1n)) return 'IPv4';
  return covers(six, (1n << 128n) - 1n) ? 'IPv6' : undefined;
}

function covers(ranges: readonly Range[], last: bigint): boolean {
  let next = 0n;
  for (const range of ranges.toSorted((a, b) => (a.first < b.first ? -1 : 1))) {
    if (range.first > next) return false;
    if (range.last >= next) next = range.last + 1n;
    if (next > last) return true;
  }
  return false;
}

function range(cidr: string, bits: bigint): Range {
  const [address = '', prefix] = cidr.split('/');
  const free = prefix === undefined ? 0n : bits - BigInt(prefix);
  const first = (number(address) >> free) << free;
  return { first, last: first + (1n << free) - 1n };
}

function number(address: string): bigint {
  if (isIP(address) === 4) return join(address.split('.').map(Number), 8n);
  // The URL parser writes every IPv6 address in groups of hexadecimal digits.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string | undefined) => (text ? text.split(':').map((group) => Number.parseInt(group, 16)) : []);
  const [before, after] = [groups(head), groups(tail)];
  return join([...before, ...Array(8 - before.length - after.length).fill(0), ...after], 16n);
}

function join(parts: readonly number[], bits: bigint): bigint {
  return parts.reduce((whole, part) => (whole << bits) | BigInt(part), 0n);
}
