// The one place that reads the process's environment.

import type { Environment } from './expand-variables.ts';

/** The environment of this process, for `loadConfig` and `findConfigFile`. */
export function environment(): Environment {
  return process.env;
}
