// portcullis explain METHOD URL: which route, which rule, which headers, and why.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type ExplainedRequest, explainRequest, type RequestToExplain } from '../app/explain-request.ts';
import type { Claims } from '../base/tokens.ts';
import type { Config } from '../config/model.ts';
import { readConfigFile } from './config-option.ts';
import { UsageError } from './usage-error.ts';

interface Arguments {
  readonly method: string;
  readonly url: string;
  readonly claims: Claims | undefined;
  readonly json: boolean;
  readonly config: string | undefined;
}

/** 0 whatever the answer is, 1 where the configuration has problems. @throws UsageError */
export async function explain(args: readonly string[]): Promise<number> {
  const given = readArguments(args);
  const read = readConfigFile(given.config);
  if (read === undefined) return 1;
  const request = { method: given.method, claims: given.claims, ...placeOf(given.url, read.config) };
  const explained = explainRequest(read.config, request);
  console.log(
    given.json ? JSON.stringify({ request: asked(request), ...explained }, null, 2) : inWords(request, explained),
  );
  return 0;
}

function readArguments(args: readonly string[]): Arguments {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { values, positionals } = parsed;
  const [method, url, ...more] = positionals;
  if (method === undefined || url === undefined || more.length > 0) {
    throw new UsageError('explain takes a method and a URL, such as: portcullis explain GET /admin');
  }
  if (!/^[A-Z][A-Z-]*$/.test(method))
    throw new UsageError(`${JSON.stringify(method)} is no method: write it in capitals`);
  const claims = values.user === undefined ? undefined : readClaims(values.user);
  return { method, url, claims, json: values.json === true, config: values.config };
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { config: { type: 'string', short: 'c' }, user: { type: 'string' }, json: { type: 'boolean' } },
  });
}

/** The claims of a user, as an ID token or UserInfo has them. */
function readClaims(file: string): Claims {
  let claims: unknown;
  try {
    claims = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const code = (error as { code?: string }).code;
    throw new UsageError(`--user ${file}: ${code === undefined ? 'it is no JSON' : `it cannot be read (${code})`}`);
  }
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) {
    throw new UsageError(
      `--user ${file}: write one JSON object with claims, such as {"sub": "1", "groups": ["staff"]}`,
    );
  }
  return claims as Claims;
}

/** Taken apart by hand: a URL parser would repair the very paths that are worth asking about. */
function placeOf(url: string, { publicUrls }: Config): { host: string; target: string } {
  const [, authority, path] = /^(?:https?:\/\/([^/?#]+))?([/?].*)?$/s.exec(url) ?? [];
  if (authority === undefined && !path?.startsWith('/')) {
    throw new UsageError(
      `${JSON.stringify(url)} is no URL: write one, or a path of the first public_url, such as /admin`,
    );
  }
  const target = path === undefined || path.startsWith('?') ? `/${path ?? ''}` : path;
  return { host: authority ?? publicUrls[0].host, target };
}

function asked({ method, host, target, claims }: RequestToExplain): object {
  return { method, host, target, user: claims ?? null };
}

function inWords({ method, host, target }: RequestToExplain, explained: ExplainedRequest): string {
  const { route, rule, needs, outcome, headers, form, logout } = explained;
  const lines: [string, string][] = [['request', `${method} ${host}${target}`]];
  if (route !== undefined) {
    lines.push(['route', `${route.name}, ${route.why}`]);
    for (const upstream of route.upstreams) lines.push(['upstream', upstream]);
    if (route.choice !== undefined) lines.push(['chosen', route.choice]);
    lines.push(['rule', rule!.asks.length === 0 ? rule!.decided_by : `${rule!.decided_by}: ${rule!.asks.join('; ')}`]);
    lines.push(['needs', needs!]);
  }
  const status = outcome.status === undefined ? '' : ` (${outcome.status})`;
  lines.push(['outcome', `${outcome.kind.replaceAll('_', ' ')}${status}: ${outcome.why}`]);
  for (const { name, value, from } of explained.sign_in ?? []) lines.push(['sign-in', `${name}=${value} (${from})`]);
  if (form !== undefined) lines.push(['form', `${form.kept ? 'kept' : 'not kept'}: ${form.why}`]);
  if (logout !== undefined) lines.push(['logout', logout]);
  if (headers !== undefined) {
    for (const [name, value] of headers.sent) lines.push(['header', `${name}: ${value}`]);
    for (const { name, why } of headers.left_out) lines.push(['left out', `${name}: ${why}`]);
    lines.push(['cookies', headers.cookies], ['removed', headers.removed.join(', ')]);
  }
  return lines.map(([label, text]) => `${label.padEnd(9)} ${printable(text)}`).join('\n');
}

/** Nothing of a claim or a URL may begin another line or move the cursor. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '\ufffd');
}
