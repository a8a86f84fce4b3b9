// A provider behind TLS: believed by a private authority, shown a client certificate, and known to by it (RFC 8705 section 2).

import assert from 'node:assert/strict';
import type { ServerOptions } from 'node:https';
import { describe, type TestContext, test } from 'node:test';
import { providerOptions } from '../../../src/app/build-provider.ts';
import type { ProviderOptions } from '../../../src/oidc/provider.ts';
import { FakeProvider } from '../../support/fake-provider.ts';
import { freePort } from '../../support/free-port.ts';
import { selfSignedCertificate } from '../../support/self-signed-certificate.ts';
import { outcome, testProvider } from '../../support/test-provider.ts';
import { configOf } from '../../unit/config/load-text.ts';

const server = selfSignedCertificate(['localhost']);
const gate = selfSignedCertificate(['gate']);
const stranger = selfSignedCertificate(['stranger']);
const files = {
  'ca.pem': server.certPem,
  'gate.pem': gate.certPem,
  'gate.key': gate.keyPem,
  'stranger.pem': stranger.certPem,
  'stranger.key': stranger.keyPem,
};
const SHOWN = 'tls: { cert_file: gate.pem, key_file: gate.key }';

async function start(t: TestContext, tls: Partial<ServerOptions> = {}): Promise<FakeProvider> {
  const fake = await FakeProvider.start('RS256', { cert: server.certPem, key: server.keyPem, ...tls });
  t.after(() => fake.server.stop());
  return fake;
}

/** Whoever connects must show the gate's certificate. */
const asking = { requestCert: true, rejectUnauthorized: true, ca: gate.certPem };

/** The provider as these keys of the section describe it. */
function configured(t: TestContext, fake: FakeProvider, keys: string, more: Partial<ProviderOptions> = {}) {
  const config = configOf(
    `public_url: http://127.0.0.1:9
provider: { issuer: "${fake.issuer}", client_id: gate, ${keys} }
session: { secret: a-session-secret-of-32-bytes-or-more }
routes: [{ upstream: http://wiki:3000 }]
`,
    { files },
  );
  const { provider } = testProvider({ ...providerOptions(config), ...more });
  t.after(() => provider.stop());
  return provider;
}

describe('a provider behind TLS', () => {
  test('with a private authority is believed by provider.ca_file, and otherwise not, which says the cure', async (t) => {
    const fake = await start(t);
    assert.equal((await fake.login(configured(t, fake, 'client_secret: x, ca_file: ca.pem'))).sub, 'alice');
    const { code, message } = await outcome(fake.login(configured(t, fake, 'client_secret: x')));
    assert.equal(code, 'provider_unavailable');
    assert.match(message, /certificate is not trusted.*provider\.ca_file/);
  });

  test('is shown the certificate of provider.tls, which alone proves the client with tls_client_auth', async (t) => {
    const fake = await start(t, asking);
    const provider = configured(t, fake, `client_auth: tls_client_auth, ca_file: ca.pem, ${SHOWN}`);
    assert.equal((await fake.login(provider)).sub, 'alice');
    const { headers, body } = fake.server.received('/token')[0]!;
    assert.equal(headers['authorization'], undefined);
    const sent = new URLSearchParams(body);
    assert.deepEqual(
      [sent.get('client_id'), sent.get('client_secret'), sent.get('client_assertion')],
      ['gate', null, null],
    );
  });

  test('may ask for a certificate besides the secret', async (t) => {
    const fake = await start(t, asking);
    const provider = configured(t, fake, `client_secret: x, ca_file: ca.pem, ${SHOWN}`);
    assert.equal((await fake.login(provider)).sub, 'alice');
    assert.match(String(fake.server.received('/token')[0]!.headers['authorization']), /^Basic /);
  });

  test('that asks for a certificate and gets none, or a stranger’s, is unavailable; where it says why, the cure is named', async (t) => {
    // After the handshake of TLS 1.3 Node.js closes without a word.
    const fake = await start(t, { ...asking, maxVersion: 'TLSv1.2' });
    const none = await outcome(fake.login(configured(t, fake, 'client_secret: x, ca_file: ca.pem')));
    assert.equal(none.code, 'provider_unavailable');
    assert.match(none.message, /ALERT_HANDSHAKE_FAILURE: .*provider\.tls/);
    const foreign = 'client_secret: x, ca_file: ca.pem, tls: { cert_file: stranger.pem, key_file: stranger.key }';
    assert.equal((await outcome(fake.login(configured(t, fake, foreign)))).code, 'provider_unavailable');
    assert.equal(fake.server.count('/token'), 0);
  });

  test('is called at its addresses for certificates where one proves the client, unless others are configured', async (t) => {
    const fake = await start(t, asking);
    const port = await freePort();
    const elsewhere = `https://localhost:${port}/token`;
    fake.metadata = { token_endpoint: elsewhere, mtls_endpoint_aliases: { token_endpoint: `${fake.issuer}/token` } };
    const byCertificate = `client_auth: tls_client_auth, ca_file: ca.pem, ${SHOWN}`;
    assert.equal((await fake.login(configured(t, fake, byCertificate))).sub, 'alice');
    for (const keys of [
      `client_secret: x, ca_file: ca.pem, ${SHOWN}`,
      `${byCertificate}, endpoints: { token_endpoint: "${elsewhere}" }`,
    ]) {
      const { message } = await outcome(fake.login(configured(t, fake, keys)));
      assert.match(message, new RegExp(`localhost:${port}.*ECONNREFUSED`));
    }
    assert.equal(fake.server.count('/token'), 1);
  });
});
