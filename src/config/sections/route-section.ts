// `routes`: what is protected, by which rules, and what the upstream is told (design/config.md).

import { byDefault, optional, required } from '../kind.ts';
import { duration, size } from '../kinds/amounts.ts';
import { secret, secretFile } from '../kinds/files.ts';
import { claimPath, claimTemplate, isClaimPath, refuseHeaderName } from '../kinds/headers.ts';
import { requestHost } from '../kinds/network.ts';
import { appAddress, pathPrefix } from '../kinds/paths.ts';
import { choice, flag, parsedText, scalarText } from '../kinds/scalars.ts';
import { list, oneOrMany, record, section } from '../kinds/structures.ts';
import { origin } from '../kinds/urls.ts';
import { logoutCall } from './logout-section.ts';
import { authorizationParams } from './provider-section.ts';
import { upstreamTls } from './session-section.ts';

const routeName = parsedText<string>({
  expected: 'a short name such as wiki',
  schema: { maxLength: 64 },
  parse: (name) =>
    /^[\x21-\x7e]{1,64}$/.test(name)
      ? { value: name }
      : { wrong: 'is no name for logs and metrics', cure: 'write up to 64 letters, digits, - or _, such as wiki' },
});

const methodName = parsedText<string>({
  expected: 'a method such as GET',
  schema: { pattern: '^[A-Z]+(-[A-Z]+)*$' },
  parse(method) {
    if (/^[A-Z]+(-[A-Z]+)*$/.test(method)) return { value: method };
    const capitals = /^[a-z]+$/i.test(method) ? `write ${method.toUpperCase()}` : undefined;
    return { wrong: 'is no HTTP method', cure: 'write capital letters, such as GET', exactCure: capitals };
  },
});

const headerName = parsedText<string>({
  expected: 'a header name such as X-Portcullis-Logout',
  parse(name) {
    const refused = refuseHeaderName(name);
    return refused ? { wrong: 'cannot be this header', cure: refused.cure } : { value: name };
  },
});

const auth = choice(['session', 'bearer', 'public']);
const texts = (expected: string) => oneOrMany(scalarText(expected), `${expected}s`);

const accessRule = section({
  path: byDefault(pathPrefix, '/', 'The rule is for this path and everything below it'),
  methods: optional(oneOrMany(methodName, 'methods such as GET'), 'The rule is for these methods; default: all'),
  auth: optional(auth, "How users prove themselves here, or public: nobody has to; default: the route's own auth"),
  roles: optional(texts('role'), 'Any of these: a realm role, or client:role'),
  groups: optional(texts('group'), 'Any of these groups'),
  claims: optional(
    record({
      value: texts('value'),
      expected: 'claims such as { department: [ops, dev] }',
      name: (path) =>
        isClaimPath(path)
          ? undefined
          : {
              wrong: 'this is no claim',
              cure: 'write a name, or names with dots between them; \\. is a dot in a name',
            },
    }),
    'All of these claims, each with any of its values; dots lead into claims, \\. is a dot in a name',
  ),
  acr: optional(
    texts('acr'),
    'Any of these authentication context classes; who signed in otherwise is asked to sign in so',
  ),
});

const timeouts = section({
  connect: byDefault(duration(), '5s', 'How long a connection to the upstream may take'),
  response_head: byDefault(duration(), '60s', "How long the upstream may take until its response's head"),
  idle: byDefault(duration(), '120s', 'How long a body may stand still'),
});

const headers = section({
  preset: byDefault(
    choice(['oauth2-proxy', 'gatekeeper', 'authelia', 'mod_auth_openidc', 'none']),
    'oauth2-proxy',
    'A set of identity headers, as another gate sends them',
  ),
  set: byDefault(
    record({
      value: claimTemplate,
      expected: 'headers such as { X-Remote-User: "{preferred_username}" }',
      name: refuseHeaderName,
    }),
    {},
    'Further headers, with claims in braces',
  ),
  encoding: byDefault(
    choice(['percent', 'utf-8']),
    'percent',
    'How claims outside ASCII are sent, in preset and set: percent-encoded, or as the bytes of UTF-8 like other gates do',
  ),
  basic_auth: optional(
    section({
      username: required(claimTemplate, 'The user name, with claims in braces'),
      password: optional(secret, 'The password, the same for every user'),
      password_file: optional(secretFile, 'File that holds the password'),
      password_claim: optional(claimPath, "The claim that holds each user's own password"),
    }),
    'HTTP Basic credentials for the upstream, in place of any that the client sends',
  ),
  access_token: byDefault(
    choice(['none', 'authorization', 'x-forwarded-access-token', 'x-auth-token']),
    'none',
    "Pass the session's access token in this header, as Authorization: Bearer or by itself",
  ),
  signed_assertion: byDefault(
    flag,
    false,
    'Send X-Portcullis-Assertion, a short-lived JWT about the user; its keys are at <proxy_prefix>/jwks',
  ),
});

