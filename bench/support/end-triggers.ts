// The ways a session ends that the bench can bring about, and one round of each: 100 live connections, half WebSockets and
// half event streams, that end. Two gates before one provider that answers at once: the second has short limits.

import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from './children.ts';
import { type CutRound, cutRound, type Scene } from './cut-round.ts';
import { ADMIN_TOKEN, BenchGate, reserveGate } from './gate.ts';
import { signIn } from './one-sign-in.ts';
import { sharedNowMs } from './statistics.ts';
import { type AskTimes, sendNotice, timedRequest } from './timed-request.ts';

/** A session that is to be ended. */
interface Target {
  readonly gate: BenchGate;
  readonly provider: Worker;
  readonly cookie: string;
  /** The provider's number of its user. */
  readonly user: string;
}

interface Trigger {
  readonly name: string;
  /** `limits`: at the gate whose own clock ends sessions soon. */
  readonly at: 'gate' | 'limits';
  /** What comes before; the end itself resolves with its times. */
  prepare(target: Target): Promise<() => Promise<AskTimes>>;
}

/** Far above what a round needs before its end. */
const ABSOLUTE_MS = 12_000;
const REVALIDATE_MS = 3_000;

const TRIGGERS: readonly Trigger[] = [
  { name: 'logout token with a sid', at: 'gate', prepare: notice(({ sub, sid }) => ({ sub, sid })) },
  { name: 'logout token with a sub alone', at: 'gate', prepare: notice(({ sub }) => ({ sub })) },
  {
    name: 'k_logout of one session',
    at: 'gate',
    prepare: adminAction(({ sid }) => ({ keycloakSessionIds: [sid], adapterSessionIds: [], notBefore: 0 })),
  },
  {
    name: 'k_logout of all sessions',
    at: 'gate',
    prepare: adminAction(() => ({ notBefore: Math.floor(Date.now() / 1000) })),
  },
  {
    name: 'logout at the gate',
    at: 'gate',
    prepare: async ({ gate, cookie }) => {
      const { publicUrl } = gate.address;
      const headers = { Cookie: cookie, Origin: publicUrl };
      return () => timedRequest({ method: 'POST', url: `${publicUrl}/_gate/logout`, headers, status: 303 });
    },
  },
  {
    name: "the operator's DELETE",
    at: 'gate',
    prepare: async ({ gate, user }) => {
      const url = `http://127.0.0.1:${gate.address.adminPort}/api/sessions?user=user-${user}`;
      const headers = { Authorization: `Bearer ${ADMIN_TOKEN}` };
      return () => timedRequest({ method: 'DELETE', url, headers, status: 200 });
    },
  },
  { name: 'the absolute timeout', at: 'limits', prepare: expiry },
  {
    name: `found by a probe (every ${REVALIDATE_MS / 1000} s)`,
    at: 'limits',
    prepare: async ({ provider, user }) => {
      return async () => {
        const at = sharedNowMs();
        await provider.ask('endSilently', { user });
        return { lastByteAt: at, answeredAt: at };
      };
    },
  },
];

export interface TriggerRounds {
  readonly name: string;
  readonly rounds: readonly CutRound[];
}

/** Runs `rounds` of each trigger, on the scene's upstream and clients. */
export async function triggerRounds(
  scene: Pick<Scene, 'clients' | 'upstream'> & { readonly live: string },
  { rounds, connections }: { readonly rounds: number; readonly connections: number },
): Promise<TriggerRounds[]> {
  const provider = Worker.start(new URL('./swift-provider.ts', import.meta.url), { place: 'others' });
  const addresses = { gate: await reserveGate(), limits: await reserveGate() };
  const issuer = await provider.ask<string>('start', {
    clientId: addresses.gate.client.id,
    accessTokenSeconds: 36_000,
    tokenMs: 0,
  });
  const routes = [{ name: 'live', upstream: scene.live }];
  const gates = {
    gate: await BenchGate.start({ address: addresses.gate, issuer, routes }),
    limits: await BenchGate.start({
      address: addresses.limits,
      issuer,
      routes,
      session: {
        absolute_timeout: `${ABSOLUTE_MS}ms`,
        idle_timeout: `${ABSOLUTE_MS}ms`,
        revalidate: `${REVALIDATE_MS}ms`,
      },
    }),
  };
  const all: TriggerRounds[] = [];
  for (const { name, at, prepare } of TRIGGERS) {
    const done: CutRound[] = [];
    for (let round = 0; round < rounds; round++) {
      const gate = gates[at];
      const { session: cookie, user } = await signIn(gate.address.publicUrl);
      const websockets = Math.ceil(connections / 2);
      done.push(
        await cutRound(
          { ...scene, gate },
          {
            cookie,
            websockets,
            streams: connections - websockets,
            kind: 'ticking',
            prepare: () => prepare({ gate, provider, cookie, user }),
          },
        ),
      );
    }
    all.push({ name, rounds: done });
  }
  await Promise.all([gates.gate.stop(), gates.limits.stop(), provider.stop()]);
  return all;
}

/** A notice with what `names` makes of the user's claims. */
function notice(names: (claims: { sub: string; sid: string }) => object): Trigger['prepare'] {
  return async ({ gate, provider, user }) => {
    const claims = names({ sub: `sub-${user}`, sid: `sid-${user}` });
    const token = await provider.ask<string>('logoutTokenOf', { claims });
    return () => sendNotice(gate.address.publicUrl, token);
  };
}

/** What Keycloak posts to the Admin URL, with what `names` makes of the user's session. */
function adminAction(names: (claims: { sid: string }) => object): Trigger['prepare'] {
  return async ({ gate, provider, user }) => {
    const body = await provider.ask<string>('logoutActionOf', { claims: names({ sid: `sid-${user}` }) });
    const url = `${gate.address.publicUrl}/_gate/k_logout`;
    const headers = { 'Content-Type': 'text/plain; charset=ISO-8859-1' };
    return () => timedRequest({ method: 'POST', url, headers, body, status: 200 });
  };
}

/** The moment at which the gate's own list of sessions says that this one expires. */
async function expiry({ gate, user }: Target): Promise<() => Promise<AskTimes>> {
  const url = `http://127.0.0.1:${gate.address.adminPort}/api/sessions?user=user-${user}`;
  const answer = await fetch(url, { headers: { Authorization: `Bearer ${ADMIN_TOKEN}` } });
  const { sessions } = (await answer.json()) as { sessions: { expires_at: string }[] };
  const dueAt = Date.parse(sessions[0]!.expires_at) - Date.now() + sharedNowMs();
  return async () => {
    await sleep(dueAt - sharedNowMs());
    return { lastByteAt: dueAt, answeredAt: dueAt };
  };
}
