// As much of JSON Schema (draft 2020-12) as the generated schema uses: enough to hold examples against it.

type Schema = Readonly<Record<string, unknown>>;

const KNOWN = new Set(
  [
    ['$schema', 'title', 'description', 'default', '$defs', '$ref', 'anyOf', 'type', 'enum', 'pattern', 'minLength'],
    ['maxLength', 'minimum', 'maximum', 'items', 'minItems', 'properties', 'required', 'additionalProperties'],
  ].flat(),
);

/** Paths of the values that do not fit. @throws Error for a keyword that it does not know. */
export function violations(value: unknown, schema: Schema, root: Schema = schema, path = ''): string[] {
  for (const keyword of Object.keys(schema)) if (!KNOWN.has(keyword)) throw new Error(`unknown keyword ${keyword}`);
  if (typeof schema['$ref'] === 'string') {
    const name = schema['$ref'].replace('#/$defs/', '');
    return violations(value, (root['$defs'] as Record<string, Schema>)[name]!, root, path);
  }
  const found: string[] = [];
  const anyOf = schema['anyOf'] as Schema[] | undefined;
  if (anyOf !== undefined) {
    const each = anyOf.map((one) => violations(value, one, root, path));
    const best = each.toSorted((a, b) => b.join().length - a.join().length)[0]!;
    if (each.every((one) => one.length > 0)) found.push(...best);
  }
  if (!fitsScalar(value, schema)) return [...found, path];
  if (Array.isArray(value)) {
    if (value.length < ((schema['minItems'] as number | undefined) ?? 0)) found.push(path);
    const items = schema['items'] as Schema | undefined;
    if (items) found.push(...value.flatMap((item, i) => violations(item, items, root, `${path}[${i}]`)));
  } else if (typeof value === 'object' && value !== null) {
    found.push(...objectViolations(value as Record<string, unknown>, schema, root, path));
  }
  return found;
}

function objectViolations(value: Record<string, unknown>, schema: Schema, root: Schema, path: string): string[] {
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>;
  const rest = schema['additionalProperties'] as Schema | false | undefined;
  const missing = ((schema['required'] ?? []) as string[]).filter((name) => !(name in value));
  const present = Object.entries(value).flatMap(([name, item]) => {
    const at = path === '' ? name : `${path}.${name}`;
    const property = Object.hasOwn(properties, name) ? properties[name] : rest;
    if (property === false) return [at];
    return property === undefined ? [] : violations(item, property, root, at);
  });
  return [...missing.map((name) => `${path}.${name}`), ...present];
}

function fitsScalar(value: unknown, schema: Schema): boolean {
  const types = schema['type'] === undefined ? undefined : [schema['type']].flat();
  if (types && !types.includes(typeOf(value)) && !(types.includes('number') && typeOf(value) === 'integer'))
    return false;
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(value)) return false;
  if (typeof value === 'string') {
    if (typeof schema['pattern'] === 'string' && !new RegExp(schema['pattern'], 'u').test(value)) return false;
    return value.length >= Number(schema['minLength'] ?? 0) && value.length <= Number(schema['maxLength'] ?? Infinity);
  }
  if (typeof value === 'number') {
    return value >= Number(schema['minimum'] ?? -Infinity) && value <= Number(schema['maximum'] ?? Infinity);
  }
  return true;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}
