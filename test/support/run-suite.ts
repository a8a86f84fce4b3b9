// Runs a suite that needs a real part which `npm ci` does not bring: a Keycloak, a Chromium, an image builder.
// Where the part is absent it says so in one line with the cure; with CI=true or PORTCULLIS_REQUIRE_ALL=1 that is a failure.

import { spawn } from 'node:child_process';
import { accessSync, constants, globSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findImageBuilder } from '../image/image-builder.ts';
import { findKeycloak, KEYCLOAK_VERSION } from '../keycloak/keycloak-distribution.ts';
import { KeycloakServer, SHARED_KEYCLOAK } from '../keycloak/keycloak-server.ts';

interface RealPart {
  /** What is not here, or undefined when all is. */
  missing(): string | undefined;
  readonly cure: string;
  /** Starts what all files of the suite share: how they find it, and how it ends. */
  prepare?(): Promise<{ env: Record<string, string>; stop(): Promise<void> }>;
}

const PARTS: Readonly<Record<string, RealPart>> = {
  keycloak: {
    missing: () => (findOnPath('java') === undefined ? 'Java' : findKeycloak() === undefined ? 'Keycloak' : undefined),
    cure:
      'apt-get install openjdk-17-jre-headless maven, then mvn -q dependency:get -Dtransitive=false' +
      ` -Dartifact=org.keycloak:keycloak-quarkus-dist:${KEYCLOAK_VERSION}:tar.gz`,
    prepare: async () => {
      const server = await KeycloakServer.start();
      return { env: { [SHARED_KEYCLOAK]: server.origin }, stop: () => server.stop() };
    },
  },
  redis: {
    missing: () => (findOnPath('redis-server') === undefined ? 'redis-server' : undefined),
    cure: 'apt-get install redis-server redis-sentinel',
  },
  browser: {
    missing: () => (findOnPath('chromium') === undefined ? 'Chromium' : undefined),
    cure: 'apt-get install chromium',
  },
  image: {
    missing: () => (findImageBuilder() === undefined ? 'a builder of images' : undefined),
    cure: 'set PORTCULLIS_BUILD_IMAGE to a script that is called as `build-image CONTEXT TAG` and ends in `buildah bud`',
  },
};

// A part that never answers must not hold the whole run up. The longest test watches a session for two minutes.
const TEST_LIMIT_MS = 240_000;

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

/** Runs the files of `suite` and returns the exit code. */
async function runSuite(suite: string, part: RealPart, args: readonly string[]): Promise<number> {
  const folder = join(import.meta.dirname, '..', suite);
  const files = globSync('**/*.test.ts', { cwd: folder }).map((file) => join(folder, file));
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

const [suite = '', ...args] = process.argv.slice(2);
const part = PARTS[suite];
if (part === undefined) throw new Error(`no suite ${suite}; there are ${Object.keys(PARTS).join(', ')}`);
const missing = part.missing();
if (missing === undefined) {
  process.exitCode = await runSuite(suite, part, args);
} else {
  const isRequired = process.env['CI'] === 'true' || process.env['PORTCULLIS_REQUIRE_ALL'] === '1';
  console.log(`test:${suite} was not run: ${missing} is not here. Cure: ${part.cure}`);
  process.exitCode = isRequired ? 1 : 0;
}
