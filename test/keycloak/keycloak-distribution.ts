// Where the Keycloaks of these tests come from: the archives that Maven put into its local repository, unpacked once.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../support/cache-folder.ts';

/** The version that the gate is made for; most of the suite runs against it. */
export const CURRENT_KEYCLOAK = '26.7.4';

/** Older ones, for what they do in another way. `.ci/run` fetches the same list. */
export const OLDER_KEYCLOAKS = ['26.4.7', '22.0.5', '18.0.2'] as const;

export type KeycloakVersion = typeof CURRENT_KEYCLOAK | (typeof OLDER_KEYCLOAKS)[number];

function mavenRepository(): string {
  const settings = join(homedir(), '.m2', 'settings.xml');
  const text = existsSync(settings) ? readFileSync(settings, 'utf8') : '';
  return /<localRepository>\s*([^<]+?)\s*<\/localRepository>/.exec(text)?.[1] ?? join(homedir(), '.m2', 'repository');
}

/** The archive or the unpacked folder, whichever is there; undefined when neither is. */
export function findKeycloak(version: KeycloakVersion): string | undefined {
  const name = `keycloak-quarkus-dist-${version}.tar.gz`;
  const archive = join(mavenRepository(), 'org/keycloak/keycloak-quarkus-dist', version, name);
  const home = join(cacheFolder(), `keycloak-${version}`);
  return [home, archive].find((path) => existsSync(path));
}

/** The folder of a Keycloak that can be started; unpacks it where it is not yet. @throws where there is none. */
export function keycloakHome(version: KeycloakVersion): string {
  const found = findKeycloak(version);
  if (found === undefined)
    throw new Error(`no Keycloak ${version} here; \`npm run test:keycloak\` says how to get one`);
  if (!found.endsWith('.tar.gz')) return found;
  const home = join(cacheFolder(), `keycloak-${version}`);
  mkdirSync(cacheFolder(), { recursive: true });
  // Beside its place and then moved, so that a run that was broken off leaves no half of it.
  const folder = mkdtempSync(join(cacheFolder(), 'unpacking-'));
  execFileSync('tar', ['-xzf', found, '-C', folder]);
  if (!existsSync(home)) renameSync(join(folder, `keycloak-${version}`), home);
  rmSync(folder, { recursive: true, force: true });
  return home;
}
