// Mistakes of the file, each with its place and its cure.

import { describe, it } from 'node:test';
import { BASE, ROUTES, refuses } from './load-text.ts';
import { inLogout, inProvider, inRoute, inServer, inSession, withIssuer } from './sections.ts';

interface Mistake {
  readonly title: string;
  readonly text: string;
  readonly path: string;
  readonly message: RegExp;
  readonly cure: RegExp;
}

const unknownKeys: readonly Mistake[] = [
  {
    title: 'an unknown key at the top',
    text: `${BASE}${ROUTES}▸publik_url: x\n`,
    path: 'publik_url',
    message: /unknown/,
    cure: /did you mean public_url\?/,
  },
  {
    title: 'a key in another spelling convention',
    text: inServer('▸allowHttp: true'),
    path: 'server.allowHttp',
    message: /unknown/,
    cure: /did you mean allow_http\?/,
  },
  {
    title: 'an unknown key that is like no other, with the keys that are known',
    text: inServer('▸colour: red'),
    path: 'server.colour',
    message: /unknown/,
    cure: /listen, tls, allow_http/,
  },
  {
    title: 'an unknown key of a route',
    text: inRoute('▸upstreem: x'),
    path: 'routes[0].upstreem',
    message: /unknown/,
    cure: /did you mean upstream\?/,
  },
  {
    title: 'a key of another section, with the section it belongs to',
    text: `${BASE}${ROUTES}▸client_id: x\n`,
    path: 'client_id',
    message: /unknown/,
    cure: /provider\.client_id/,
  },
  {
    title: 'a key of a route beside the routes',
    text: `${BASE}${ROUTES}▸upstream: http://wiki\n`,
    path: 'upstream',
    message: /unknown/,
    cure: /did you mean routes\[\]\.upstream\?/,
  },
  {
    title: 'a merge key',
    text: inServer('▸<<: { listen: ":1" }'),
    path: 'server["<<"]',
    message: /merge/,
    cure: /write the keys out/,
  },
  {
    title: 'a key called __proto__',
    text: inServer('▸__proto__: { listen: ":1" }'),
    path: 'server.__proto__',
    message: /unknown/,
    cure: /listen/,
  },
  {
    title: 'an unknown endpoint',
    text: inProvider('endpoints: { ▸tokenendpoint: "https://x.example/" }'),
    path: 'provider.endpoints.tokenendpoint',
    message: /unknown/,
    cure: /token_endpoint/,
  },
];

const missing: readonly Mistake[] = [
  {
    title: 'a missing section',
    text: `▸${BASE}`,
    path: 'routes',
    message: /missing/,
    cure: /add routes/,
  },
  {
    title: 'a missing key, at its section',
    text: `${ROUTES}${BASE}`.replace('client_id: wiki-gate, ', '').replace('provider', '▸provider'),
    path: 'provider.client_id',
    message: /missing/,
    cure: /add client_id: the client ID/,
  },
  {
    title: 'a missing key of a list item, at the item',
    text: `${BASE}routes:\n  - ▸path: /\n`,
    path: 'routes[0].upstream',
    message: /missing/,
    cure: /add upstream/,
  },
  {
    title: 'a key whose value was forgotten',
    text: inServer('▸tls:'),
    path: 'server.tls',
    message: /no value/,
    cure: /cert_file.*or remove the key/,
  },
  {
    title: 'null where nothing is no choice',
    text: inServer('listen: ▸null'),
    path: 'server.listen',
    message: /no value/,
    cure: /host:port.*or remove the key/,
  },
  {
    title: 'an empty text',
    text: withIssuer('▸""'),
    path: 'provider.issuer',
    message: /empty/,
    cure: /such as https:/,
  },
  {
    title: 'a list of nothing where one is needed',
    text: `${BASE}▸routes: []\n`,
    path: 'routes',
    message: /list is empty/,
    cure: /at least one/,
  },
];

