// `session`: its secret and its times.

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is the syntax of the configuration file.

import type { Finding, IsWritten } from '../problem.ts';
import type { ConfigDraft } from '../sections/config-file.ts';

/** As many bytes as HKDF-SHA-256 has to give. */
const LEAST_SECRET_BYTES = 32;

/** Secrets and time limits of sessions. */
export function checkSession({ session }: ConfigDraft, isWritten: IsWritten): Finding[] {
  if (session === undefined) return [];
  const findings: Finding[] = [];
  for (const key of ['secret', 'secret_file'] as const) {
    session[key]?.forEach((secret, i) => {
      if (secret === undefined || Buffer.byteLength(secret.reveal()) >= LEAST_SECRET_BYTES) return;
      const message = `the session secret is shorter than ${LEAST_SECRET_BYTES} bytes`;
      findings.push({ path: `session.${key}[${i}]`, message, cure: 'make one: openssl rand -base64 32' });
    });
  }
  if (!isWritten('session.secret') && !isWritten('session.secret_file')) {
    const message = 'sessions need a secret';
    findings.push({
      path: 'session.secret',
      message,
      cure: 'add secret: ${SESSION_SECRET}, at least 32 random bytes (openssl rand -base64 32), or secret_file',
    });
  }
  if (session.store === 'redis' && session.memory?.file !== undefined) {
    const message =
      'the file is for sessions in memory, and session.store is redis, where they outlive a restart anyway';
    findings.push({ path: 'session.memory.file', message, cure: 'remove it, or write session.store: memory' });
  }
  const { idle_timeout, absolute_timeout } = session;
  if (idle_timeout !== undefined && absolute_timeout !== undefined && idle_timeout > absolute_timeout) {
    const path = isWritten('session.idle_timeout') ? 'session.idle_timeout' : 'session.absolute_timeout';
    const message = 'idle_timeout is longer than absolute_timeout, so it never comes true';
    findings.push({ path, message, cure: 'write an idle_timeout up to absolute_timeout (defaults: 30m and 10h)' });
  }
  findings.push(...checkRecheck(session));
  return findings;
}

/** Sooner, a provider that is slow for once would send a browser round and round. */
const LEAST_RECHECK_MS = 10_000;

function checkRecheck({ recheck, absolute_timeout }: NonNullable<ConfigDraft['session']>): Finding[] {
  const after = recheck?.after;
  if (after === undefined) return [];
  const path = 'session.recheck.after';
  if (after < LEAST_RECHECK_MS) {
    const message = 'the provider would be asked at nearly every page';
    return [{ path, message, cure: 'write at least 10s, such as 15m' }];
  }
  if (absolute_timeout === undefined || after < absolute_timeout) return [];
  const message = 'a session has ended by its absolute_timeout before it is rechecked';
  return [{ path, message, cure: 'write less than session.absolute_timeout (default 10h), such as 15m' }];
}
