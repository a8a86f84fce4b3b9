// The sources as data for the architecture test: what each file imports and exports, and what it does when it is imported.

import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type Node, parseSync, Visitor } from 'oxc-parser';

export interface SourceImport {
  /** As written: `../base/clock.ts`, `node:fs`, `koa`. */
  readonly specifier: string;
  /** The file it names, from the repo's root; undefined for packages and built-in modules. */
  readonly file: string | undefined;
  /** Erased before it runs. */
  readonly isType: boolean;
  readonly names: readonly string[];
}

export interface SourceExport {
  readonly name: string;
  readonly kind: 'function' | 'class' | 'type' | 'value';
  readonly hasDocComment: boolean;
  readonly isReExport: boolean;
}

export interface SourceFunction {
  readonly name: string;
  readonly lines: number;
}

export interface SourceFile {
  /** From the repo's root, with `/`. */
  readonly path: string;
  readonly lines: readonly string[];
  readonly imports: readonly SourceImport[];
  readonly exports: readonly SourceExport[];
  readonly functions: readonly SourceFunction[];
  /** Uses of a global by name, with the member that is taken: `process.env`, `console.log`. */
  readonly globals: readonly string[];
  /** What happens at import besides declarations, in words. */
  readonly importEffects: readonly string[];
}

/** Where `src`, `test` and the rest are. */
export const ROOT = join(import.meta.dirname, '../..');

/** All TypeScript files that match `patterns`, read and parsed. */
export function readSources(...patterns: string[]): SourceFile[] {
  return globSync(patterns, { cwd: ROOT })
    .filter((path) => path.endsWith('.ts') && !path.includes('node_modules'))
    .sort()
    .map((path) => readSource(path));
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const { program, module, comments, errors } = parseSync(path, text, { range: true });
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]!.message}`);
  const facts = { functions: [] as SourceFunction[], globals: [] as string[], typeImports: [] as string[] };
  new Visitor(visitFacts(text, facts)).visit(program);
  const imported = (specifier: string, isType: boolean, names: string[] = []): SourceImport => {
    const file = specifier.startsWith('.') ? relative(ROOT, join(ROOT, dirname(path), specifier)) : undefined;
    return { specifier, file, isType, names };
  };
  const docEnds = comments.filter(({ type, value }) => type === 'Block' && value.startsWith('*')).map(({ end }) => end);
  const imports = [
    ...module.staticImports.map(({ moduleRequest, entries }) =>
      imported(
        moduleRequest.value,
        entries.length > 0 && entries.every(({ isType }) => isType),
        entries.map(({ localName }) => localName.value),
      ),
    ),
    // Those with a name that is put together at run time name no file of ours.
    ...module.dynamicImports
      .map(({ moduleRequest }) => /^['"`]([^$]+)['"`]$/.exec(text.slice(moduleRequest.start, moduleRequest.end))?.[1])
      .filter((specifier) => specifier !== undefined)
      .map((specifier) => imported(specifier, false)),
    ...facts.typeImports.map((specifier) => imported(specifier, true)),
  ];
  return {
    path,
    lines: text.replace(/\n$/, '').split('\n'),
    imports,
    exports: module.staticExports.flatMap(({ start, entries }) =>
      entries.map(({ exportName, moduleRequest, importName }) => ({
        name: exportName.kind === 'Default' ? 'default' : (exportName.name ?? '*'),
        kind: kindOf(text.slice(start)),
        hasDocComment: docEnds.some((end) => end <= start && /^\s*$/.test(text.slice(end, start))),
        isReExport: moduleRequest !== null || importName.kind === 'AllButDefault',
      })),
    ),
    functions: facts.functions,
    globals: facts.globals,
    importEffects: importEffects(program.body, text, imports),
  };
}

function kindOf(exported: string): SourceExport['kind'] {
  const word = /^export (?:async |declare |abstract )*(\w+)/.exec(exported)?.[1];
  if (word === 'function' || word === 'class') return word;
  return word === 'interface' || word === 'type' ? 'type' : 'value';
}

