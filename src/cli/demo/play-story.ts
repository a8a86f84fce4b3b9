// The story that the demo plays when nobody watches: Ada signs out somewhere else, and what she still had open at the
// wiki is cut, while Grace goes on. Everything is seen from outside, by a client, and at the applications.

import type { GateEvent } from '../../base/events.ts';
import { Browser } from '../browser/browser.ts';
import type { Ending } from '../browser/live-connection.ts';
import { type LongConnection, openLongConnections } from './open-long-connections.ts';
import { type Demo, startDemo } from './start-demo.ts';
import type { AppEvent } from './start-legacy-app.ts';
import { StoryReport } from './story-report.ts';
import { PATIENCE_MS, sleep, until, within } from './until.ts';

/** The story takes about two seconds; on a busy machine somewhat more. */
const DEADLINE_MS = 30_000;

/** Plays the story and prints it; true when everything was as it must be. @throws where the demo does not start. */
export async function playStory(print: (line: string) => void, start = startDemo): Promise<boolean> {
  const seen: Witness = { app: [], gate: [] };
  const demo = await start({
    ports: { wiki: 0, notes: 0, accounts: 0 },
    onAppEvent: (event) => seen.app.push(event),
    onGateEvent: (gate, event) => seen.gate.push({ gate, event }),
  });
  print(`Portcullis demo: nobody watches, so it plays its story by itself.\n`);
  print(`   wiki      ${demo.wiki}\n   notes     ${demo.notes}\n   accounts  ${demo.accounts}\n`);
  const report = new StoryReport(print);
  const held: LongConnection[] = [];
  try {
    await within(DEADLINE_MS, play({ demo, report, seen, held }), `not finished within ${DEADLINE_MS / 1000} s`);
  } catch (error) {
    report.broke(error);
  }
  for (const connection of held) connection.close();
  await demo.stop();
  return report.verdict();
}

interface Witness {
  readonly app: AppEvent[];
  readonly gate: { gate: string; event: GateEvent }[];
}

interface Stage {
  readonly demo: Demo;
  readonly report: StoryReport;
  readonly seen: Witness;
  /** Everything that was opened, so that it is closed whatever happens. */
  readonly held: LongConnection[];
}

async function play(stage: Stage): Promise<void> {
  const { demo, report, held, seen } = stage;
  const [ada, grace] = [new Browser(), new Browser()];

  report.step('Ada and Grace sign in at the wiki, each with a browser of her own');
  await signIn(stage, 'Ada', ada);
  await signIn(stage, 'Grace', grace);

  report.step('Ada opens the notes too');
  const notes = await ada.open(demo.notes);
  report.check(notes.body.includes('Ada Lovelace'), 'the provider knows her: no second form');

  report.step('At the wiki, each opens a WebSocket, an event stream, a download and an upload');
  const adas = await openLongConnections(ada, demo.wiki);
  held.push(...adas);
  const graces = await openLongConnections(grace, demo.wiki);
  held.push(...graces);
  await until(() => seen.app.filter(({ state }) => state === 'began').length === 8);
  report.check(true, 'eight long connections run through the gate');

  report.step('Ada signs out on the account page, far away from the wiki');
  const clickedAtMs = await signOutElsewhere(stage, ada);
  await checkCut(stage, adas, clickedAtMs);
  await checkRefused(stage, ada);
  await checkUntouched(stage, graces);

  report.step('Ada signs in again');
  await signIn(stage, 'Ada', ada);
  held.push(...(await openLongConnections(ada, demo.wiki)));
  report.check(true, 'and her connections run as before');
}

async function signIn({ demo, report }: Stage, name: string, browser: Browser): Promise<void> {
  const form = await browser.open(demo.wiki);
  const page = await browser.open(form.url, { person: name.toLowerCase() });
  const isIn = page.status === 200 && page.url.startsWith(demo.wiki) && page.body.includes(`<b id="user">${name} `);
  report.check(isIn, `${name} is in: ${page.status} at ${page.url}`);
}

/** The button "Sign out everywhere", and the confirmation that a browser sends by itself. Returns the moment of that. */
async function signOutElsewhere({ demo, report }: Stage, browser: Browser): Promise<number> {
  const ending = await browser.open(`${demo.accounts}/session/end`);
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(ending.body)?.[1] ?? '';
  const clickedAtMs = performance.now();
  const page = await browser.open(`${demo.accounts}/session/end/confirm`, { xsrf, logout: 'yes' });
  report.check(page.body.includes('Signed out everywhere'), `the provider says so after ${since(clickedAtMs)}`);
  return clickedAtMs;
}

async function checkCut(stage: Stage, connections: readonly LongConnection[], clickedAtMs: number): Promise<void> {
  const { report, seen } = stage;
  const [broken, end, ...endings] = await Promise.all([
    found(() => seen.app.find(isBrokenUploadOfAda)),
    found(() => seen.gate.find(isEndAtWiki)?.event),
    ...connections.map(({ ended }) => Promise.race([ended, stillOpen()])),
  ] as const);
  for (const [at, { kind, amount }] of connections.entries()) {
    const { isCut, how, atMs } = endings[at]!;
    const after = `${(atMs - clickedAtMs).toFixed(1)} ms after the click`;
    report.check(isCut, `her ${kind}: ${how}, ${after}; ${amounts(kind, amount())}`);
  }
  report.check(broken !== undefined, `the wiki saw the upload break off: ${broken?.detail ?? 'no'}`);
  const times = end && 'stop_ms' in end && `stopped in ${end.stop_ms} ms, all closed in ${end.close_ms} ms`;
  report.check(end !== undefined, `the gate's own account: ${times || 'no session ended'}`);
}

function isBrokenUploadOfAda({ app, user, kind, state }: AppEvent): boolean {
  return app === 'wiki' && user === 'ada' && kind === 'upload' && state === 'broke off';
}

function isEndAtWiki({ gate, event }: Witness['gate'][number]): boolean {
  return gate === 'wiki' && event.event === 'session.ended';
}

/** What `look` finds soon, or undefined. */
async function found<T>(look: () => T | undefined): Promise<T | undefined> {
  await until(() => look() !== undefined).catch(() => {});
  return look();
}

async function checkRefused({ demo, report }: Stage, browser: Browser): Promise<void> {
  for (const origin of [demo.wiki, demo.notes]) {
    const page = await browser.ask(origin, { as: 'page' });
    const script = await browser.ask(origin, { as: 'script' });
    const isOut = page.status === 302 && script.status === 401;
    report.check(isOut, `her next page at ${origin}: ${page.status}; a script's request there: ${script.status}`);
  }
}

async function checkUntouched({ report }: Stage, connections: readonly LongConnection[]): Promise<void> {
  for (const { kind, amount, ended } of connections) {
    const before = amount();
    const goesOn = until(() => amount() > before).then(() => 'goes on');
    const what = await Promise.race([goesOn, ended.then(({ how }) => how)]).catch(() => 'stands still');
    report.check(
      what === 'goes on',
      `Grace's ${kind} ${what}: ${amounts(kind, before)}, now ${amounts(kind, amount())}`,
    );
  }
}

async function stillOpen(): Promise<Ending> {
  await sleep(PATIENCE_MS);
  return { atMs: performance.now(), isCut: false, how: 'still open' };
}

function since(atMs: number): string {
  return `${(performance.now() - atMs).toFixed(1)} ms`;
}

function amounts(kind: LongConnection['kind'], amount: number): string {
  if (kind === 'download' || kind === 'upload') return `${Math.round(amount / 1024)} KiB`;
  return `${amount} tick${amount === 1 ? '' : 's'}`;
}
