// A Lua script that the store runs as one operation, and the hash by which it knows it.

import { createHash } from 'node:crypto';

export interface RedisScript {
  readonly sha: string;
  readonly text: string;
}

/** A script of this text. */
export function script(text: string): RedisScript {
  return { sha: createHash('sha1').update(text).digest('hex'), text };
}
