// Which file is the configuration: `-c FILE`, else PORTCULLIS_CONFIG, else two places (design/config.md).

import { existsSync } from 'node:fs';
import type { Environment } from './expand-variables.ts';

const PLACES = ['./portcullis.yaml', '/etc/portcullis/portcullis.yaml'] as const;

/**
 * The file to load, or undefined where nothing is named and none of the usual places has one. A file that was named is
 * returned unseen, so that a wrong name is reported and not passed over.
 */
export function findConfigFile({
  argument,
  env,
  exists = existsSync,
}: {
  readonly argument?: string | undefined;
  readonly env: Environment;
  readonly exists?: (file: string) => boolean;
}): string | undefined {
  return argument ?? (env['PORTCULLIS_CONFIG'] || PLACES.find(exists));
}