const types: readonly Mistake[] = [
  {
    title: 'a number where text belongs',
    text: `${ROUTES}${BASE}`.replace('wiki-gate', '▸12'),
    path: 'provider.client_id',
    message: /12 is a number, not text/,
    cure: /"12"/,
  },
  {
    title: 'a text where a section belongs',
    text: `${BASE}${ROUTES}log: ▸debug\n`,
    path: 'log',
    message: /a text stands where a section/,
    cure: /level, format/,
  },
  {
    title: 'a section where a list belongs',
    text: `${BASE}▸routes: { upstream: "http://a" }\n`,
    path: 'routes',
    message: /a section stands where a list/,
    cure: /list of routes/,
  },
  {
    title: 'a list where a section belongs',
    text: `${BASE}${ROUTES}▸server: []\n`,
    path: 'server',
    message: /a list stands where a section/,
    cure: /listen/,
  },
  {
    title: 'a text where true or false belongs',
    text: inLogout('revoke_tokens: ▸"yes"'),
    path: 'logout.revoke_tokens',
    message: /"yes"/,
    cure: /true or false/,
  },
  {
    title: 'the yes of YAML 1.1',
    text: inLogout('revoke_tokens: ▸yes'),
    path: 'logout.revoke_tokens',
    message: /"yes"/,
    cure: /true or false/,
  },
  {
    title: 'a token where a claim belongs',
    text: inLogout('hint_claim: ▸id_token'),
    path: 'logout.hint_claim',
    message: /"id_token" is no claim/,
    cure: /write a name/,
  },
  {
    title: 'a text where a number belongs',
    text: inServer('limits: { headers: ▸"100" }'),
    path: 'server.limits.headers',
    message: /"100"/,
    cure: /whole number from 10/,
  },
  {
    title: 'a number with a fraction',
    text: inServer('limits: { headers: ▸100.5 }'),
    path: 'server.limits.headers',
    message: /100\.5 is no whole number/,
    cure: /whole number/,
  },
  {
    title: 'a number beyond its range',
    text: inServer('limits: { headers: ▸1000000 }'),
    path: 'server.limits.headers',
    message: /out of range/,
    cure: /from 10 to 2000/,
  },
  {
    title: 'not a number at all',
    text: inServer('limits: { headers: ▸.nan }'),
    path: 'server.limits.headers',
    message: /\.nan is no whole number/,
    cure: /whole number/,
  },
  {
    title: 'a word where a number or auto belongs',
    text: inServer('workers: ▸all'),
    path: 'server.workers',
    message: /"all" stands where a whole number/,
    cure: /whole number/,
  },
  {
    title: 'a word that is none of the choices',
    text: `${BASE}${ROUTES}log: { level: ▸infos }\n`,
    path: 'log.level',
    message: /none of the choices/,
    cure: /did you mean info\? Write debug, info, warn or error/,
  },
  {
    title: 'a choice in other letters',
    text: inSession('cookie: { same_site: ▸Lax }'),
    path: 'session.cookie.same_site',
    message: /none of the choices/,
    cure: /did you mean lax\?/,
  },
];

const amounts: readonly Mistake[] = [
  {
    title: 'a duration without a unit',
    text: inSession('revalidate: ▸300'),
    path: 'session.revalidate',
    message: /300 is a number without a unit/,
    cure: /300s/,
  },
  {
    title: 'a duration in words',
    text: inSession('revalidate: ▸5 minutes'),
    path: 'session.revalidate',
    message: /"5 minutes" is no duration/,
    cure: /write 5m$/,
  },
  {
    title: 'a duration with a fraction',
    text: inSession('revalidate: ▸1.5h'),
    path: 'session.revalidate',
    message: /no duration/,
    cure: /500ms, 30s, 15m or 10h/,
  },
  {
    title: 'a negative duration',
    text: inSession('revalidate: ▸-5m'),
    path: 'session.revalidate',
    message: /no duration/,
    cure: /500ms, 30s/,
  },
  {
    title: 'a duration of nothing where something must happen',
    text: inSession('revalidate: ▸0s'),
    path: 'session.revalidate',
    message: /no time at all/,
    cure: /longer than zero/,
  },
  {
    title: 'a duration beyond all measure',
    text: inSession('absolute_timeout: ▸999999999d'),
    path: 'session.absolute_timeout',
    message: /too long/,
    cure: /at most 400d/,
  },
  {
    title: 'a logout token that would be taken for longer than it is remembered',
    text: inProvider('logout_token: { max_age: ▸61m }'),
    path: 'provider.logout_token.max_age',
    message: /"61m" is too long/,
    cure: /at most 1h/,
  },
  {
    title: 'a clock that may be off beyond all measure',
    text: inProvider('clock_tolerance: ▸11m'),
    path: 'provider.clock_tolerance',
    message: /"11m" is too long/,
    cure: /at most 10m/,
  },
  {
    title: 'a size in another unit',
    text: inServer('limits: { header_bytes: ▸16KB }'),
    path: 'server.limits.header_bytes',
    message: /"16KB" is no size/,
    cure: /16KiB.*units are B, KiB, MiB and GiB/,
  },
  {
    title: 'a size without a unit',
    text: inServer('limits: { header_bytes: ▸16384 }'),
    path: 'server.limits.header_bytes',
    message: /without a unit/,
    cure: /16384B/,
  },
  {
    title: 'a size beyond its range',
    text: inServer('limits: { header_bytes: ▸1GiB }'),
    path: 'server.limits.header_bytes',
    message: /out of range/,
    cure: /from 1KiB to 1MiB/,
  },
];

const tables = { unknownKeys, missing, types, amounts };

for (const [name, mistakes] of Object.entries(tables)) {
  describe(`a mistake is reported where it stands, with its cure: ${name}`, () => {
    for (const { title, text, path, message, cure } of mistakes) {
      it(title, () => refuses(text, { path, message, cure }));
    }
  });
}
