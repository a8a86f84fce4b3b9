// What a reload cannot change (design/config.md): the public address, the listeners, the store, and whose sessions it
// holds. It stays as it was, and the operator is told.

import { Secret } from '../base/secret.ts';
import type { Config } from '../config/model.ts';

/** A key of the file, and where its value is in the model. */
interface Pinned {
  readonly key: string;
  readonly at: readonly string[];
}

const PINNED: readonly Pinned[] = [
  { key: 'public_url', at: ['publicUrls'] },
  // Its name and its Secure follow from the public address, and browsers have it.
  { key: 'session.cookie', at: ['session', 'cookie'] },
  { key: 'server.listen', at: ['server', 'listen'] },
  { key: 'server.limits', at: ['server', 'limits'] },
  { key: 'server.timeouts', at: ['server', 'timeouts'] },
  { key: 'admin.listen', at: ['admin', 'listen'] },
  { key: 'session.store', at: ['session', 'redis'] },
  { key: 'session.memory', at: ['session', 'memory'] },
  // How long tombstones live in the store.
  { key: 'session.absolute_timeout', at: ['session', 'absoluteTimeoutMs'] },
  // Sessions belong to an issuer and a client; their tokens must reach no other.
  { key: 'provider.issuer', at: ['provider', 'issuer'] },
  { key: 'provider.client_id', at: ['provider', 'clientId'] },
  { key: 'log.format', at: ['log', 'format'] },
];

type Branch = Record<string, unknown>;

export interface UntilRestart {
  readonly config: Config;
  /** The keys of what is not in force before a restart. */
  readonly restartNeeded: readonly string[];
}

/** `next` with what needs a restart as it is in `started`, with which the process began. */
export function untilRestart(started: Config, next: Config): UntilRestart {
  const config = structure(next);
  const needed = PINNED.filter(({ at }) => !isSame(valueAt(started, at), valueAt(next, at)));
  for (const { at } of needed) put(config, at, valueAt(started, at));
  const restartNeeded = needed.map(({ key }) => key);
  for (const [key, place] of [
    ['server.tls', 'server'],
    ['admin.tls', 'admin'],
  ] as const) {
    // A new certificate is taken over; a listener that begins or ceases to speak TLS is another one.
    if ((started[place].tls === undefined) === (next[place].tls === undefined)) continue;
    put(config, [place, 'tls'], started[place].tls);
    restartNeeded.push(key);
  }
  return { config: config as unknown as Config, restartNeeded };
}

/** Whether two parts of the model say the same, secrets included. */
export function isSame(a: unknown, b: unknown): boolean {
  return textOf(a) === textOf(b);
}

function textOf(value: unknown): string {
  return JSON.stringify({ value }, function (this: Branch, key: string, plain: unknown) {
    const raw = this[key];
    return raw instanceof Secret ? raw.reveal() : plain;
  });
}

/** A copy of the two upper floors of the model; what is pinned is never deeper. */
function structure(config: Config): Branch {
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [
      name,
      Array.isArray(value) || typeof value !== 'object' ? value : { ...value },
    ]),
  );
}

function valueAt(config: Config, at: readonly string[]): unknown {
  return at.reduce<unknown>((value, name) => (value as Branch)[name], config);
}

function put(config: Branch, at: readonly string[], value: unknown): void {
  const [first = '', second] = at;
  if (second === undefined) config[first] = value;
  else (config[first] as Branch)[second] = value;
}
