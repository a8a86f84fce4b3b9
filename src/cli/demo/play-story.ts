// The story that the demo plays when nobody watches: Ada signs out somewhere else, and what she still had open at the
// wiki is cut, while Grace goes on. Everything is seen from outside, by a client, and at the applications.

import type { GateEvent } from '../../base/events.ts';
import { loadPackages } from './load-packages.ts';
import { type Ending, type LongConnection, openLongConnections } from './open-long-connections.ts';
import { type Demo, startDemo } from './start-demo.ts';
import type { AppEvent } from './start-legacy-app.ts';
import { StoryReport } from './story-report.ts';
import { Visitor } from './visitor.ts';

/** The story takes about two seconds; on a busy machine somewhat more. */
const DEADLINE_MS = 30_000;
/** A promise of milliseconds; what is not cut by then is not cut at all. */
const PATIENCE_MS = 3_000;

/** Plays the story and prints it; true when everything was as it must be. @throws where the demo does not start. */
export async function playStory(print: (line: string) => void): Promise<boolean> {
  const seen: Witness = { app: [], gate: [] };
  const demo = await startDemo({
    ports: { wiki: 0, notes: 0, accounts: 0 },
    onAppEvent: (event) => seen.app.push(event),
    onGateEvent: (gate, event) => seen.gate.push({ gate, event }),
  });
  print(`Portcullis demo: nobody watches, so it plays its story by itself.\n`);
  print(`   wiki      ${demo.wiki}\n   notes     ${demo.notes}\n   accounts  ${demo.accounts}\n`);
  const report = new StoryReport(print);
  const held: LongConnection[] = [];
  try {
    await within(DEADLINE_MS, play({ demo, report, seen, held }));
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
  const [ada, grace] = [new Visitor('Ada'), new Visitor('Grace')];

  report.step('Ada and Grace sign in at the wiki, each with a browser of her own');
  await signIn(stage, ada);
  await signIn(stage, grace);

  report.step('Ada opens the notes too');
  const notes = await ada.open(demo.notes);
  report.check(notes.body.includes('Ada Lovelace'), 'the provider knows her: no second form');

  report.step('At the wiki, each opens a WebSocket, an event stream, a download and an upload');
  const { ws } = await loadPackages();
  const adas = await openLongConnections(ada, demo.wiki, ws);
  held.push(...adas);
  const graces = await openLongConnections(grace, demo.wiki, ws);
  held.push(...graces);
  await until(() => seen.app.filter(({ state }) => state === 'began').length === 8);
  report.check(true, 'eight long connections run through the gate');

  report.step('Ada signs out on the account page, far away from the wiki');
  const clickedAtMs = await signOutElsewhere(stage, ada);
  await checkCut(stage, adas, clickedAtMs);
  await checkRefused(stage, ada);
  await checkUntouched(stage, graces);

  report.step('Ada signs in again');
  await signIn(stage, ada);
  held.push(...(await openLongConnections(ada, demo.wiki, ws)));
  report.check(true, 'and her connections run as before');
}

async function signIn({ demo, report }: Stage, visitor: Visitor): Promise<void> {
  const form = await visitor.open(demo.wiki);
  const page = await visitor.open(form.url, { person: visitor.name.toLowerCase() });
  const isIn =
    page.status === 200 && page.url.startsWith(demo.wiki) && page.body.includes(`<b id="user">${visitor.name} `);
  report.check(isIn, `${visitor.name} is in: ${page.status} at ${page.url}`);
}

/** The button "Sign out everywhere", and the confirmation that a browser sends by itself. Returns the moment of that. */
async function signOutElsewhere({ demo, report }: Stage, visitor: Visitor): Promise<number> {
  const ending = await visitor.open(`${demo.accounts}/session/end`);
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(ending.body)?.[1] ?? '';
  const clickedAtMs = performance.now();
  const page = await visitor.open(`${demo.accounts}/session/end/confirm`, { xsrf, logout: 'yes' });
  report.check(page.body.includes('Signed out everywhere'), `the provider says so after ${since(clickedAtMs)}`);
  return clickedAtMs;
}

async function checkCut(
  { report, seen }: Stage,
  connections: readonly LongConnection[],
  clickedAtMs: number,
): Promise<void> {
  for (const { kind, amount, ended } of connections) {
    const ending = await Promise.race([ended, stillOpen()]);
    const after = `${(ending.atMs - clickedAtMs).toFixed(1)} ms after the click`;
    report.check(ending.isCut, `${kind}: ${ending.how}, ${after}; ${amounts(kind, amount())}`);
  }
  const brokenUpload = ({ app, user, kind, state }: AppEvent) =>
    app === 'wiki' && user === 'ada' && kind === 'upload' && state === 'broke off';
  await until(() => seen.app.some(({ user, state }) => user === 'ada' && state !== 'began')).catch(() => {});
  await until(() => seen.app.some(brokenUpload)).catch(() => {});
  report.check(
    seen.app.some(brokenUpload),
    `the wiki saw the upload break off ${seen.app.find(brokenUpload)?.detail ?? '- it did not'}`,
  );
  const end = seen.gate.find(({ gate, event }) => gate === 'wiki' && event.event === 'session.ended')?.event;
  if (end?.event === 'session.ended') {
    report.check(
      true,
      `the gate's own account: stopped in ${end.stop_ms.toFixed(1)} ms, all closed in ${end.close_ms.toFixed(1)} ms`,
    );
  } else report.check(false, "the gate's audit trail has no session.ended");
}

async function checkRefused({ demo, report }: Stage, visitor: Visitor): Promise<void> {
  for (const origin of [demo.wiki, demo.notes]) {
    const page = await visitor.ask(origin, { as: 'page' });
    const script = await visitor.ask(origin, { as: 'script' });
    const isOut = page.status === 302 && script.status === 401;
    report.check(
      isOut,
      `the next page at ${origin}: ${page.status} to the sign-in; a script's request: ${script.status}`,
    );
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

/** @throws after PATIENCE_MS. */
async function until(holds: () => boolean): Promise<void> {
  for (const giveUpAtMs = performance.now() + PATIENCE_MS; !holds(); await sleep(5)) {
    if (performance.now() > giveUpAtMs) throw new Error(`nothing happened for ${PATIENCE_MS} ms`);
  }
}

async function within<T>(deadlineMs: number, story: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`not finished within ${deadlineMs / 1000} s`)), deadlineMs);
  return await Promise.race([story, late.promise]).finally(() => clearTimeout(timer));
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

function since(atMs: number): string {
  return `${(performance.now() - atMs).toFixed(1)} ms`;
}

function amounts(kind: LongConnection['kind'], amount: number): string {
  return kind === 'WebSocket' || kind === 'event stream' ? `${amount} ticks` : `${Math.round(amount / 1024)} KiB`;
}
