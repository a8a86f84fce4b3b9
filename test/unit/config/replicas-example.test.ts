// The compose file with two gates: what it names is there, and its parts fit each other. No container engine is needed.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { jsonSchema } from '../../../src/config/json-schema.ts';
import { formatProblem, loadConfig } from '../../../src/config/load-config.ts';
import { runCommand } from '../../support/run-command.ts';
import { violations } from './schema-violations.ts';

const FOLDER = new URL('../../../config/examples/replicas/', import.meta.url);
const placed = (name: string) => fileURLToPath(new URL(name, FOLDER));
const read = (name: string) => readFileSync(placed(name), 'utf8');

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: readonly string[];
  readonly networks?: { readonly default: { readonly aliases: readonly string[] } };
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: {
    readonly default: { readonly ipam: { readonly config: readonly { readonly subnet: string }[] } };
  };
  readonly volumes: Readonly<Record<string, unknown>>;
}

const compose = parse(read('compose.yaml')) as Compose;
const { services } = compose;
const gates = Object.entries(services).filter(([name]) => name.startsWith('gate-'));
const nginx = read('nginx.conf');

/** The environment of a service where nobody has set anything. */
function environmentOf({ environment = {} }: Service): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, value.replace(/^\$\{\w+:-([^}]*)\}$/, '$1')]),
  );
}

function gateConfig() {
  const [, gate] = gates[0]!;
  const loaded = loadConfig({ file: placed('portcullis/portcullis.yaml'), env: environmentOf(gate) });
  assert.ok('config' in loaded, 'problems' in loaded ? loaded.problems.map(formatProblem).join('\n') : '');
  assert.deepEqual(loaded.warnings.map(formatProblem), []);
  return loaded.config;
}

interface Realm {
  readonly realm: string;
  readonly users: readonly { readonly username: string; readonly realmRoles: readonly string[] }[];
  readonly clients: readonly {
    readonly clientId: string;
    readonly enabled: boolean;
    readonly publicClient: boolean;
    readonly secret: string;
    readonly standardFlowEnabled: boolean;
    readonly frontchannelLogout: boolean;
    readonly adminUrl: string;
    readonly redirectUris: readonly string[];
    readonly attributes: Readonly<Record<string, string>>;
  }[];
}

const realm = JSON.parse(read('realm.json')) as Realm;

