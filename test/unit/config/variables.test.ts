// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is the syntax of the configuration file.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { expandVariables } from '../../../src/config/expand-variables.ts';
import { formatProblem } from '../../../src/config/load-config.ts';
import { BASE, configOf, problemsOf, ROUTES, refuses, SECRET } from './load-text.ts';

/** A whole file; `clientId`, `secret` and `param` are written as they are, marks included. */
function fileWith({
  clientId = 'x',
  secret = 'x',
  param = 'x',
}: {
  clientId?: string;
  secret?: string;
  param?: string;
}) {
  return `public_url: https://wiki.example.com
provider:
  issuer: https://sso.example.com/realms/acme
  client_id: ${clientId}
  client_secret: ${secret}
  authorization_params:
    x: ${param}
session: { secret: ${SECRET} }
${ROUTES}`;
}

const expanded = (param: string, env = {}) => configOf(fileWith({ param }), { env }).provider.authorizationParams['x'];

describe('variables are replaced in texts, after the file is parsed', () => {
  it('${NAME} is the variable, wherever it stands in a text', () => {
    assert.equal(expanded('"a-${ONE}-${TWO}"', { ONE: '1', TWO: '2' }), 'a-1-2');
  });

  it('${NAME:-default} is the default where the variable is unset or empty', () => {
    assert.equal(expanded('"${ONE:-fallback}"'), 'fallback');
    assert.equal(expanded('"${ONE:-fallback}"', { ONE: '' }), 'fallback');
    assert.equal(expanded('"${ONE:-fallback}"', { ONE: 'set' }), 'set');
    assert.equal(expanded('"a${ONE:-}b"'), 'ab');
  });

  it('$${ is a literal ${', () => {
    assert.equal(expanded("'$${ONE} $${'"), '${ONE} ${');
  });

  it('a dollar sign without a brace stays', () => {
    assert.equal(expanded("'5$ $ONE $$'"), '5$ $ONE $$');
  });

  it('a value never changes the structure of the file', () => {
    assert.equal(expanded('${ONE}', { ONE: 'x }, y: { z: 1' }), 'x }, y: { z: 1');
    assert.equal(expanded('"${ONE}"', { ONE: '"\n- a: &b *c # d' }), '"\n- a: &b *c # d');
  });

  it('a value is not looked at for variables again', () => {
    assert.equal(expanded('${ONE}', { ONE: '${TWO}', TWO: 'x' }), '${TWO}');
  });

  it('works in block texts too', () => {
    assert.equal(expanded('>-\n      a\n      ${ONE}', { ONE: 'b' }), 'a b');
  });

  it('a number and a switch may come from a variable', () => {
    const text = `${BASE}${ROUTES}server: { allow_http: "\${HTTP}", limits: { headers: "\${HEADERS:-50}" } }\n`;
    const { server } = configOf(text, { env: { HTTP: 'true' } });
    assert.deepEqual([server.allowHttp, server.limits.headers], [true, 50]);
  });

  it('a secret of digits stays a text', () => {
    const { clientAuth } = configOf(fileWith({ secret: '${ONE}' }), { env: { ONE: '0123' } }).provider;
    assert.equal('secret' in clientAuth && clientAuth.secret.reveal(), '0123');
  });

  it('a variable that is not set is refused where it stands', () => {
    const expected = { path: 'provider.client_secret', message: /variable ONE is not set/, cure: /\$\{ONE:-value\}/ };
    refuses(fileWith({ secret: '▸${ONE}' }), expected);
  });

  it('what every object inherits is no variable', () => {
    const expected = { path: 'provider.client_secret', message: /variable constructor is not set/, cure: /set it/ };
    refuses(fileWith({ secret: '▸${constructor}' }), expected);
  });

  it('a ${ that begins no variable is refused', () => {
    for (const wrong of ['${', '${}', '${bad-name}', '${A', '${A:default}']) {
      const expected = { path: 'provider.client_secret', message: /this is none/, cure: /\$\$\{ for a literal/ };
      refuses(fileWith({ secret: `▸"${wrong}"` }), expected, { env: { A: 'x' } });
    }
  });

  it('a variable that holds nothing is told apart from a text that does', () => {
    const expected = { path: 'provider.client_id', message: /empty \(\$\{ONE\} holds nothing\)/, cure: /client ID/ };
    refuses(fileWith({ clientId: '▸${ONE}' }), expected, { env: { ONE: '' } });
  });

  it('names the text as it was written, however many variables it has', () => {
    assert.deepEqual(expandVariables('${A}${B}', {}).unset, [{ name: 'A' }, { name: 'B' }]);
  });
});

describe('no message holds a secret', () => {
  const SENSITIVE = 'correct-horse-battery-staple';

  it('what a variable holds is never cited, whatever key it was put into by mistake', () => {
    const values = [
      SENSITIVE,
      `https://${SENSITIVE}.example/x?y`,
      `{${SENSITIVE} x}`,
      `/${SENSITIVE}/*`,
      `${SENSITIVE}:1:2`,
    ];
    for (const value of values) {
      const text = `public_url: "\${X}"
proxy_prefix: "\${X}"
server:
  listen: "\${X}"
  workers: "\${X}"
  allow_http: "\${X}"
  trusted_proxies: ["\${X}"]
  limits: { headers: "\${X}", header_bytes: "\${X}" }
  tls: { cert_file: "\${X}", key_file: "\${X}" }
provider: { issuer: "\${X}", client_id: 1, client_secret: 12345678, client_auth: "\${X}", endpoints: { jwks_uri: "\${X}" } }
session: { secret: ["\${X}"], revalidate: "\${X}", cookie: { name: "\${X}", domain: "\${X}", same_site: "\${X}" } }
routes:
  - upstream: "\${X}"
    name: "\${X} \${X}"
    host: "\${X}"
    path: "\${X}"
    access: [{ path: "\${X}", methods: ["\${X}"] }]
    headers: { preset: "\${X}", set: { X-A: "\${X}{" } }
    logout: { response_header: "\${X}" }
    websocket: { origins: ["\${X}"], idle: "\${X}" }
`;
      const lines = problemsOf(text, { env: { X: value } }).map(formatProblem);
      assert.ok(lines.length > 15, `${lines.length} problems`);
      assert.deepEqual(
        lines.filter((line) => line.includes(SENSITIVE) || line.includes('12345678')),
        [],
      );
    }
  });

  it('secrets in the file are never cited', () => {
    const text = `public_url: https://user:${SENSITIVE}@wiki.example.com
provider: { issuer: "https://${SENSITIVE}@sso.example.com", client_id: x, client_secret: [${SENSITIVE}], clientsecret: ${SENSITIVE} }
session: { secret: ${SENSITIVE}, redis: { url: { x: ${SENSITIVE} } } }
admin: { token: { x: ${SENSITIVE} }, listen: "user:${SENSITIVE}@host" }
routes: [{ upstream: "http://u:${SENSITIVE}@wiki" }]
`;
    const lines = problemsOf(text).map(formatProblem);
    assert.ok(lines.length >= 8, `${lines.length} problems`);
    assert.deepEqual(
      lines.filter((line) => line.includes(SENSITIVE)),
      [],
    );
  });

  it('nor does a syntax error cite the line it is in', () => {
    for (const text of [
      `a: "${SENSITIVE}\n`,
      `a: @${SENSITIVE}`,
      `a: !${SENSITIVE} x`,
      `a: *${SENSITIVE}`,
      `a: b: ${SENSITIVE}`,
      `${SENSITIVE}`,
      `%${SENSITIVE}\n---\na`,
      `"\\q${SENSITIVE}"`,
    ]) {
      const lines = problemsOf(text).map(formatProblem);
      assert.ok(lines.length > 0, text);
      assert.deepEqual(
        lines.filter((line) => line.includes(SENSITIVE)),
        [],
        text,
      );
    }
  });

  it('the loaded configuration shows none either', () => {
    const config = configOf(`${BASE}${ROUTES}admin: { token: ${SENSITIVE} }\n`);
    assert.ok(!JSON.stringify(config).includes(SENSITIVE));
    assert.ok(!JSON.stringify(config).includes(SECRET));
  });
});
