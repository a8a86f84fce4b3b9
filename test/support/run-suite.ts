// Runs a suite that needs a real part which `npm ci` does not bring: Keycloaks, a Chromium, an image builder.
// Where a part is absent it says so in one line with the cure; with CI=true or PORTCULLIS_REQUIRE_ALL=1 that is a failure.

import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, globSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { hasPythonCommand, pythonAppsCure } from '../apps/python-apps.ts';
import { findImageBuilder } from '../image/image-builder.ts';
import {
  CURRENT_KEYCLOAK,
  findKeycloak,
  type KeycloakVersion,
  OLDER_KEYCLOAKS,
} from '../keycloak/keycloak-distribution.ts';
import { KeycloakServer, SHARED_KEYCLOAK } from '../keycloak/keycloak-server.ts';

/** What a part cannot be run without. */
interface Need {
  readonly name: string;
  isHere(): boolean;
  readonly cure: string;
}

interface RealPart {
  readonly name: string;
  /** Its test files, below `test`. */
  readonly files: string;
  readonly needs: readonly Need[];
  /** Files run at a time; one where a browser, or a fault that others would notice, is at work beside them. */
  readonly concurrency?: number;
  /** Two that say so are run at a time: they wait more than they work, and measure nothing. */
  readonly isPatient?: boolean;
  /** Starts what all its files share: how they find it, and how it ends. */
  prepare?(): Promise<{ env: Record<string, string>; stop(): Promise<void> }>;
}

const JAVA = command('java', 'openjdk-17-jre-headless');
const REDIS = command('redis-server', 'redis-server redis-sentinel');

/** The parts of each suite, run one after the other but for those that are patient. */
const SUITES: Readonly<Record<string, readonly RealPart[]>> = {
  keycloak: [
    keycloakPart(CURRENT_KEYCLOAK, 'keycloak/*.test.ts', [REDIS]),
    // What is different in a version is in the folder of its name.
    // It starts a server of its own, for which those who measure leave no room.
    {
      name: 'keycloak with certificates',
      files: 'keycloak/tls/*.test.ts',
      needs: keycloakNeeds(CURRENT_KEYCLOAK),
      isPatient: true,
    },
    ...OLDER_KEYCLOAKS.map((version) => ({
      ...keycloakPart(version, `keycloak/${version}/*.test.ts`, []),
      isPatient: true,
    })),
  ],
  browser: [{ name: 'browser', files: 'browser/**/*.test.ts', needs: [command('chromium', 'chromium')] }],
  redis: [{ name: 'redis', files: 'redis/**/*.test.ts', needs: [REDIS] }],
  apps: [
    {
      name: 'dokuwiki',
      files: 'apps/dokuwiki.test.ts',
      needs: [command('php', 'php-cli php-xml'), debianPackage('dokuwiki')],
    },
    {
      name: 'tomcat',
      files: 'apps/tomcat.test.ts',
      needs: [JAVA, ...['tomcat10', 'tomcat10-examples', 'tomcat10-admin'].map(debianPackage)],
    },
    { name: 'jupyter', files: 'apps/jupyter.test.ts', needs: [pythonApp('jupyter-server'), pythonApp('ipython')] },
    {
      ...keycloakPart(CURRENT_KEYCLOAK, 'apps/django.test.ts', [pythonApp('django-admin')]),
      name: 'django',
    },
  ],
  image: [
    {
      name: 'image',
      files: 'image/**/*.test.ts',
      needs: [
        {
          name: 'a builder of images',
          isHere: () => findImageBuilder() !== undefined,
          cure: 'set PORTCULLIS_BUILD_IMAGE to a script that is called as `build-image CONTEXT TAG` and ends in `buildah bud`',
        },
      ],
    },
  ],
};

function command(name: string, packages: string): Need {
  return { name, isHere: () => findOnPath(name) !== undefined, cure: `apt-get install ${packages}` };
}

/** An application of Debian's, which installs itself below /usr/share under its own name. */
function debianPackage(name: string): Need {
  return { name, isHere: () => existsSync(join('/usr/share', name)), cure: `apt-get install ${name}` };
}

function pythonApp(name: string): Need {
  return { name, isHere: () => hasPythonCommand(name), cure: pythonAppsCure() };
}

function keycloakNeeds(version: KeycloakVersion): Need[] {
  const artifact = `org.keycloak:keycloak-quarkus-dist:${version}:tar.gz`;
  const cure = `apt-get install maven, then mvn -q dependency:get -Dtransitive=false -Dartifact=${artifact}`;
  return [JAVA, { name: `Keycloak ${version}`, isHere: () => findKeycloak(version) !== undefined, cure }];
}

/** Tests against this version, which need something else besides it. */
function keycloakPart(version: KeycloakVersion, files: string, needs: readonly Need[]): RealPart {
  return {
    name: `keycloak ${version}`,
    files,
    needs: [...needs, ...keycloakNeeds(version)],
    // Each file has a realm of its own, and waits more than it works.
    concurrency: 2,
    prepare: async () => {
      const server = await KeycloakServer.start({ version });
      return { env: { [SHARED_KEYCLOAK]: `${version} ${server.origin}` }, stop: () => server.stop() };
    },
  };
}

// A part that never answers must not hold the whole run up. The longest file takes two minutes, and more on a busy machine.
const TEST_LIMIT_MS = 400_000;

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
    const options = [
      '--test',
      `--test-concurrency=${part.concurrency ?? 1}`,
      `--test-timeout=${TEST_LIMIT_MS}`,
      '--test-force-exit',
    ];
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
for (const part of parts.filter(({ isPatient }) => !isPatient)) await runOrSay(part);
const patient = parts.filter(({ isPatient }) => isPatient);
await Promise.all(
  [1, 2].map(async () => {
    for (let part = patient.shift(); part !== undefined; part = patient.shift()) await runOrSay(part);
  }),
);

async function runOrSay(part: RealPart): Promise<void> {
  const missing = part.needs.filter((need) => !need.isHere());
  if (missing.length === 0) {
    console.log(`::: ${part.name}`);
    if ((await runPart(part, args)) !== 0) process.exitCode = 1;
    return;
  }
  const names = missing.map(({ name }) => name).join(', ');
  const cures = [...new Set(missing.map(({ cure }) => cure))].join('; ');
  console.log(`test:${suite} ${part.name} was not run: not here: ${names}. Cure: ${cures}`);
  if (isEverythingRequired) process.exitCode = 1;
}
