// What the drill is told: the command line, the environment for what is secret, and the gate's own configuration.

import { readFileSync } from 'node:fs';
import { getCACertificates } from 'node:tls';
import { parseArgs } from 'node:util';
import { providerFetch } from '../../app/provider-fetch.ts';
import { parseDuration } from '../../base/durations.ts';
import { environment } from '../../config/environment.ts';
import type { Config, Listen } from '../../config/model.ts';
import type { KeycloakAdmin } from '../../keycloak/keycloak-admin.ts';
import { clientAuthentication, usesMutualTls } from '../../oidc/client-authentication.ts';
import { discover } from '../../oidc/discover.ts';
import { environmentAdmin } from '../environment-admin.ts';
import { UsageError } from '../usage-error.ts';
import { type ChosenTriggers, chooseTriggers } from './choose-triggers.ts';

/** A drill as it is to be run. */
export interface Drill extends ChosenTriggers {
  readonly username: string;
  readonly password: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly origin: string;
  readonly gateUrl: string;
  /** Asks the provider for its `end_session_endpoint`. */
  readonly findEndSessionUrl: () => Promise<string | undefined>;
  readonly pageUrl: string;
  readonly webSockets: readonly string[];
  readonly streams: readonly string[];
  readonly downloads: readonly string[];
  readonly admin: KeycloakAdmin | undefined;
  /** What the client's Admin URL in Keycloak has to be; undefined where the gate does not serve it. */
  readonly clientAdminUrl: string | undefined;
  /** The gate's admin listener; undefined where the configuration does not say where it is. */
  readonly adminUrl: string | undefined;
  readonly withinMs: number;
  readonly againAfterMs: number;
  readonly authorities: readonly string[];
}

const TEXT = { type: 'string' } as const;
const TEXTS = { type: 'string', multiple: true } as const;
const FLAG = { type: 'boolean' } as const;
const OPTIONS = {
  config: { type: 'string', short: 'c' },
  user: TEXT,
  'password-file': TEXT,
  url: TEXT,
  path: TEXT,
  websocket: TEXTS,
  stream: TEXTS,
  download: TEXTS,
  trigger: TEXTS,
  everybody: FLAG,
  within: TEXT,
  'again-after': TEXT,
  'admin-url': TEXT,
  'ca-file': TEXT,
  json: FLAG,
} as const;

export type DrillArguments = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

/** @throws UsageError */
export function readArguments(args: readonly string[]): DrillArguments {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** @throws UsageError */
export function drillOf(given: DrillArguments, { config, password }: { config: Config; password: string }): Drill {
  const { issuer, clientId } = config.provider;
  const { keycloakAdminUrl } = config.logout;
  const origin = given.url === undefined ? config.publicUrls[0].origin : originOf(given.url, config);
  const at = (paths: readonly string[] = []) => paths.map((path) => addressOf(origin, path));
  const admin = environmentAdmin(config);
  const gateUrl = origin + config.proxyPrefix;
  const can = { administer: admin !== undefined, hitEverybody: given.everybody === true };
  return {
    ...chooseTriggers(given.trigger ?? [], can),
    username: given.user!,
    password,
    issuer,
    clientId,
    origin,
    gateUrl,
    clientAdminUrl: { prefix: gateUrl, root: origin, off: undefined }[keycloakAdminUrl],
    findEndSessionUrl: () => findEndSessionUrl(config),
    pageUrl: addressOf(origin, given.path ?? '/'),
    webSockets: at(given.websocket),
    streams: at(given.stream),
    downloads: at(given.download),
    admin,
    adminUrl: given['admin-url']?.replace(/\/$/, '') ?? adminUrlOf(config.admin),
    withinMs: duration('--within', given.within ?? '5s'),
    againAfterMs: duration('--again-after', given['again-after'] ?? '5s'),
    authorities: authoritiesOf(config, given['ca-file']),
  };
}

/** From the file, or from DRILL_PASSWORD; never an argument, which every user of the machine can read. */
export function givenPassword({ 'password-file': file }: DrillArguments): string | undefined {
  return file === undefined
    ? environment()['DRILL_PASSWORD']
    : readGiven('--password-file', file).replace(/\r?\n$/, '');
}

async function findEndSessionUrl(config: Config): Promise<string | undefined> {
  const { provider } = config;
  const configuration = await discover({
    ...provider,
    clientAuth: clientAuthentication(provider.clientAuth),
    mutualTls: usesMutualTls(provider.clientAuth),
    fetch: providerFetch(config),
  });
  return configuration.serverMetadata().end_session_endpoint;
}

function originOf(url: string, { publicUrls }: Config): string {
  const origin = URL.parse(url)?.origin;
  const known = publicUrls.map((each) => each.origin);
  if (origin !== undefined && known.includes(origin)) return origin;
  throw new UsageError(`--url ${url} is none of the public_url: ${known.join(', ')}`);
}

function addressOf(origin: string, path: string): string {
  if (path.startsWith('/') && URL.parse(path, origin)?.origin === origin) return new URL(path, origin).href;
  throw new UsageError(`${path} is no path: write it as it follows ${origin}, with a slash in front`);
}

function adminUrlOf({ listen, tls }: Config['admin']): string | undefined {
  if (listen.port === 0) return undefined;
  return `${tls === undefined ? 'http' : 'https'}://${hostOf(listen)}:${listen.port}`;
}

function hostOf({ host }: Listen): string {
  if (host === undefined || host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

function duration(option: string, text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new UsageError(`${option} ${text} is no duration: 500ms, 30s, 2m`);
  return ms;
}

function authoritiesOf({ provider: { caPem } }: Config, file: string | undefined): readonly string[] {
  const given = file === undefined ? [] : [readGiven('--ca-file', file)];
  return [...getCACertificates('default'), ...(caPem === undefined ? [] : [caPem]), ...given];
}

function readGiven(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${option} ${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}
