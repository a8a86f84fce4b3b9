// Values that name a file, which is read at once: certificates, keys and secrets.

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is the syntax of the configuration file.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { Secret } from '../../base/secret.ts';
import { cite } from '../citation.ts';
import type { Kind } from '../kind.ts';
import { readText } from './scalars.ts';

/** A file's content as `parse` understands it; `wrong` is about the file. */
function fileOf<T>(
  expected: string,
  parse: (content: string) => { value: T } | { wrong: string; cure: string },
): Kind<T> {
  return {
    schema: { type: 'string', minLength: 1 },
    read(value, reading) {
      if (readText(value, expected, reading) === undefined || value.kind !== 'text') return undefined;
      const content = reading.readFile(value);
      if (content === undefined) return undefined;
      const parsed = parse(content);
      if ('value' in parsed) return parsed.value;
      reading.report(value, `the file ${cite(value)} ${parsed.wrong}`, parsed.cure);
      return undefined;
    },
  };
}

/** A secret written into the file, as a rule by a variable. */
export const secret: Kind<Secret> = {
  schema: { type: 'string', minLength: 1 },
  read(value, reading) {
    if (value.kind === 'number' || value.kind === 'boolean') {
      // Not cited: it is the secret.
      reading.report(value, `this is a ${value.kind}, not text`, 'put the secret in quotes');
      return undefined;
    }
    const text = readText(value, 'the secret, or ${NAME} for an environment variable', reading);
    return text === undefined ? undefined : new Secret(text);
  },
};

/** A secret in a file of its own; the newline at its end is not part of it. */
export const secretFile: Kind<Secret> = fileOf('the name of a file that holds the secret', (content) => {
  const text = content.replace(/\r?\n$/, '');
  return text === '' ? { wrong: 'is empty', cure: 'write the secret into it' } : { value: new Secret(text) };
});

/** One or more certificates, PEM. */
export const certificateFile: Kind<string> = fileOf('the name of a PEM file with certificates', (content) => {
  const blocks = content.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) {
    const key = /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(content);
    return {
      wrong: key ? 'holds a private key, not a certificate' : 'holds no PEM certificate',
      cure: 'name a file with -----BEGIN CERTIFICATE----- in it',
    };
  }
  const broken = blocks.findIndex((block) => !succeeds(() => new X509Certificate(block)));
  if (broken === -1) return { value: content };
  return { wrong: `has a certificate that cannot be read, number ${broken + 1}`, cure: 'copy it again, whole' };
});

/** A private key, PEM, without a passphrase. */
export const privateKeyFile: Kind<Secret> = fileOf('the name of a PEM file with the private key', (content) => {
  if (succeeds(() => createPrivateKey(content))) return { value: new Secret(content) };
  if (/ENCRYPTED/.test(content)) {
    return {
      wrong: 'holds a key with a passphrase',
      cure: 'store it without one: openssl pkey -in key.pem -out plain.pem',
    };
  }
  return {
    wrong: 'holds no private key that can be read',
    cure: 'name a PEM file with -----BEGIN PRIVATE KEY----- in it',
  };
});

/** A file that the gate writes itself, as its whole path. */
export const ownFile: Kind<string> = {
  schema: { type: 'string', minLength: 1 },
  read(value, reading) {
    const name = readText(value, 'the name of a file', reading);
    return name === undefined ? undefined : reading.pathOf(name);
  },
};

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
