// The configurations of docs/legacy-apps.md as they stand there: what the page says is what the tests run.

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

const PAGE = new URL('../../docs/legacy-apps.md', import.meta.url);

/** The whole configuration under each heading of the page that has one, by the heading. */
export function documentedConfigs(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const chapter of readFileSync(PAGE, 'utf8').split(/^## /m).slice(1)) {
    const heading = chapter.slice(0, chapter.indexOf('\n'));
    const blocks = Array.from(chapter.matchAll(/^```yaml\n(.*?)^```$/gms), ([, text]) => text!);
    const whole = blocks.filter((text) => text.startsWith('public_url:'));
    if (whole.length > 1) throw new Error(`more than one configuration under ${heading}`);
    if (whole[0] !== undefined) found.set(heading, whole[0]);
  }
  return found;
}

/** Where a test has what the page calls by other names. */
export interface TestAddresses {
  readonly publicUrl: string;
  readonly issuer: string;
  readonly upstream: string;
  readonly listen: string;
  readonly adminListen: string;
}

/** The configuration under `heading`, with the addresses of a test in place of the page's. */
export function documentedConfig(heading: string, addresses: TestAddresses): object {
  const text = documentedConfigs().get(heading);
  if (text === undefined) throw new Error(`the page has no configuration under ${heading}`);
  const { public_url, provider, routes } = parse(text);
  const config = parse(
    text
      .replaceAll(public_url, addresses.publicUrl)
      .replaceAll(provider.issuer, addresses.issuer)
      .replaceAll(routes[0].upstream, addresses.upstream),
  );
  return { ...config, server: { listen: addresses.listen }, admin: { listen: addresses.adminListen } };
}
