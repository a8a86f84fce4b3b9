// What a decision costs: 1 000 routes with 10 rules each, requests spread over all of them, as the doors ask (route table,
// session at hand, rules, identity headers); by one user, or by `--users` in turn. Processor time of this process, so that
// neighbours on the machine count less.

import { compileIdentityHeaders } from '../src/access/identity-headers.ts';
import { compileRouteTable } from '../src/access/route-table.ts';
import type { Claims } from '../src/base/tokens.ts';
import { createDecide, type RequestFacts } from '../src/gate/decide.ts';
import type { GateRoute } from '../src/gate/gate-route.ts';
import { createSessionIdentity } from '../src/gate/session-identity.ts';
import type { SessionRecord, StoredSession } from '../src/session/session-record.ts';
import { numbersFromCommandLine } from './support/options.ts';
import { median } from './support/statistics.ts';

/** Microseconds for one decision, the median round. */
const MOST_MICROSECONDS = 2;

const { routes, rules, users, rounds, decisions } = numbersFromCommandLine({
  routes: 1000,
  rules: 10,
  users: 1,
  rounds: 9,
  decisions: 500_000,
});

const CLAIMS: Claims = {
  sub: 'f:1:alice',
  preferred_username: 'alice',
  email: 'alice@example.com',
  acr: '2',
  groups: Array.from({ length: 20 }, (_, at) => `/group-${at}`),
  realm_access: { roles: Array.from({ length: 20 }, (_, at) => `role-${at}`) },
};

function route(at: number): GateRoute {
  const path = `/department-${at % 50}/application-${at}`;
  const headers = compileIdentityHeaders({ preset: 'oauth2-proxy' });
  return {
    name: `route-${at}`,
    path,
    unauthenticated: 'auto',
    websocket: { enabled: true, origins: [] },
    access: Array.from({ length: rules }, (_, rule) => ({
      path: `${path}/area-${rule}`,
      methods: ['GET', 'POST'],
      // Every application has roles of its own.
      roles: [`application-${at}-admin`, 'role-19'],
      groups: ['/group-19'],
      acr: ['2'],
    })),
    identityHeaders: ({ sub, user, claims }) => headers({ sub, user, claims }),
  };
}

function request(at: number): RequestFacts {
  const number = (at * 7919) % routes;
  // Of ten rules the last is the dearest to find; the eleventh path has none.
  const area = at % (rules + 1);
  return {
    host: 'wiki.example.com',
    hostname: 'wiki.example.com',
    method: 'GET',
    target: `/department-${number % 50}/application-${number}/area-${area}/page?id=${at}`,
    websocket: false,
    sessionCookie: 'x'.repeat(43),
    publicOrigin: 'https://wiki.example.com',
    clientAddress: '192.0.2.1',
    userAgent: () => '',
    origin: () => undefined,
    bearer: () => undefined,
    isNavigation: () => false,
    isOwnWish: () => false,
  };
}

function session(): StoredSession {
  const record = { kind: 'sign_in', sub: 'f:1:alice', user: 'alice', claims: structuredClone(CLAIMS) } as SessionRecord;
  return { record, lastSeenAt: 0, ended: false };
}

const sessions = Array.from({ length: users }, session);
let next = 0;
const decide = createDecide({
  routes: compileRouteTable(Array.from({ length: routes }, (_, at) => route(at))),
  identify: () => sessions[next++ % users],
  identifyBearer: () => ({ refused: 'no tokens here' }),
  noteActivity: () => {},
  identity: createSessionIdentity({ now: () => 0, monotonicMs: () => 0 }),
});
const requests = Array.from({ length: 4096 }, (_, at) => request(at));

/** Microseconds of processor time for each of `count` decisions; every one must let the request through. */
function round(count: number): number {
  const before = process.cpuUsage();
  let allowed = 0;
  for (let at = 0; at < count; at++) {
    const decision = decide(requests[at & 4095]!);
    if (!(decision instanceof Promise) && decision.kind === 'allow') allowed++;
  }
  const { user, system } = process.cpuUsage(before);
  if (allowed !== count) throw new Error(`${count - allowed} of ${count} decisions did not let the request through`);
  return (user + system) / count;
}

round(decisions);
const measured = Array.from({ length: rounds }, () => round(decisions));
const middle = median(measured);
const list = measured.map((each) => each.toFixed(2)).join(' ');
console.log(`${routes} routes with ${rules} rules each: ${middle.toFixed(2)} us for one decision (rounds: ${list})`);
if (middle > MOST_MICROSECONDS) {
  console.log(`missed: at most ${MOST_MICROSECONDS} us`);
  process.exitCode = 1;
}
