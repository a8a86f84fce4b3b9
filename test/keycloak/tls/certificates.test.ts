// A Keycloak behind TLS with a private authority, which knows the gate by a certificate in place of a secret (`provider.ca_file`,
// `provider.tls`, `client_auth: tls_client_auth`; in Keycloak: "X509 certificate").

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { BrowserClient } from '../../support/browser-client.ts';
import { freePort } from '../../support/free-port.ts';
import { GateProcess, reserveAddresses } from '../../support/gate-process.ts';
import { LegacyApp } from '../../support/legacy-app.ts';
import { selfSignedCertificate } from '../../support/self-signed-certificate.ts';
import { acmeRealm, PASSWORD } from '../keycloak-realm.ts';
import { KeycloakServer } from '../keycloak-server.ts';

/** With the start of a Keycloak, which takes minutes where others are at work. */
const TIMEOUT = { timeout: 480_000 };

test(
  'a Keycloak behind TLS knows the gate by its certificate: sign-in, the refresh and the end of a session',
  TIMEOUT,
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'portcullis-certificates-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const [server, client] = [selfSignedCertificate(['localhost']), selfSignedCertificate(['wiki-gate'])];
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const [ca, serverKey] = [file('server.pem', server.certPem), file('server.key', server.keyPem)];
    const [clientCert, clientKey] = [file('client.pem', client.certPem), file('client.key', client.keyPem)];
    const port = await freePort();
    const hostname = `https://localhost:${port}`;
    const keycloak = await KeycloakServer.start({
      hostname,
      options: [
        ...[`--https-port=${port}`, `--https-certificate-file=${ca}`, `--https-certificate-key-file=${serverKey}`],
        ...['--https-client-auth=request', `--truststore-paths=${clientCert}`],
      ],
    });
    t.after(() => keycloak.stop());
    const addresses = await reserveAddresses();
    await keycloak.admin.createRealm(
      acmeRealm({
        name: 'acme',
        gateUrl: addresses.publicUrl,
        noticeUrl: `${addresses.adminUrl}/backchannel-logout`,
        accessTokenSeconds: 3,
        client: {
          clientAuthenticatorType: 'client-x509',
          attributes: {
            'x509.subjectdn': 'CN=wiki-gate',
            'x509.casubjectdn': 'CN=wiki-gate',
            'x509.allow.regex.pattern.comparison': 'false',
          },
        },
      }),
    );
    const app = await new LegacyApp().listen();
    t.after(() => app.close());
    const gate = await GateProcess.start({
      public_url: addresses.publicUrl,
      server: { listen: addresses.listen },
      admin: { listen: addresses.adminListen },
      provider: {
        issuer: `${hostname}/realms/acme`,
        client_id: 'gate',
        client_auth: 'tls_client_auth',
        tls: { cert_file: clientCert, key_file: clientKey },
        ca_file: ca,
      },
      session: { secret: randomBytes(32).toString('hex') },
      routes: [{ upstream: app.origin }],
    });
    t.after(() => gate.stop());
    await gate.event('provider.ready');
    const browser = new BrowserClient({ ca: server.certPem });
    t.after(() => browser.close());
    const form = await browser.navigate(`${addresses.publicUrl}/echo`);
    assert.ok(form.url.startsWith(hostname), form.url);
    const page = await browser.submit(form, { username: 'alice', password: PASSWORD }, 'login-actions');
    assert.deepEqual([page.status, page.url], [200, `${addresses.publicUrl}/echo`]);
    while (!gate.log.some(({ event }) => event === 'session.refreshed')) {
      assert.equal((await browser.request(`${addresses.publicUrl}/echo`)).status, 200);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await keycloak.admin.logoutUser('acme', 'alice');
    await gate.event('notice.accepted');
    assert.equal((await browser.request(`${addresses.publicUrl}/echo`)).status, 401);
  },
);
