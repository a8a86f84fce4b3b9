// The lookup of routes and rules against its definition, on tables and paths made by chance: the host's own routes before
// those of all hosts, the longest prefix, the first rule, under every reading (design: config.md and decided.md).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RuleOptions } from '../../../src/access/access-rules.ts';
import { pathReadings, readingsBehindPrefix } from '../../../src/access/path-readings.ts';
import { decidedBy, type RouteOptions } from '../../../src/access/route-match.ts';
import { compileRouteTable } from '../../../src/access/route-table.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const TABLES = 200;
const PATHS = 60;

type Chance = <T>(choices: readonly T[]) => T;

const SEGMENTS = ['a', 'a', 'A', 'b', 'B', 'ab', 'c.d', 'é', 'É', 'ſ', 's'];
const ODD_SEGMENTS = ['', '.', '..', '%61', 'a%2fb', 'b;x', '%2e%2e', '\\', 'zzz'];
const METHODS = ['GET', 'POST', 'PURGE'];
const HOSTS = ['one.example', 'two.example', 'three.example'];

function pathBelow(chance: Chance, below: string, segments: readonly string[]): string {
  const more = Array.from({ length: chance([0, 1, 1, 2, 3]) }, () => chance(segments));
  return `${below === '/' ? '' : below}/${more.join('/')}`.replace(/(.)\/$/, '$1');
}

function ruleBy(chance: Chance, route: string): RuleOptions {
  const path = pathBelow(chance, chance([route, route, route, '/']), SEGMENTS);
  const methods = chance([undefined, undefined, ['GET'], ['GET', 'POST'], ['PURGE']]);
  return { path, methods, ...(chance([true, false, false]) ? { auth: 'public' } : {}) };
}

function tableBy(chance: Chance): RouteOptions[] {
  const routes = new Map<string, RouteOptions>();
  for (let at = 0; at < 6; at++) {
    const path = pathBelow(chance, chance(['/', ...[...routes.values()].map((route) => route.path!)]), SEGMENTS);
    const hosts = chance([undefined, undefined, [HOSTS[0]!], [HOSTS[1]!, HOSTS[0]!]]);
    if ((hosts ?? ['']).some((host) => routes.has(host + path))) continue;
    const route: RouteOptions = {
      name: `route ${at}`,
      ...(hosts === undefined ? {} : { hosts }),
      path,
      stripPrefix: chance([false, true]),
      caseInsensitivePaths: chance([false, false, true]),
      ambiguousPaths: chance(['refuse', 'forward']),
      access: Array.from({ length: chance([0, 1, 3, 8]) }, () => ruleBy(chance, path)),
    };
    for (const host of hosts ?? ['']) routes.set(host + path, route);
  }
  return [...new Set(routes.values())];
}

const fold = (text: string) => text.toUpperCase().toLowerCase();
const same = (text: string) => text;
const isBelow = (path: string, prefix: string) => prefix === '/' || `${path}/`.startsWith(`${prefix}/`);

/** The first of the longest, of those that name the host, else of those that name none. */
function longest(routes: readonly RouteOptions[], host: string, path: string, read: (text: string) => string) {
  const fitting = routes.filter((route) => isBelow(read(path), read(route.path!)));
  const own = fitting.filter(({ hosts }) => hosts?.includes(host));
  const lengthOf = (route: RouteOptions) => (route.path === '/' ? 0 : read(route.path!).length);
  const among = own.length > 0 ? own : fitting.filter(({ hosts }) => hosts === undefined);
  return among.toSorted((one, other) => lengthOf(other) - lengthOf(one))[0];
}

/** `route: rule` for one reading. */
function decideReading(routes: readonly RouteOptions[], host: string, path: string, method: string) {
  const exact = longest(routes, host, path, same);
  const ignoring = routes.some((route) => route.caseInsensitivePaths) ? longest(routes, host, path, fold) : undefined;
  let route = exact;
  if (ignoring !== undefined && (exact === undefined || fold(exact.path!).length < fold(ignoring.path!).length)) {
    if (ignoring.caseInsensitivePaths) route = ignoring;
    else if (exact?.caseInsensitivePaths) return 'torn';
  }
  if (route === undefined) return undefined;
  const read = route.caseInsensitivePaths ? fold : same;
  const at = route.access!.findIndex(
    (rule) => isBelow(read(path), read(rule.path!)) && (rule.methods?.includes(method) ?? true),
  );
  return {
    route,
    rule: route.access![at],
    label: at === -1 ? 'access_default' : `access[${at}] ${route.access![at]!.path}`,
  };
}

/** What the table must say of a target, in one line. */
function expected(routes: readonly RouteOptions[], host: string, target: string, method: string): string {
  const readings = pathReadings(target);
  if (readings.kind === 'bad') return 'bad_path';
  const first = decideReading(routes, host, readings.paths[0]!, method);
  if (first === 'torn') return 'bad_path';
  const behind = first?.route.stripPrefix
    ? readingsBehindPrefix(target, first.route.path!.replace(/\/$/, ''))
    : undefined;
  const paths = [...readings.paths, ...(behind?.kind === 'readings' ? behind.paths : [])];
  const decisions = paths.map((path) => decideReading(routes, host, path, method));
  if (decisions.includes('torn')) return 'bad_path';
  const found = decisions.filter((decision) => decision !== undefined && decision !== 'torn');
  if (found.length === 0) return 'none';
  if (first === undefined || found.length < decisions.length) return 'bad_path';
  const names = [...new Set(found.map(({ route, label }) => `${route.name}: ${label}`))];
  if (names.length === 1) {
    const isPublic = readings.canonical && first.rule?.auth === 'public';
    return `${first.route.name}, ${isPublic ? 'public' : 'session'}, ${first.label}`;
  }
  if (found.some(({ route }) => route.ambiguousPaths !== 'forward')) return 'bad_path';
  const labels = names.map((name) => name.replace(/^[^:]*: /, '')).filter((label) => label !== 'access_default');
  return `${first.route.name}, session, ${labels.join(' and ') || 'access_default'}`;
}

describe('the route and rule that are looked up', () => {
  it('are the ones that the definition names, whatever the table, host, path and method', () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = seededRandom(seed);
    const chance: Chance = (choices) => choices[Math.floor(random() * choices.length)]!;
    const seen = new Set<string>();
    for (let at = 0; at < TABLES; at++) {
      const routes = tableBy(chance);
      const table = compileRouteTable(routes);
      const known = routes.flatMap(({ path, access }) => [path!, ...access!.map((rule) => rule.path!)]);
      for (let path = 0; path < PATHS; path++) {
        const segments = chance([SEGMENTS, SEGMENTS, [...SEGMENTS, ...ODD_SEGMENTS]]);
        const target =
          encodeURI(pathBelow(chance, chance(known), segments)).replaceAll('%25', '%') + chance(['', '?x=/a/b', '/']);
        const [host, method] = [chance(HOSTS), chance(METHODS)];
        const match = table.match(host, target, method);
        const actual = match.kind === 'route' ? `${match.route.name}, ${match.needs}, ${decidedBy(match)}` : match.kind;
        seen.add(match.kind === 'route' ? match.needs : match.kind);
        const which = `seed ${seed}, ${method} ${host}${target} in ${JSON.stringify(routes)}`;
        assert.equal(actual, expected(routes, host, target, method), which);
      }
    }
    assert.deepEqual([...seen].sort(), ['bad_path', 'none', 'public', 'session'], `seed ${seed}`);
  });
});
