// Notices that real Keycloaks sent, kept in test/fixtures/keycloak: one file per version, written by
// `npm run record:notices`. They expired two minutes after they were made; whoever replays them sets the clock back.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of the recordings. */
export const FIXTURES = join(import.meta.dirname, '..', 'fixtures', 'keycloak');

export interface RecordedNotice {
  /** What was done in Keycloak. */
  readonly title: string;
  /** The path below the gate's prefix that Keycloak called. */
  readonly endpoint: string;
  readonly issuer: string;
  /** The session that was signed in, and whose end the notice tells, where it is about sessions. */
  readonly session: { readonly sid: string; readonly sub: string };
  /** By the clock of the machine that recorded, epoch milliseconds. */
  readonly receivedAt: number;
  readonly method: string;
  /** With the query. */
  readonly target: string;
  /** Names and values as they came, in their order. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

export interface Recording {
  readonly version: string;
  readonly clientId: string;
  /** The key set of each realm, by issuer. Public keys of realms that are gone. */
  readonly keys: Readonly<Record<string, { readonly keys: readonly Record<string, unknown>[] }>>;
  readonly notices: readonly RecordedNotice[];
}

/** All recordings, the newest version first. */
export function recordings(): Recording[] {
  const files = globSync('*.json', { cwd: FIXTURES });
  return files
    .map((file) => JSON.parse(readFileSync(join(FIXTURES, file), 'utf8')) as Recording)
    .sort((a, b) => b.version.localeCompare(a.version, 'en', { numeric: true }));
}
