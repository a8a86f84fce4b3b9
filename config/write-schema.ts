// Writes config/portcullis.schema.json from the code: `npm run schema`. A test fails while the file is an older one.

import { writeFileSync } from 'node:fs';
import { schemaText } from '../src/config/json-schema.ts';

writeFileSync(new URL('portcullis.schema.json', import.meta.url), schemaText());