const logout = section({
  paths: byDefault(
    list(appAddress, { expected: 'paths such as /logout' }),
    [],
    "The application's own logout links: these very paths as the browser sends them; of the query only what is written here matters, as in /doku.php?do=logout",
  ),
  response_header: optional(headerName, 'A response header by which the application asks for logout'),
  relay: optional(logoutCall, 'A URL of the application to call when the session ends anywhere'),
});

const websocket = section({
  enabled: byDefault(flag, true, 'Let WebSockets through'),
  origins: byDefault(
    list(origin('https://partner.example.com'), { expected: 'origins' }),
    [],
    'Origins that may open WebSockets besides the public one',
  ),
  idle: byDefault(duration({ least: '0s' }), '0s', 'Close a WebSocket on which nothing moves so long; 0s: never'),
});

export const routeSection = section({
  name: optional(routeName, 'Name in logs and metrics; default: host and path'),
  host: optional(requestHost, 'Host that the route is for; default: every public_url host'),
  path: byDefault(pathPrefix, '/', 'The route is for this path and everything below it; the longest one wins'),
  upstream: required(
    oneOrMany(origin('http://wiki:3000'), 'origins such as http://wiki:3000'),
    'Origin of the application, such as http://wiki:3000, or several of the same one',
  ),
  balance: byDefault(
    choice(['round_robin', 'session']),
    'round_robin',
    'Which of several upstreams gets a request: each in turn, or always the same one for a session',
  ),
  strip_prefix: byDefault(
    flag,
    false,
    'Take the path off before forwarding, and tell the upstream of it in X-Forwarded-Prefix',
  ),
  preserve_host: byDefault(flag, false, "Send the client's Host header, not the upstream's"),
  rewrite_location: byDefault(
    flag,
    true,
    "Turn the upstream's own addresses in Location, Refresh and Set-Cookie into public ones, below a stripped prefix",
  ),
  case_insensitive_paths: byDefault(
    flag,
    false,
    'Choose this route and its rules without regard to case, for applications that do',
  ),
  ambiguous_paths: byDefault(
    choice(['refuse', 'forward']),
    'refuse',
    'What happens to a path that upstreams may read in different ways with different rules',
  ),
  upstream_tls: optional(upstreamTls, 'Certificates for an https upstream'),
  timeouts: byDefault(timeouts, {}, 'How long the upstream may take'),
  auth: byDefault(
    oneOrMany(auth, 'ways to sign in'),
    'session',
    'How users prove themselves: session, bearer, both, or public for nobody has to',
  ),
  authorization_params: byDefault(
    authorizationParams,
    {},
    'Further parameters of the authorization request of who signs in here, before those of provider',
  ),
  unauthenticated: byDefault(
    choice(['auto', 'login', 'deny']),
    'auto',
    'What an anonymous request gets; auto: a page sign-in, all else 401',
  ),
  access_default: byDefault(choice(['signed_in', 'deny']), 'signed_in', 'Who may pass when no rule matches'),
  access: byDefault(
    list(accessRule, { expected: 'rules such as { path: /admin, roles: [admin] }' }),
    [],
    'Rules; the first that matches decides',
  ),
  headers: byDefault(headers, {}, 'What the upstream is told of the user'),
  cookies: byDefault(
    choice(['pass', 'jar']),
    'pass',
    "Whether the upstream's cookies go to the browser or stay with the gate",
  ),
  logout: byDefault(logout, {}, "The application's own logout"),
  websocket: byDefault(websocket, {}, 'WebSockets'),
  preserve_post: byDefault(
    section({
      enabled: byDefault(
        flag,
        true,
        'Keep a form that was sent when the session was over, and let its user send it after signing in again',
      ),
      max_bytes: byDefault(
        size({ least: '1B', most: '16MiB' }),
        '1MiB',
        'Largest form that is kept; with session.store: redis at most 4MiB',
      ),
    }),
    {},
    'Forms that arrive when the session is over',
  ),
});