/** The `server` blocks of nginx.conf that listen on a port. */
function serversOn(port: string): string[] {
  return nginx
    .split(/^ {2}server \{$/m)
    .slice(1)
    .filter((server) => server.includes(`listen ${port};`));
}

describe('the compose file', () => {
  it('names files, services, volumes and images that are there', () => {
    for (const [name, { build, volumes = [], depends_on = [], image }] of Object.entries(services)) {
      if (build !== undefined) assert.ok(existsSync(placed(`${build}/Dockerfile`)), `${name}: ${build}`);
      // A tag, so that it is the same tomorrow.
      else assert.match(image, /^[\w./-]+:[\w.-]+$/, name);
      for (const volume of volumes) {
        const [source = ''] = volume.split(':');
        assert.ok(
          source.startsWith('./') ? existsSync(placed(source)) : source in compose.volumes,
          `${name}: ${volume}`,
        );
      }
      for (const other of depends_on) assert.ok(other in services, `${name}: ${other}`);
    }
  });

  it('opens one port, and to this machine only', () => {
    assert.deepEqual(
      Object.values(services).flatMap(({ ports = [] }) => ports),
      ['127.0.0.1:8080:8080'],
    );
  });

  it('has two gates that differ in nothing', () => {
    assert.equal(gates.length, 2);
    assert.deepEqual(gates[0]![1], gates[1]![1]);
  });
});

describe('its gate configuration', () => {
  it('passes `portcullis check`, and fits the JSON Schema', async () => {
    const { code, stderr } = await runCommand(['check', '-c', placed('portcullis/portcullis.yaml')], {
      env: environmentOf(gates[0]![1]),
    });
    assert.deepEqual([code, stderr], [0, '']);
    const text = read('portcullis/portcullis.yaml');
    assert.deepEqual(violations(parse(text), jsonSchema()), []);
    assert.ok(existsSync(placed(`portcullis/${/\$schema=(\S+)/.exec(text)![1]}`)));
  });

  it('asks for what the balancer has names for, inside as outside', () => {
    const { publicUrls, provider, server } = gateConfig();
    const [port] = services['balancer']!.ports![0]!.split(':').slice(1);
    for (const url of [publicUrls[0].origin, provider.issuer].map((text) => new URL(text))) {
      assert.equal(url.port, port);
      assert.ok(services['balancer']!.networks!.default.aliases.includes(url.hostname), url.hostname);
      assert.equal(serversOn(port!).filter((text) => text.includes(`server_name ${url.hostname};`)).length, 1);
    }
    assert.deepEqual(server.trustedProxies, [compose.networks.default.ipam.config[0]!.subnet]);
    assert.equal(services['keycloak']!.environment!['KC_HOSTNAME'], new URL(provider.issuer).origin);
  });

  it('keeps sessions, and finds the application, at services that are there', () => {
    const { session, routes } = gateConfig();
    const { servers } = session.redis!;
    assert.ok('address' in servers && 'host' in servers.address && servers.address.host in services);
    for (const upstream of routes.flatMap(({ upstreams }) => upstreams)) {
      assert.ok(new URL(upstream).hostname in services, upstream);
    }
  });
});

describe('its balancer', () => {
  it('names services that are there, every gate for requests and for notices', () => {
    const named = [...nginx.matchAll(/^\s*server ([\w-]+):(\d+);$/gm)].map(([, host, port]) => [host, port]);
    assert.deepEqual(
      named,
      ['8080', '9090'].flatMap((port) => gates.map(([name]) => [name, port])),
    );
    for (const [, host] of nginx.matchAll(/proxy_pass http:\/\/([\w-]+)/g)) {
      assert.ok(host! in services || nginx.includes(`upstream ${host} {`), host);
    }
  });

  it('sets its headers in one place: a location with one of its own would lose all the others', () => {
    const indents = [...nginx.matchAll(/^( *)proxy_set_header /gm)].map(([, indent]) => indent!.length);
    assert.deepEqual([...new Set(indents)], [2]);
  });

  it('shows nothing of the admin listeners but notices', () => {
    const [notices, ...others] = serversOn('9090');
    assert.deepEqual(others, []);
    const locations = [...notices!.matchAll(/location (.*) \{/g)].map(([, location]) => location);
    assert.deepEqual(locations, ['= /backchannel-logout', '/k_']);
  });
});

describe('its realm', () => {
  it('is the one of the issuer, and its client is the gate, with the same secret', () => {
    const { provider } = gateConfig();
    assert.equal(provider.issuer.split('/').at(-1), realm.realm);
    const [client, ...others] = realm.clients;
    assert.deepEqual(others, []);
    assert.deepEqual(
      [client!.clientId, client!.enabled, client!.publicClient, client!.standardFlowEnabled],
      [provider.clientId, true, false, true],
    );
    assert.ok('secret' in provider.clientAuth && provider.clientAuth.secret.reveal() === client!.secret);
  });

  it('lets the gate have its users back, and tells it of every end, by the name of the session', () => {
    const { publicUrls, proxyPrefix } = gateConfig();
    const own = `${publicUrls[0].origin}${proxyPrefix}`;
    const { redirectUris, attributes, frontchannelLogout, adminUrl } = realm.clients[0]!;
    assert.deepEqual(redirectUris, [`${own}/callback`]);
    assert.equal(attributes['post.logout.redirect.uris'], `${own}/logged-out`);
    assert.equal(attributes['backchannel.logout.session.required'], 'true');
    // "On" would turn back-channel logout off.
    assert.equal(frontchannelLogout, false);
    const notices = new URL(attributes['backchannel.logout.url']!);
    assert.ok(notices.hostname in services, notices.hostname);
    assert.ok(serversOn(notices.port)[0]!.includes(`location = ${notices.pathname} {`));
    assert.equal(new URL(adminUrl).origin, notices.origin);
  });

  it('has the users that the compose file speaks of, with the roles that every user has', () => {
    const names = realm.users.map(({ username }) => username);
    assert.deepEqual(names, ['alice', 'bob']);
    for (const name of names) assert.match(read('compose.yaml').split('name:')[0]!, new RegExp(name));
    for (const { realmRoles } of realm.users) assert.ok(realmRoles.includes(`default-roles-${realm.realm}`));
  });
});
