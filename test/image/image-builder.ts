// What builds the Dockerfile where no container engine runs, and starts what it built.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** The script that is called as `build-image CONTEXT TAG`; undefined where there is none. */
export function findImageBuilder(): string | undefined {
  const script = process.env['PORTCULLIS_BUILD_IMAGE'] ?? join(ROOT, '../shared/tools/build-image');
  return existsSync(script) ? script : undefined;
}
