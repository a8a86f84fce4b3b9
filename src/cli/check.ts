// portcullis check: the configuration, as start would read it.

import { lookAtStore } from '../app/open-session-store.ts';
import { readConfig } from './config-option.ts';

export async function check(args: readonly string[]): Promise<number> {
  const read = readConfig(args);
  if (read === undefined) return 1;
  try {
    await lookAtStore(read.config);
  } catch (error) {
    console.error(`${read.file}: ${(error as Error).message}`);
    return 1;
  }
  console.log(`${read.file}: ok`);
  return 0;
}
