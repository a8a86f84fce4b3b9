// YAML text to located values. Only plain YAML 1.2 core: no tags, no merge keys, one document, aliases bounded.

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is the syntax of the configuration file.

import {
  type Alias,
  type Document,
  isAlias,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import type { Environment } from './expand-variables.ts';
import { type Located, type LocatedEntry, locateText } from './located.ts';
import { childPath, type Spot } from './problem.ts';
import { BARE_VARIABLE, OPEN_QUOTE, yamlSyntaxWords } from './yaml-syntax.ts';

export type Report = (spot: Spot, message: string, cure: string) => void;

/** Far more than a real file has. Aliases multiply: ten lines of them are a billion values ("billion laughs"). */
const MOST_VALUES = 200_000;
const DEEPEST = 64;

interface Walk {
  readonly env: Environment;
  readonly report: Report;
  readonly spotAt: (offset: number | undefined, path: string) => Spot;
  /** What each alias stands for. */
  readonly targets: ReadonlyMap<Alias, Node>;
  /** The nodes around the present one: an alias to one of them would have no end. */
  readonly around: Set<Node>;
  values: number;
}

/**
 * The file's value, or undefined where it cannot be read as YAML: what follows a syntax error would be guessed, so only
 * the syntax is reported then. Keys given twice and variables that are not set are reported and passed over.
 */
export function readYaml(text: string, env: Environment, report: Report): Located | undefined {
  const lines = new LineCounter();
  const spotAt = (offset: number | undefined, path: string): Spot => {
    const { line, col } = lines.linePos(offset ?? 0);
    return { path, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const document = parse(text, lines);
  if (document === undefined) {
    const { message, cure } = yamlSyntaxWords('RESOURCE_EXHAUSTION');
    report(spotAt(0, ''), message, cure);
    return undefined;
  }
  const errors = [...document.errors, ...document.warnings];
  for (const error of withoutEchoes(errors)) {
    const offset = error.pos[0];
    const openedAt = error.code === 'MISSING_CHAR' ? openQuote(document, offset) : undefined;
    const { message, cure } = isBareVariable(text, offset) ? BARE_VARIABLE : yamlSyntaxWords(error.code);
    if (openedAt === undefined) report(spotAt(offset, ''), message, cure);
    else report(spotAt(openedAt, ''), OPEN_QUOTE.message, OPEN_QUOTE.cure);
  }
  if (errors.length > 0) return undefined;
  const targets = aliasTargets(document);
  return locate(document.contents, '', { env, report, spotAt, targets, around: new Set(), values: 0 });
}

/** One mistake makes much of what follows unexpected: that is not said again. */
function withoutEchoes(errors: readonly YAMLError[]): YAMLError[] {
  return errors.filter(
    ({ code, pos }, i) => i === 0 || (code !== 'UNEXPECTED_TOKEN' && errors[i - 1]!.pos[0] !== pos[0]),
  );
}

/** Where the quote begins that runs to `offset`, where the parser misses its end: most often the end of the file. */
function openQuote(document: Document, offset: number): number | undefined {
  let openedAt: number | undefined;
  visit(document, {
    Scalar: (_, { type, range }) => {
      if (type?.startsWith('QUOTE') && range?.[1] === offset) openedAt = range[0];
    },
  });
  return openedAt;
}

/** Inside `{ }` and `[ ]` a brace is YAML's own, and `${NAME}` without quotes is no text there. */
function isBareVariable(text: string, offset: number): boolean {
  return text.startsWith('${', offset - 1);
}

function parse(text: string, lineCounter: LineCounter) {
  try {
    return parseDocument(text, {
      version: '1.2',
      schema: 'core',
      merge: false,
      resolveKnownTags: false,
      // Looked at below: the parser's own way compares each key with each.
      uniqueKeys: false,
      prettyErrors: false,
      // With 'silent' a second document would go unsaid.
      logLevel: 'error',
      lineCounter,
    });
  } catch {
    // Nesting that overflows the parser's stack.
    return undefined;
  }
}

/** One pass for all of them: the parser's own `resolve` walks the document once for each. */
function aliasTargets(document: Document): Map<Alias, Node> {
  const anchored = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Value: (_, node) => {
      if (node.anchor !== undefined) anchored.set(node.anchor, node);
    },
    Alias: (_, alias) => {
      const target = anchored.get(alias.source);
      if (target !== undefined) targets.set(alias, target);
    },
  });
  return targets;
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
