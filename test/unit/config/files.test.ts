// Files that the configuration names.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { findConfigFile } from '../../../src/config/find-config-file.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { selfSignedCertificate } from '../../support/self-signed-certificate.ts';
import { BASE, configOf, loadText, ROUTES, refuses, SECRET } from './load-text.ts';

const { certPem, keyPem } = selfSignedCertificate();
const whole = (more: string) => `${BASE}${ROUTES}${more}`;

describe('files that the configuration names', () => {
  const tls = (cert: string, key: string) => whole(`server: { tls: { cert_file: ${cert}, key_file: ${key} } }\n`);

  it('are read, by their path from the configuration, and listed for those who watch', () => {
    const files = { 'tls/a.crt': certPem, 'tls/a.key': keyPem };
    const loaded = loadText(tls('tls/a.crt', 'tls/a.key'), { files });
    assert.ok('config' in loaded);
    assert.equal(loaded.config.server.tls?.certPem, certPem);
    assert.equal(loaded.config.server.tls?.keyPem.reveal(), keyPem);
    assert.deepEqual(
      loaded.files.map((file) =>
        file
          .split('/')
          .slice(-2)
          .join('/')
          .replace(/^portcullis-config-\w+\//, ''),
      ),
      ['portcullis.yaml', 'tls/a.crt', 'tls/a.key'],
    );
  });

  it('a secret is the content of its file without the newline at its end', () => {
    const text = `public_url: https://wiki.example.com
provider: { issuer: https://sso.example.com, client_id: x, client_secret_file: client }
session: { secret_file: [new, old] }
admin: { token_file: token }
${ROUTES}`;
    const files = { client: 's3cret\r\n', new: `${SECRET}\n`, old: ` ${SECRET} \n\n`, token: 'tok' };
    const { provider, session, admin } = configOf(text, { files });
    assert.ok('secret' in provider.clientAuth);
    assert.equal(provider.clientAuth.secret.reveal(), 's3cret');
    assert.deepEqual(
      session.secrets.map((secret) => secret.reveal()),
      [SECRET, ` ${SECRET} \n`],
    );
    assert.equal(admin.token?.reveal(), 'tok');
  });

  it('a private key for private_key_jwt is read', () => {
    const text = `public_url: https://wiki.example.com
provider: { issuer: https://sso.example.com, client_id: x, client_auth: private_key_jwt, private_key_file: a.key }
session: { secret: ${SECRET} }
${ROUTES}`;
    const { clientAuth } = configOf(text, { files: { 'a.key': keyPem } }).provider;
    assert.ok(clientAuth.method === 'private_key_jwt');
    assert.equal(clientAuth.privateKeyPem.reveal(), keyPem);
  });

  it('a bundle of several certificates is read whole', () => {
    const bundle = `# ours\n${certPem}\n${selfSignedCertificate().certPem}`;
    const text = whole('').replace('client_secret: s3cret', 'client_secret: s3cret, ca_file: ca.crt');
    assert.equal(configOf(text, { files: { 'ca.crt': bundle } }).provider.caPem, bundle);
  });

  const wrong: readonly {
    title: string;
    cert?: string;
    key?: string;
    at: 'cert' | 'key';
    message: RegExp;
    cure: RegExp;
  }[] = [
    {
      title: 'a file that does not exist',
      at: 'cert',
      message: /"a\.crt" cannot be read: there is no such file/,
      cure: /whole path/,
    },
    {
      title: 'a file without a certificate',
      cert: 'hello',
      at: 'cert',
      message: /no PEM certificate/,
      cure: /BEGIN CERTIFICATE/,
    },
    {
      title: 'a key in the place of a certificate',
      cert: keyPem,
      at: 'cert',
      message: /private key, not a certificate/,
      cure: /BEGIN CERTIFICATE/,
    },
    {
      title: 'a certificate that is broken',
      cert: `${certPem}${certPem.replace(/\n[^-]{10}/, '\nAAAAAAAAAA')}`,
      at: 'cert',
      message: /cannot be read, number 2/,
      cure: /copy it again/,
    },
    {
      title: 'a file without a key',
      key: certPem,
      at: 'key',
      message: /no private key that can be read/,
      cure: /BEGIN PRIVATE KEY/,
    },
    {
      title: 'a key with a passphrase',
      key: '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIBvTBXBgkq\n-----END ENCRYPTED PRIVATE KEY-----\n',
      at: 'key',
      message: /passphrase/,
      cure: /openssl pkey/,
    },
  ];
  for (const { title, cert, key, at, message, cure } of wrong) {
    it(`${title} is refused where it is named`, () => {
      const text = at === 'cert' ? tls('▸a.crt', 'a.key') : tls('a.crt', '▸a.key');
      const files: Record<string, string> = { 'a.key': key ?? keyPem };
      if (at === 'key' || cert !== undefined) files['a.crt'] = cert ?? certPem;
      refuses(text, { path: `server.tls.${at}_file`, message, cure }, { files });
    });
  }

  it('a folder in the place of a file is refused', () => {
    refuses(whole('admin: { token_file: ▸. }\n'), {
      path: 'admin.token_file',
      message: /it is a folder/,
      cure: /whole path/,
    });
  });

  it('an empty secret file is refused', () => {
    const expected = { path: 'admin.token_file', message: /empty/, cure: /write the secret/ };
    refuses(whole('admin: { token_file: ▸token }\n'), expected, { files: { token: '\n' } });
  });

  it('a file that cannot be read is listed for those who watch all the same', () => {
    const loaded = loadText(whole('admin: { token_file: /nowhere/token }\n'));
    assert.ok(loaded.files.includes('/nowhere/token'));
  });
});

describe('which file is the configuration', () => {
  const nothing = () => false;
  const everything = () => true;

  it('the argument, seen or not', () => {
    const env = { PORTCULLIS_CONFIG: '/env.yaml' };
    assert.equal(findConfigFile({ argument: 'arg.yaml', env, exists: nothing }), 'arg.yaml');
  });

  it('else PORTCULLIS_CONFIG, seen or not', () => {
    assert.equal(findConfigFile({ env: { PORTCULLIS_CONFIG: '/env.yaml' }, exists: nothing }), '/env.yaml');
  });

  it('else ./portcullis.yaml, else /etc/portcullis/portcullis.yaml, where they exist', () => {
    assert.equal(findConfigFile({ env: { PORTCULLIS_CONFIG: '' }, exists: everything }), './portcullis.yaml');
    const onlyEtc = (file: string) => file.startsWith('/etc');
    assert.equal(findConfigFile({ env: {}, exists: onlyEtc }), '/etc/portcullis/portcullis.yaml');
    assert.equal(findConfigFile({ env: {}, exists: nothing }), undefined);
  });

  it('a file that is not there is one problem, which says how to name another', () => {
    const folder = mkdtempSync(join(tmpdir(), 'portcullis-config-'));
    const file = join(folder, 'missing.yaml');
    const loaded = loadConfig({ file, env: {} });
    rmSync(folder, { recursive: true });
    assert.ok('problems' in loaded);
    assert.deepEqual(
      loaded.problems.map(({ file, line, column, path }) => ({ file, line, column, path })),
      [{ file, line: 1, column: 1, path: '' }],
    );
    assert.match(loaded.problems[0]!.message, /cannot be read: there is no such file/);
    assert.match(loaded.problems[0]!.cure, /-c FILE or PORTCULLIS_CONFIG/);
  });

  it('a file of this folder is named as it was given', () => {
    const folder = mkdtempSync(join(tmpdir(), 'portcullis-config-'));
    const file = join(folder, 'wrong.yaml');
    writeFileSync(file, 'a: 1\n');
    const loaded = loadConfig({ file, env: {} });
    rmSync(folder, { recursive: true });
    assert.ok('problems' in loaded && loaded.problems.every((problem) => problem.file === file));
  });
});
