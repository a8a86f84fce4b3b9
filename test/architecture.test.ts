// The house's rules as data, and the sources held against them (design: rooms, doors and rules).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { findCycles } from './support/find-cycles.ts';
import { ROOT, readSources, type SourceFile, type SourceImport } from './support/source-files.ts';

interface Room {
  /** Rooms it may import from; every room may import from itself. */
  readonly from: readonly string[];
  /** Packages that no other room may import, unless it is named here too. */
  readonly packages?: readonly string[];
  /** Built-in modules that reach outside the process. */
  readonly reaches?: readonly string[];
}

const LEAVES = ['oidc', 'session', 'proxy', 'access', 'pages'];

const ROOMS: Readonly<Record<string, Room>> = {
  base: { from: [] },
  config: { from: ['base'], packages: ['yaml'], reaches: ['node:fs'] },
  telemetry: { from: ['base'], packages: ['pino', 'prom-client'], reaches: ['node:fs'] },
  oidc: { from: ['base'], packages: ['openid-client', 'jose'] },
  session: { from: ['base'], packages: ['lru-cache', '@redis/client', 'tough-cookie'], reaches: ['node:fs'] },
  proxy: { from: ['base'], packages: ['undici'], reaches: ['node:http', 'node:https', 'node:net', 'node:tls'] },
  access: { from: ['base'] },
  pages: { from: ['base'] },
  logout: { from: ['oidc', 'session', 'proxy', 'base'] },
  freshness: { from: ['logout', 'oidc', 'session', 'base'] },
  gate: { from: ['freshness', 'oidc', 'session', 'access', 'base'] },
  keycloak: { from: ['oidc', 'base'] },
  http: {
    from: ['gate', 'logout', 'oidc', 'session', 'access', 'proxy', 'pages', 'base'],
    packages: ['koa', 'koa-session'],
  },
  admin: { from: ['logout', 'session', 'proxy', 'pages', 'base'], packages: ['koa'] },
  app: {
    from: ['config', 'telemetry', ...LEAVES, 'logout', 'freshness', 'gate', 'keycloak', 'http', 'admin', 'base'],
    reaches: ['node:http', 'node:https', 'node:fs', 'node:net'],
  },
  cli: {
    from: ['app', 'config', 'keycloak', 'oidc', 'telemetry', 'base'],
    // The demo's provider and its applications' WebSockets: development dependencies that it loads when it is run.
    packages: ['oidc-provider', 'ws'],
    reaches: ['node:fs', 'node:http', 'node:https', 'node:net', 'node:tls'],
  },
  main: { from: ['cli'] },
};

// Reading a type from these costs nothing and opens nothing; the doors stand between node's server and the rest.
const TYPES_OF_NODE_SERVERS = ['http', 'admin', 'gate', 'logout', 'app'];

// Parsers, lists and shapes in modules that otherwise open connections.
const PURE_NAMES = [
  'isIP',
  'isIPv4',
  'isIPv6',
  'BlockList',
  'STATUS_CODES',
  'METHODS',
  'ServerResponse',
  'IncomingMessage',
];

const REACHING = [
  'fs',
  'fs/promises',
  'net',
  'http',
  'http2',
  'https',
  'tls',
  'dns',
  'dgram',
  'child_process',
  'cluster',
];
const FORBIDDEN_WORDS = ['util', 'helper', 'common', 'misc', 'manager', 'service', 'data', 'info', 'process', 'do'];
// The specification's own word (OpenID Connect Core 5.3).
const ALLOWED_NAMES = ['user-info'];
const MAX_LINES = 300;
// Lists of attacks and their answers are data.
const MAX_TEST_LINES = 500;
// About 50 is the aim; a table or a composition may be somewhat longer, nothing may be much.
const MAX_FUNCTION_LINES = 80;

const sources = readSources('src/**/*.ts');
const own = readSources('src/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts', 'config/**/*.ts', '.ci/**/*.ts');

function roomOf(path: string): string {
  const [, room = '', rest] = path.split('/');
  return rest === undefined ? 'main' : room;
}

/** Fails with one line for each place that breaks the rule. */
function none(places: readonly string[]): void {
  const lines = [...new Set(places)];
  assert.ok(lines.length === 0, `${lines.length} places:\n  ${lines.join('\n  ')}`);
}

function eachImport(
  files: readonly SourceFile[],
  broken: (file: SourceFile, imported: SourceImport) => boolean,
): string[] {
  return files.flatMap((file) =>
    file.imports
      .filter((imported) => broken(file, imported))
      .map(({ specifier }) => `${file.path} imports ${specifier}`),
  );
}

