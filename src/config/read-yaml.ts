// YAML text to located values: variables replaced, aliases bounded, every key once.

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is the syntax of the configuration file.

import { type Alias, isAlias, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';
import type { Environment } from './expand-variables.ts';
import { type Located, type LocatedEntry, locateText } from './located.ts';
import { type ParsedYaml, parseYaml } from './parse-yaml.ts';
import { childPath, type Report, type Spot } from './problem.ts';
import { yamlSyntaxWords } from './yaml-syntax.ts';

/** Far more than a real file has. Aliases multiply: ten lines of them are a billion values ("billion laughs"). */
const MOST_VALUES = 200_000;
const DEEPEST = 64;

interface Walk extends ParsedYaml {
  readonly env: Environment;
  readonly report: Report;
  /** The nodes around the present one: an alias to one of them would have no end. */
  readonly around: Set<Node>;
  values: number;
}

/**
 * The file's value, or undefined where it cannot be read as YAML: what follows a syntax error would be guessed, so only
 * the syntax is reported then. Keys given twice and variables that are not set are reported and passed over.
 */
export function readYaml(text: string, env: Environment, report: Report): Located | undefined {
  const parsed = parseYaml(text, report);
  return parsed && locate(parsed.contents, '', { ...parsed, env, report, around: new Set(), values: 0 });
}

function locate(node: Node | null, path: string, walk: Walk): Located {
  const spot = walk.spotAt(node?.range?.[0], path);
  if (++walk.values > MOST_VALUES) {
    if (walk.values === MOST_VALUES + 1) {
      walk.report(spot, 'the aliases of this file unfold to too many values', 'write the values out');
    }
    return { ...spot, kind: 'invalid' };
  }
  if (node === null) return { ...spot, kind: 'null', shown: '' };
  if (isAlias(node)) return locateAlias(node, spot, walk);
  if (isScalar(node)) return locateScalar(node.value, node.source ?? '', { spot, walk });
  if (walk.around.size >= DEEPEST) {
    walk.report(spot, 'the file is nested too deeply', 'write it flatter');
    return { ...spot, kind: 'invalid' };
  }
  walk.around.add(node);
  const located: Located = isSeq<Node>(node)
    ? { ...spot, kind: 'list', items: node.items.map((item, i) => locate(item, childPath(path, i), walk)) }
    : { ...spot, kind: 'map', entries: locateEntries(node as YAMLMap<Node, Node | null>, path, walk) };
  walk.around.delete(node);
  return located;
}

function locateAlias(alias: Alias, spot: Spot, walk: Walk): Located {
  const target = walk.targets.get(alias);
  if (target !== undefined && !walk.around.has(target)) return locate(target, spot.path, walk);
  const { message, cure } =
    target === undefined
      ? yamlSyntaxWords('BAD_ALIAS')
      : { message: 'this alias (`*name`) stands inside the value that it names', cure: 'write the value out' };
  walk.report(spot, message, cure);
  return { ...spot, kind: 'invalid' };
}

function locateScalar(value: unknown, source: string, { spot, walk }: { spot: Spot; walk: Walk }): Located {
  if (typeof value === 'number') return { ...spot, kind: 'number', number: value, shown: source };
  if (typeof value === 'boolean') return { ...spot, kind: 'boolean', boolean: value, shown: source };
  if (value === null || value === undefined) return { ...spot, kind: 'null', shown: source };
  return locateText(String(value), spot, {
    env: walk.env,
    unset: ({ name }) =>
      name === undefined
        ? walk.report(
            spot,
            '`${` begins a variable, and this is none',
            'write ${NAME} or ${NAME:-default}, or $${ for a literal ${',
          )
        : walk.report(
            spot,
            `the environment variable ${name} is not set`,
            `set it, or give a default: \${${name}:-value}`,
          ),
  });
}

function locateEntries(map: YAMLMap<Node, Node | null>, path: string, walk: Walk): LocatedEntry[] {
  const entries: LocatedEntry[] = [];
  const firstLines = new Map<string, number>();
  for (const pair of map.items) {
    const keySpot = walk.spotAt(pair.key.range?.[0], path);
    const name = keyName(pair);
    if (name === undefined) {
      walk.report(keySpot, 'a key must be plain text', 'write `name: value`');
      continue;
    }
    const key = { ...keySpot, path: childPath(path, name) };
    const firstLine = firstLines.get(name);
    if (firstLine !== undefined) {
      walk.report(key, `this key is given twice, first in line ${firstLine}`, 'keep one of the two');
      continue;
    }
    firstLines.set(name, key.line);
    const located = locate(pair.value, key.path, walk);
    // Sections, lists and keys without a value are shown where their key stands; other values where they begin.
    const forgotten = located.kind === 'null' && located.shown === '';
    const own = located.kind !== 'map' && located.kind !== 'list' && !forgotten;
    const value = own ? located : { ...located, line: key.line, column: key.column };
    entries.push({ name, key, value });
  }
  return entries;
}

/** Keys are text however YAML would type them: `2: x` is the key "2". */
function keyName(pair: Pair<Node, Node | null>): string | undefined {
  if (!isScalar(pair.key)) return undefined;
  return typeof pair.key.value === 'string' ? pair.key.value : (pair.key.source ?? String(pair.key.value));
}
