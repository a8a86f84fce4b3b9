// What the demo says in a terminal: where to click, and then what happens, as the applications and the gates see it.

import type { GateEvent } from '../../base/events.ts';
import type { Demo } from './start-demo.ts';
import type { AppEvent } from './start-legacy-app.ts';

/** Signs of life that everybody may see; the rest of the log is for operators. */
const SHOWN: ReadonlySet<GateEvent['event']> = new Set([
  'login.succeeded',
  'login.failed',
  'session.ended',
  'access.denied',
  'notice.refused',
]);

export function guide({ wiki, notes, accounts }: Demo): string {
  return `
Portcullis demo: two old applications, a gate in front of each, and one sign-in for both.

   wiki      ${wiki}
   notes     ${notes}
   accounts  ${accounts}   the OpenID provider

 1  Open the wiki and sign in as Ada. A WebSocket, an event stream and a download begin to run on its page.
 2  Open the notes in a second tab: you are signed in there already.
 3  Sign out at the notes, or at accounts, with the wiki's tab in sight. It is cut off while you watch.

 More to try: Grace in a private window goes on undisturbed; "Keepers only" lets Grace in and Ada not.
 Ctrl-C ends the demo.
`;
}

/** One line for what an application sees. */
export function appLine({ app, user, kind, state, detail }: AppEvent): string {
  return `${time()}  ${`${app} app`.padEnd(10)}  ${user}'s ${kind} ${state} ${detail}`.trimEnd();
}

/** One line for what a gate did; undefined for what only operators want to know. */
export function gateLine(gate: string, event: GateEvent): string | undefined {
  if (!SHOWN.has(event.event)) return undefined;
  return `${time()}  ${`${gate} gate`.padEnd(10)}  ${textOf(event)}`;
}

function textOf(event: GateEvent): string {
  if (event.event === 'login.succeeded') return `${event.user} signed in`;
  if (event.event === 'access.denied') return `${event.user} may not: ${event.why}`;
  if (event.event === 'login.failed') return `a sign-in failed: ${event.why}`;
  if (event.event !== 'session.ended') return `${event.event}: ${'why' in event ? event.why : ''}`;
  const { user, reason, requests, streams, websockets, stop_ms, close_ms } = event;
  const cut = [count(requests, 'transfer'), count(streams, 'event stream'), count(websockets, 'WebSocket')];
  const what = requests + streams + websockets === 0 ? 'nothing was open' : `cut ${cut.join(', ')}`;
  return `${user}'s session ended (${reason}): ${what}; stopped in ${stop_ms.toFixed(1)} ms, closed in ${close_ms.toFixed(1)} ms`;
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}

function time(): string {
  const now = new Date();
  return `${now.toTimeString().slice(0, 8)}.${String(now.getMilliseconds()).padStart(3, '0')}`;
}