/** The package of a specifier: `@scope/name` or `name`, without a path into it. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

describe('rooms', () => {
  test('every file of src is in a room of the table', () => {
    none(sources.map(({ path }) => path).filter((path) => !Object.hasOwn(ROOMS, roomOf(path))));
  });

  test('a room imports only from the rooms that the table gives it, types included', () => {
    none(
      eachImport(sources, ({ path }, { file }) => {
        if (file === undefined) return false;
        const [from, to] = [roomOf(path), roomOf(file)];
        return from !== to && !ROOMS[from]?.from.includes(to);
      }),
    );
  });

  test('the table has no way round: no room reaches itself through others', () => {
    const graph = new Map(Object.entries(ROOMS).map(([room, { from }]) => [room, from]));
    none(findCycles(graph).map((cycle) => cycle.join(' -> ')));
  });

  test('a third-party package is imported only by its own room', () => {
    none(
      eachImport(sources, ({ path }, { specifier, file }) => {
        if (file !== undefined || specifier.startsWith('node:')) return false;
        return ROOMS[roomOf(path)]?.packages?.includes(packageOf(specifier)) !== true;
      }),
    );
  });

  test('only the rooms that the table names reach files, networks or other processes', () => {
    none(
      eachImport(sources, ({ path }, { specifier, isType, names }) => {
        if (names.length > 0 && names.every((imported) => PURE_NAMES.includes(imported))) return false;
        const name = specifier.replace(/^node:/, '');
        if (!REACHING.includes(name)) return false;
        const room = roomOf(path);
        if (isType && /^(http|net)/.test(name) && TYPES_OF_NODE_SERVERS.includes(room)) return false;
        return ROOMS[room]?.reaches?.includes(`node:${name.split('/')[0]}`) !== true;
      }),
    );
  });

  test('built-in modules are imported by their node: names', () => {
    none(eachImport(own, (_, { specifier }) => REACHING.includes(specifier)));
  });

  test('no import goes round in a circle', () => {
    const graph = new Map(sources.map(({ path, imports }) => [path, imports.flatMap(({ file }) => file ?? [])]));
    none(findCycles(graph).map((cycle) => cycle.join(' -> ')));
  });

  test('the sources import nothing from the tests', () => {
    none(eachImport(sources, (_, { file }) => file !== undefined && !file.startsWith('src/')));
  });
});

describe('what a file does', () => {
  const outside = (...rooms: string[]) => sources.filter(({ path }) => !rooms.includes(roomOf(path)));

  test('the environment is read only by config', () => {
    none(
      outside('config').flatMap(({ path, globals }) => globals.filter((use) => use === 'process.env').map(() => path)),
    );
  });

  test('only the command line writes to the console', () => {
    const isWritten = (use: string) => /^console\.|^process\.(stdout|stderr)$/.test(use);
    none(
      outside('cli', 'telemetry').flatMap(({ path, globals }) =>
        globals.filter(isWritten).map((use) => `${path}: ${use}`),
      ),
    );
  });

  test('loading a file makes values and does nothing else, but for main', () => {
    none(outside('main').flatMap(({ path, importEffects }) => importEffects.map((effect) => `${path}: ${effect}`)));
  });
});

describe('names and sizes', () => {
  test(`no file is longer than ${MAX_LINES} lines, no test than ${MAX_TEST_LINES}`, () => {
    const limit = (path: string) => (path.startsWith('test/') ? MAX_TEST_LINES : MAX_LINES);
    none(
      own.filter(({ path, lines }) => lines.length > limit(path)).map(({ path, lines }) => `${path}: ${lines.length}`),
    );
  });

  test(`no function is longer than ${MAX_FUNCTION_LINES} lines`, () => {
    none(
      sources.flatMap(({ path, functions }) =>
        functions
          .filter(({ lines }) => lines > MAX_FUNCTION_LINES)
          .map(({ name, lines }) => `${path}: ${name} has ${lines}`),
      ),
    );
  });

  test('file names are kebab-case, none is a barrel, and none has a word that says nothing', () => {
    const wrong = (path: string) => {
      const words = basename(path)
        .replace(/(\.test|\.d)?\.ts$/, '')
        .split('-');
      const isVague = words.some(
        (word) => FORBIDDEN_WORDS.includes(word.replace(/s$/, '')) || FORBIDDEN_WORDS.includes(word),
      );
      if (ALLOWED_NAMES.includes(words.join('-'))) return false;
      return words.join('-') === 'index' || words.some((word) => !/^[a-z0-9]+$/.test(word)) || isVague;
    };
    none(sources.map(({ path }) => path).filter(wrong));
  });

  test('nothing is exported as default, and nothing is exported on from another file', () => {
    none(
      sources.flatMap(({ path, exports }) =>
        exports
          .filter(({ name, isReExport }) => name === 'default' || isReExport)
          .map(({ name }) => `${path}: ${name}`),
      ),
    );
  });

  test('the first line of a file says what it is for', () => {
    none(own.filter(({ lines }) => !/^\/\/ \S/.test(lines[0] ?? '')).map(({ path }) => path));
  });

  test('every exported function and class has a doc comment, but for the one that the first line of the file is about', () => {
    const isFilesOwn = (path: string, name: string) =>
      basename(path, '.ts').replaceAll('-', '').toLowerCase() === name.replace(/^create/, '').toLowerCase();
    none(
      sources.flatMap(({ path, exports }) =>
        exports
          .filter(({ kind, hasDocComment }) => ['function', 'class'].includes(kind) && !hasDocComment)
          .filter(({ name }) => !isFilesOwn(path, name))
          .map(({ name }) => `${path}: ${name}`),
      ),
    );
  });
});

describe('package-lock.json', () => {
  const text = readFileSync(join(ROOT, 'package-lock.json'), 'utf8');
  const lock = JSON.parse(text) as { packages: Record<string, { optionalDependencies?: Record<string, string> }> };

  test('names every optional package, without which npm ci refuses it (cure: npm run lock)', () => {
    const optional = Object.values(lock.packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}));
    none(optional.filter((name) => lock.packages[`node_modules/${name}`] === undefined));
  });

  test('names no registry, so that it installs from whichever one a machine uses', () => {
    assert.doesNotMatch(text, /"resolved"|https?:\/\/registry/);
  });
});
