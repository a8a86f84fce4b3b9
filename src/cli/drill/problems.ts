// What was not as it must be after an end, each in a sentence that an operator can act upon; nothing is passed over.

import type { Drill } from './drill-options.ts';
import type { ConnectionOutcome, Outcome } from './run-trigger.ts';

/** For bytes that the gate had handed on before it stopped and that were still under way. */
const UNDER_WAY_MS = 250;

/** Empty where the end was a cut as promised (design: what ends a session, and what "instantly" means). */
export function problemsOf(outcome: Outcome, drill: Pick<Drill, 'withinMs' | 'gateUrl' | 'clientAdminUrl'>): string[] {
  const { account, answeredMs, connections, refused } = outcome;
  return [
    ...connections.flatMap((connection) => connectionProblem(connection, answeredMs, drill.withinMs)),
    ...refused
      .filter(({ areComplete }) => !areComplete)
      .map(({ afterMs, script, page, webSocket }) => {
        const statuses = [
          `a request ${script}`,
          `a page ${page}`,
          ...(webSocket === undefined ? [] : [`a WebSocket ${webSocket}`]),
        ];
        return `the session's cookie was still good for something ${seconds(afterMs)} after the answer: ${statuses.join(', ')}`;
      }),
    ...(account === undefined ? [] : noticeProblems(outcome, account, drill)),
  ];
}

function connectionProblem(
  { kind, path, closedMs, lastByteMs, how, isCut }: ConnectionOutcome,
  answeredMs: number,
  withinMs: number,
): string[] {
  const name = `${kind} ${path}`;
  if (closedMs === undefined) return [`${name}: still open ${seconds(withinMs)} after the answer`];
  if (closedMs < 0) return [`${name}: had ended before anybody ended the session (${how}); choose a path that goes on`];
  const lateMs = (lastByteMs ?? 0) - answeredMs;
  return [
    ...(isCut ? [] : [`${name}: did not end as a cut connection must (${how})`]),
    ...(lateMs > UNDER_WAY_MS ? [`${name}: its last byte came ${Math.round(lateMs)} ms after the answer`] : []),
  ];
}

function noticeProblems(
  { trigger, refused }: Outcome,
  { notices, noticesRefused }: NonNullable<Outcome['account']>,
  drill: Pick<Drill, 'gateUrl' | 'clientAdminUrl'>,
): string[] {
  if (noticesRefused > 0) {
    const notices = noticesRefused === 1 ? 'a notice' : `${noticesRefused} notices`;
    return [`the gate refused ${notices}: look for notice.refused in its log`];
  }
  // The gate's own logout needs none, and what was cut at once needs no explanation.
  if (Object.keys(notices).length > 0 || trigger.name === 'logout-here') return [];
  if (refused.every(({ areComplete }) => areComplete)) return [];
  return [`no notice came: ${trigger.ends === "everybody's sessions" ? adminUrlCure(drill) : backChannelCure(drill)}`];
}

function adminUrlCure({ gateUrl, clientAdminUrl }: Pick<Drill, 'gateUrl' | 'clientAdminUrl'>): string {
  return clientAdminUrl === undefined
    ? `set logout.keycloak_admin_url to prefix, and the client's "Admin URL" in Keycloak to ${gateUrl}`
    : `in Keycloak the client's "Admin URL" must be ${clientAdminUrl}, or the address of the admin listener, and Keycloak's own log says whether it can reach that address`;
}

function backChannelCure({ gateUrl }: Pick<Drill, 'gateUrl'>): string {
  return `in Keycloak the client's "Backchannel logout URL" must be ${gateUrl}/backchannel-logout, or /backchannel-logout on the admin listener, "Front channel logout" must be off, and Keycloak's own log says whether it can reach that address`;
}

/** In words: `5 s`, `0.3 s`. */
export function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))} s`;
}
