// Where the suites keep what they unpack or install once: not in the repo, hundreds of megabytes.

import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `PORTCULLIS_CACHE` keeps it where a machine keeps such things. */
export function cacheFolder(): string {
  return process.env['PORTCULLIS_CACHE'] ?? join(tmpdir(), 'portcullis-cache');
}
