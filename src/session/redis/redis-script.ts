// What has to happen in one operation of the store.

import { createHash } from 'node:crypto';

export interface RedisScript {
  readonly sha: string;
  readonly text: string;
}

export function script(text: string): RedisScript {
  return { sha: createHash('sha1').update(text).digest('hex'), text };
}