function visitFacts(text: string, facts: { functions: SourceFunction[]; globals: string[]; typeImports: string[] }) {
  const takeFunction = (node: { start: number; end: number; id?: { name: string } | null }) => {
    facts.functions.push({
      name: node.id?.name ?? text.slice(node.start, node.start + 60).split('\n')[0]!,
      lines: text.slice(node.start, node.end).split('\n').length,
    });
  };
  return {
    FunctionDeclaration: takeFunction,
    FunctionExpression: takeFunction,
    ArrowFunctionExpression: takeFunction,
    TSImportType: (node: { source?: { value: string } }) => {
      if (node.source) facts.typeImports.push(node.source.value);
    },
    MemberExpression: (node: { object: Node; property: Node; computed: boolean }) => {
      if (node.object.type === 'Identifier' && node.property.type === 'Identifier') {
        facts.globals.push(`${node.object.name}.${node.property.name}`);
      }
    },
  } as never;
}

// What may be called while a module is loaded: it makes a value and touches nothing.
const PURE_GLOBALS = [
  ...['Array', 'Buffer', 'Error', 'Map', 'Number', 'Object', 'RegExp', 'Set', 'String', 'Symbol', 'URL', 'WeakMap'],
  ...['Uint8Array', 'Uint16Array', 'Uint32Array', 'Math', 'TextDecoder', 'TextEncoder', 'BigInt', 'Date', 'JSON'],
];
const PURE_BUILTINS = ['node:path', 'node:url', 'node:util', 'node:crypto', 'node:module'];

/** Statements and calls that run when the module is loaded and do more than make values. */
function importEffects(body: readonly Node[], text: string, imports: readonly SourceImport[]): string[] {
  const origin = new Map(imports.flatMap(({ names, specifier }) => names.map((name) => [name, specifier] as const)));
  const isPure = (name: string) => {
    const specifier = origin.get(name);
    if (specifier === undefined)
      return PURE_GLOBALS.includes(name) || new RegExp(`\\b(function|class|const) ${name}\\b`).test(text);
    return !specifier.startsWith('node:') || PURE_BUILTINS.includes(specifier);
  };
  const effects: string[] = [];
  for (const statement of body) {
    const line = text.slice(statement.start, statement.end).split('\n')[0]!;
    const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (declaration === null || DECLARATIONS.has(declaration.type)) continue;
    if (declaration.type !== 'VariableDeclaration' || declaration.kind !== 'const') {
      effects.push(line);
      continue;
    }
    for (const { init } of declaration.declarations) {
      effects.push(...callsAtImport(init as AnyNode | null, isPure).map((call) => `${call} in ${line}`));
    }
  }
  return effects;
}

const DECLARATIONS = new Set([
  'ImportDeclaration',
  'ExportAllDeclaration',
  'ExportDefaultDeclaration',
  'FunctionDeclaration',
  'ClassDeclaration',
  'TSInterfaceDeclaration',
  'TSTypeAliasDeclaration',
  'TSDeclareFunction',
  'TSModuleDeclaration',
]);

type AnyNode = { type: string; name?: string; object?: AnyNode; callee?: AnyNode; arguments?: AnyNode[] };

// Calls of an initialiser that are run at once, that is, not inside a function; empty containers are state of the module.
function callsAtImport(node: AnyNode | null, isPure: (name: string) => boolean): string[] {
  if (node === null || typeof node !== 'object' || /Function|^Class/.test(node.type ?? '')) return [];
  const found: string[] = [];
  if (node.type === 'AwaitExpression') found.push('await');
  if (node.type === 'CallExpression' || node.type === 'NewExpression') {
    const root = rootName(node.callee);
    if (root !== undefined && !isPure(root)) found.push(`call of ${root}`);
    const isContainer = root !== undefined && /^(Map|Set|WeakMap|WeakSet)$/.test(root);
    if (isContainer && node.type === 'NewExpression' && node.arguments?.length === 0) found.push(`empty ${root}`);
  }
  for (const child of Object.values(node)) {
    for (const inner of Array.isArray(child) ? child : [child]) {
      if (inner !== null && typeof inner === 'object') found.push(...callsAtImport(inner as AnyNode, isPure));
    }
  }
  return found;
}

function rootName(node: AnyNode | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (node.type === 'Identifier') return node.name;
  return rootName(node.object ?? node.callee);
}
