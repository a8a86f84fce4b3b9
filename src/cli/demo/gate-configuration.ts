// What an operator would write into portcullis.yaml for one application: the whole configuration of a gate of the demo.

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatProblem, loadConfig } from '../../config/load-config.ts';
import type { Config } from '../../config/model.ts';
import { type GateClient, SCOPES } from './gate-client.ts';

export interface GateConfigurationOptions {
  readonly client: GateClient;
  readonly issuer: string;
  readonly upstream: string;
}

function yamlOf({ client, issuer, upstream }: GateConfigurationOptions): string {
  const { name, clientId, clientSecret, publicUrl } = client;
  return `public_url: ${publicUrl}
server:
  listen: ${new URL(publicUrl).host}
  timeouts: { drain: 500ms }
admin:
  listen: 127.0.0.1:0
provider:
  issuer: ${issuer}
  client_id: ${clientId}
  client_secret: ${clientSecret}
  scopes: [${SCOPES.join(', ')}]
session:
  secret: ${randomBytes(32).toString('hex')}
  cookie: { name: portcullis-${name} }  # two gates on one host: browsers give a cookie to every port
routes:
  - name: ${name}
    upstream: ${upstream}
    headers:
      set: { X-Remote-Name: "{name}" }
    access:
      - { path: /keepers, groups: [keepers] }
`;
}

/** The checked configuration, read from a file as `portcullis start` would. @throws Error with every problem. */
export function gateConfiguration(options: GateConfigurationOptions): Config {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-demo-'));
  try {
    const file = join(folder, 'portcullis.yaml');
    writeFileSync(file, yamlOf(options), { mode: 0o600 });
    const loaded = loadConfig({ file, env: {} });
    if ('config' in loaded) return loaded.config;
    throw new Error(loaded.problems.map(formatProblem).join('\n'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
