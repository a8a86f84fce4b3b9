// The JSON Schema of the configuration file, for editors: `config/portcullis.schema.json`.

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is the syntax of the configuration file.

import type { JsonSchema } from './kind.ts';
import type { JsonValue } from './located.ts';
import { notAvailableYet } from './not-available-yet.ts';
import { configFile } from './sections/config-file.ts';

/** The schema (draft 2020-12). What it cannot say (contradictions, files) `portcullis check` does. */
export function jsonSchema(): JsonSchema {
  const properties = structuredClone(configFile.schema['properties']) as Properties;
  for (const { path, works } of notAvailableYet) {
    const key = propertyAt(properties, path.split('.'));
    const working = works.length === 0 ? 'leave it out' : `only ${works.join(', ')}`;
    key['description'] = `${key['description']}. Not available yet: ${working}`;
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Portcullis configuration',
    description:
      'portcullis.yaml. Durations are 500ms, 30s, 15m, 10h; sizes 64KiB; ${NAME} and ${NAME:-default} come from the environment.',
    ...configFile.schema,
    properties,
    $defs: { variable: { type: 'string', pattern: '\\$\\{', description: 'A value from the environment: ${NAME}' } },
  };
}

type Properties = Record<string, Record<string, JsonValue>>;

/** The schema of the key at a path such as `routes[].access[].acr`. */
function propertyAt(properties: Properties, [step = '', ...rest]: readonly string[]): Record<string, JsonValue> {
  const property = properties[step.replace('[]', '')];
  if (property === undefined) throw new Error(`no key ${step} in the schema`);
  if (rest.length === 0) return property;
  return propertyAt(propertiesOf(property), rest);
}

/** The keys of a section, of the sections in a list, or of either where the key may be missing. */
function propertiesOf(schema: JsonSchema): Properties {
  const inner = (schema['items'] ?? schema) as JsonSchema;
  if ('properties' in inner) return inner['properties'] as Properties;
  return (inner['anyOf'] as JsonSchema[]).find((each) => 'properties' in each)!['properties'] as Properties;
}

/** The schema as `config/portcullis.schema.json` holds it. */
export function schemaText(): string {
  return `${JSON.stringify(jsonSchema(), null, 2)}\n`;
}
