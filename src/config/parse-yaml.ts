// YAML text to nodes, or to what is wrong with its syntax. Plain YAML 1.2 core: no tags, no merge keys, one document.

import { type Alias, type Document, LineCounter, type Node, parseDocument, visit, type YAMLError } from 'yaml';
import type { Report, Spot } from './problem.ts';
import { BARE_VARIABLE, OPEN_LIST, OPEN_QUOTE, OPEN_SECTION, yamlSyntaxWords } from './yaml-syntax.ts';

export interface ParsedYaml {
  readonly contents: Node | null;
  /** What each alias stands for; none for an alias whose name nothing has. */
  readonly targets: ReadonlyMap<Alias, Node>;
  readonly spotAt: (offset: number | undefined, path: string) => Spot;
}

/** The nodes of `text`, or undefined after reporting its syntax. Keys given twice are left to the reader. */
export function parseYaml(text: string, report: Report): ParsedYaml | undefined {
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
    const quoteAt = error.code === 'MISSING_CHAR' ? openQuote(document, offset) : undefined;
    const bracketAt = quoteAt === undefined && mayBeUnclosed(error) ? openBracket(document, text, offset) : undefined;
    if (bracketAt !== undefined) {
      const { message, cure } = text[bracketAt] === '[' ? OPEN_LIST : OPEN_SECTION;
      report(spotAt(bracketAt, ''), message, cure);
      // What follows was read as if it stood inside.
      break;
    }
    const plain = isBareVariable(text, offset) ? BARE_VARIABLE : yamlSyntaxWords(error.code);
    const { message, cure } = quoteAt === undefined ? plain : OPEN_QUOTE;
    report(spotAt(quoteAt ?? offset, ''), message, cure);
  }
  return errors.length > 0 ? undefined : { contents: document.contents, targets: aliasTargets(document), spotAt };
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

function mayBeUnclosed({ code }: YAMLError): boolean {
  return code === 'BAD_INDENT' || code === 'MISSING_CHAR';
}

/** Where the innermost `[` or `{` stands that the parser gave up at `offset`, without having met its end. */
function openBracket(document: Document, text: string, offset: number): number | undefined {
  let openedAt: number | undefined;
  visit(document, {
    Collection: (_, { flow, range }) => {
      if (!flow || range?.[1] !== offset) return;
      const close = text[range[0]] === '[' ? ']' : '}';
      if (text[offset - 1] !== close) openedAt = range[0];
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
