// The names of everything in the shared store. Ids and names are hashed: a dump of the store signs nobody in, and tells
// nobody who is signed in.

import { hash } from 'node:crypto';
import type { SessionId } from '../../base/ids.ts';

/** Where one session is kept: the hash of the id that it began with, for life. */
export type Home = string;

/** 132 bits: nobody finds a second text with the same one. */
const HASH_LENGTH = 22;

/** The form in which names are in the store. */
export function shortHash(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, HASH_LENGTH);
}

/** The form in which the store knows an id. */
export function hashOfId(id: SessionId): string {
  return shortHash(`session id ${id}`);
}

/** In the place of an id that no browser has shown here yet. No cookie can have it. */
export function unknownId(home: Home): SessionId {
  return `of ${home}` as SessionId;
}

/**
 * Key names of one gate. Tombstones and the bus carry one hash tag, so that a mark and its message are one operation of one
 * node in a Cluster too; everything else is spread by its own name.
 */
export class RedisKeys {
  readonly #prefix: string;
  readonly bus: string;
  readonly all: string;
  /** What the names of all tombstones begin with; then comes a hash. */
  readonly tombstones: string;
  /** The list of the forms that wait. */
  readonly forms: string;
  /** Where rights are tried out. */
  readonly rights: string;
  /** Channels belong to the server and not to one of its numbered databases, so they carry the number. */
  readonly heardChannel: string;
  readonly changedChannel: string;
  readonly #ackChannels: string;

  constructor(prefix: string, database: number) {
    this.#prefix = prefix;
    this.bus = `${prefix}{ends}:bus`;
    this.all = `${prefix}all`;
    this.tombstones = `${prefix}{ends}:t:`;
    this.forms = `${prefix}{forms}:all`;
    this.rights = `${prefix}{ends}:rights`;
    this.heardChannel = `${prefix}{ends}:heard@${database}`;
    this.changedChannel = `${prefix}{ends}:changed@${database}`;
    this.#ackChannels = `${prefix}{ends}:ack@${database}:`;
  }

  session(home: Home): string {
    return `${this.#prefix}s:${home}`;
  }

  handle(handle: string): string {
    return `${this.#prefix}h:${shortHash(handle)}`;
  }

  /** Where a session's cookies are: by the name that it has for life, which whoever ends it knows too. */
  jar(handle: string): string {
    return `${this.#prefix}c:${shortHash(handle)}`;
  }

  index(name: string): string {
    return `${this.#prefix}x:${shortHash(name)}`;
  }

  form(id: string): string {
    return `${this.#prefix}{forms}:f:${shortHash(`form ${id}`)}`;
  }

  /** Something that may be done once. */
  once(name: string): string {
    return `${this.#prefix}u:${shortHash(name)}`;
  }

  tombstone(name: string): string {
    return `${this.tombstones}${shortHash(name)}`;
  }

  ackChannel(replica: string): string {
    return `${this.#ackChannels}${replica}`;
  }
}
