// Runs a suite that needs a real part which `npm ci` does not bring: Keycloaks, a Chromium, an image builder.
// Where a part is absent it says so in one line with the cure; with CI=true or PORTCULLIS_REQUIRE_ALL=1 that is a failure.

import { spawn } from 'node:child_process';
import { accessSync, constants, globSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findImageBuilder } from '../image/image-builder.ts';
import {
  CURRENT_KEYCLOAK,
  findKeycloak,
  type KeycloakVersion,
  OLDER_KEYCLOAKS,
} from '../keycloak/keycloak-distribution.ts';
import { KeycloakServer, SHARED_KEYCLOAK } from '../keycloak/keycloak-server.ts';

interface RealPart {
  readonly name: string;
  /** Its test files, below `test`. */
  readonly files: string;
  /** What is not here, or undefined when all is. */
  missing(): string | undefined;
  readonly cure: string;
  /** Starts what all its files share: how they find it, and how it ends. */
  prepare?(): Promise<{ env: Record<string, string>; stop(): Promise<void> }>;
}

/** The parts of each suite, run one after the other. */
const SUITES: Readonly<Record<string, readonly RealPart[]>> = {
  keycloak: [
    keycloakPart(CURRENT_KEYCLOAK, 'keycloak/*.test.ts'),
    // What is different in a version is in the folder of its name.
    ...OLDER_KEYCLOAKS.map((version) => keycloakPart(version, `keycloak/${version}/*.test.ts`)),
  ],
  browser: [
    {
      name: 'browser',
      files: 'browser/**/*.test.ts',
      missing: () => (findOnPath('chromium') === undefined ? 'Chromium' : undefined),
      cure: 'apt-get install chromium',
    },
  ],
  redis: [
    {
      name: 'redis',
      files: 'redis/**/*.test.ts',
      missing: () => (findOnPath('redis-server') === undefined ? 'redis-server' : undefined),
      cure: 'apt-get install redis-server redis-sentinel',
    },
  ],
  image: [
    {
      name: 'image',
      files: 'image/**/*.test.ts',
      missing: () => (findImageBuilder() === undefined ? 'a builder of images' : undefined),
      cure: 'set PORTCULLIS_BUILD_IMAGE to a script that is called as `build-image CONTEXT TAG` and ends in `buildah bud`',
    },
  ],
};

function keycloakPart(version: KeycloakVersion, files: string): RealPart {
  return {
    name: `keycloak ${version}`,
    files,
    missing: () => {
      if (findOnPath('java') === undefined) return 'Java';
      if (findOnPath('redis-server') === undefined) return 'redis-server';
      return findKeycloak(version) === undefined ? `Keycloak ${version}` : undefined;
    },
    cure:
      'apt-get install openjdk-17-jre-headless maven redis-server, then mvn -q dependency:get -Dtransitive=false' +
      ` -Dartifact=org.keycloak:keycloak-quarkus-dist:${version}:tar.gz`,
    prepare: async () => {
      const server = await KeycloakServer.start({ version });
      return { env: { [SHARED_KEYCLOAK]: `${version} ${server.origin}` }, stop: () => server.stop() };
    },
  };
}

// A part that never answers must not hold the whole run up. The longest test watches a session for two minutes.
const TEST_LIMIT_MS = 240_000;

const TESTS = join(import.meta.dirname, '..');

function findOnPath(command: string): string | undefined {
  const candidates = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, command));
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Runs the files of `part` and returns the exit code. */
async function runPart(part: RealPart, args: readonly string[]): Promise<number> {
  const files = globSync(part.files, { cwd: TESTS }).map((file) => join(TESTS, file));
  if (files.length === 0) throw new Error(`no test files in ${part.files}`);
  const prepared = await part.prepare?.();
  try {
    // One file at a time: a server of hundreds of megabytes, or a browser, is at work beside it.
    const options = ['--test', '--test-concurrency=1', `--test-timeout=${TEST_LIMIT_MS}`, '--test-force-exit'];
    const child = spawn(process.execPath, [...options, ...args, ...files.sort()], {
      stdio: 'inherit',
      env: { ...process.env, ...prepared?.env },
    });
    return await new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
  } finally {
    await prepared?.stop();
  }
}

const isEverythingRequired = process.env['CI'] === 'true' || process.env['PORTCULLIS_REQUIRE_ALL'] === '1';
const [suite = '', ...args] = process.argv.slice(2);
const parts = SUITES[suite];
if (parts === undefined) throw new Error(`no suite ${suite}; there are ${Object.keys(SUITES).join(', ')}`);
for (const part of parts) {
  const missing = part.missing();
  if (missing === undefined) {
    console.log(`::: ${part.name}`);
    if ((await runPart(part, args)) !== 0) process.exitCode = 1;
  } else {
    console.log(`test:${suite} was not run: ${missing} is not here. Cure: ${part.cure}`);
    if (isEverythingRequired) process.exitCode = 1;
  }
}
