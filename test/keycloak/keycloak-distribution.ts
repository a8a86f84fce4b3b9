// Where the Keycloak of these tests comes from: the archive that Maven put into its local repository, unpacked once.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** The version that the suite was written against and .ci/run fetches. */
export const KEYCLOAK_VERSION = '26.7.4';

// Not in the repo: unpacked it is 200 MB. `PORTCULLIS_CACHE` keeps it where a machine keeps such things.
function cacheFolder(): string {
  return process.env['PORTCULLIS_CACHE'] ?? join(tmpdir(), 'portcullis-cache');
}

function mavenRepository(): string {
  const settings = join(homedir(), '.m2', 'settings.xml');
  const text = existsSync(settings) ? readFileSync(settings, 'utf8') : '';
  return /<localRepository>\s*([^<]+?)\s*<\/localRepository>/.exec(text)?.[1] ?? join(homedir(), '.m2', 'repository');
}

/** The archive or the unpacked folder, whichever is there; undefined when neither is. */
export function findKeycloak(): string | undefined {
  const name = `keycloak-quarkus-dist-${KEYCLOAK_VERSION}.tar.gz`;
  const archive = join(mavenRepository(), 'org/keycloak/keycloak-quarkus-dist', KEYCLOAK_VERSION, name);
  const home = join(cacheFolder(), `keycloak-${KEYCLOAK_VERSION}`);
  return [home, archive].find((path) => existsSync(path));
}

/** The folder of a Keycloak that can be started; unpacks it where it is not yet. @throws where there is none. */
export function keycloakHome(): string {
  const found = findKeycloak();
  if (found === undefined) throw new Error('no Keycloak here; `npm run test:keycloak` says how to get one');
  if (!found.endsWith('.tar.gz')) return found;
  const home = join(cacheFolder(), `keycloak-${KEYCLOAK_VERSION}`);
  mkdirSync(cacheFolder(), { recursive: true });
  // Beside its place and then moved, so that a run that was broken off leaves no half of it.
  const folder = mkdtempSync(join(cacheFolder(), 'unpacking-'));
  execFileSync('tar', ['-xzf', found, '-C', folder]);
  if (!existsSync(home)) renameSync(join(folder, `keycloak-${KEYCLOAK_VERSION}`), home);
  rmSync(folder, { recursive: true, force: true });
  return home;
}
