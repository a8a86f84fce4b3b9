// The JSON Schema of the configuration file, for editors: `config/portcullis.schema.json`.

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is the syntax of the configuration file.

import type { JsonSchema } from './kind.ts';
import { configFile } from './sections/config-file.ts';

/** The schema (draft 2020-12). What it cannot say (contradictions, files) `portcullis check` does. */
export function jsonSchema(): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Portcullis configuration',
    description:
      'portcullis.yaml. Durations are 500ms, 30s, 15m, 10h; sizes 64KiB; ${NAME} and ${NAME:-default} come from the environment.',
    ...configFile.schema,
  };
}
