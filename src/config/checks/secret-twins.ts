// Every secret may stand in the file or in a file of its own: in one of the two.

import { childPath, type Finding, type IsWritten } from '../problem.ts';
import type { ConfigDraft } from '../sections/config-file.ts';

const SECRETS = [
  'admin.token',
  'provider.client_secret',
  'session.secret',
  'session.redis.url',
  'session.redis.sentinel.password',
] as const;

/** Every secret comes from one place: the key or its `_file` twin, never both. */
export function checkSecretTwins({ routes }: ConfigDraft, isWritten: IsWritten): Finding[] {
  const passwords = (routes ?? []).map((_, i) => `${childPath('routes', i)}.headers.basic_auth.password`);
  return [...SECRETS, ...passwords].flatMap((path) => {
    if (!isWritten(path) || !isWritten(`${path}_file`)) return [];
    const name = path.slice(path.lastIndexOf('.') + 1);
    const message = `both ${name} and ${name}_file are given`;
    return [{ path: `${path}_file`, message, cure: 'keep one of the two' }];
  });
}
