// Clients that leave at every stage, in a process of its own, for `bench/leak.ts`. Each has a raw connection, says what it
// has to say, waits for a moment that is worth leaving at, and leaves by FIN or by reset in turn.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerParent } from './children.ts';
import { beginSignIn, closeIdleConnections, signIn } from './one-sign-in.ts';
import { sendNotice } from './timed-request.ts';
import { closeFrame } from './websocket-frames.ts';

export interface RoughOptions {
  readonly publicUrl: string;
  /** The provider, which gives out logout tokens too. */
  readonly issuer: string;
  /** Sessions of users who work all the time. */
  readonly cookies: readonly string[];
  /** Sessions that are used so seldom that their tokens have to be refreshed each time. */
  readonly sleepers: readonly string[];
  readonly sleeperMs: number;
}

export interface RoughOutcome {
  /** How many of each kind were done. */
  readonly done: Readonly<Record<string, number>>;
  /** Kinds whose client waited in vain for what it was to leave at. */
  readonly stuck: Readonly<Record<string, number>>;
}

interface Visit {
  readonly options: RoughOptions;
  readonly cookie: string;
  readonly turn: number;
}

const LONGEST_MS = 10_000;
const BODY_BYTES = 1_000_000;
const PIECE = Buffer.alloc(50_000, 'x');
const UPGRADE =
  'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n';

/** Kinds of visit and how often each comes among a thousand. */
const KINDS: readonly (readonly [name: string, often: number, visit: (visit: Visit) => Promise<void>])[] = [
  ['whole answer, kept connection', 400, (visit) => answeredOnKept(visit, '/page')],
  ['leaves before a whole head was sent', 60, (visit) => talk(visit, 'GET /page HTTP/1.1\r\nHost: ', 'at once')],
  ['leaves before the answer', 100, (visit) => talk(visit, head(visit, 'GET', '/never'), 'soon')],
  ['leaves during a download', 90, (visit) => talk(visit, head(visit, 'GET', '/endless'), 'at data')],
  ['leaves during an upload', 60, (visit) => upload(visit, `Content-Length: ${BODY_BYTES}\r\n`, PIECE)],
  ['leaves during a chunked upload', 40, (visit) => upload(visit, 'Transfer-Encoding: chunked\r\n', 'c350\r\n')],
  ['upstream breaks off a body', 30, (visit) => talk(visit, head(visit, 'GET', '/breaks-body'), 'at end')],
  [
    'upstream breaks off a chunked body',
    20,
    (visit) => talk(visit, head(visit, 'GET', '/breaks-chunked-body'), 'at end'),
  ],
  [
    'upstream breaks off before the head',
    20,
    (visit) => talk(visit, head(visit, 'GET', '/breaks-before-head'), 'at data'),
  ],
  ['upstream resets before the head', 10, (visit) => talk(visit, head(visit, 'GET', '/resets-before-head'), 'at data')],
  ['upstream answers nonsense', 10, (visit) => talk(visit, head(visit, 'GET', '/nonsense'), 'at data')],
  ['leaves an event stream', 40, (visit) => talk(visit, head(visit, 'GET', '/events'), 'at data')],
  ['leaves a WebSocket', 40, (visit) => talk(visit, head(visit, 'GET', '/socket', UPGRADE), 'at data')],
  ['closes a WebSocket', 20, (visit) => closeSocket(visit, closeFrame(1000, 'client'))],
  ['half closes a WebSocket', 15, (visit) => closeSocket(visit, undefined)],
  ['leaves during a handshake', 15, (visit) => talk(visit, head(visit, 'GET', '/socket-never', UPGRADE), 'soon')],
  ['handshake is refused', 10, (visit) => talk(visit, head(visit, 'GET', '/socket-refused', UPGRADE), 'at end')],
  ['begins a sign-in and leaves', 5, (visit) => beginSignIn(visit.options.publicUrl).then(() => {})],
  ['leaves during the callback', 4, leaveDuringCallback],
  ['leaves during a refresh', 4, leaveDuringRefresh],
  ['signs in', 4, (visit) => signIn(visit.options.publicUrl).then(() => {})],
  ['is signed out during an event stream', 3, endDuringStream],
];
const SCHEDULE = spread(KINDS.map(([, often]) => often));

const kept = new Map<string, Socket[]>();
const sleptSince = new Map<string, number>();
let turn = 0;

answerParent({
  /** So many visits, so many at once; resolves when all connections are closed. */
  async visit({
    options,
    count,
    atOnce,
  }: {
    options: RoughOptions;
    count: number;
    atOnce: number;
  }): Promise<RoughOutcome> {
    const done: Record<string, number> = {};
    const stuck: Record<string, number> = {};
    let left = count;
    const visitor = async (): Promise<void> => {
      while (left-- > 0) {
        const [name, , visit] = KINDS[SCHEDULE[turn % SCHEDULE.length]!]!;
        const cookie = options.cookies[turn % options.cookies.length]!;
        const isDone = await inTime(visit({ options, cookie, turn: turn++ }), name);
        const counts = isDone ? done : stuck;
        counts[name] = (counts[name] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, visitor));
    for (const sockets of kept.values()) for (const socket of sockets) socket.destroy();
    kept.clear();
    closeIdleConnections();
    return { done, stuck };
  },
});

/** Every kind as often as it should come, evenly mixed, always in the same order. */
function spread(often: readonly number[]): number[] {
  const total = often.reduce((sum, each) => sum + each, 0);
  const owed = often.map(() => 0);
  return Array.from({ length: total }, () => {
    for (const [kind, each] of often.entries()) owed[kind]! += each;
    const next = owed.indexOf(Math.max(...owed));
    owed[next]! -= total;
    return next;
  });
}

/** False where it took too long or failed, which is printed. */
async function inTime(visit: Promise<void>, name: string): Promise<boolean> {
  const { promise: tooLong, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('stuck')), LONGEST_MS);
  try {
    await Promise.race([visit, tooLong]);
    return true;
  } catch (error) {
    console.error(`${name}: ${String(error)}`);
    return false;
  } finally {
    clearTimeout(timer);
  }
}

function head({ options, cookie }: Visit, method: string, path: string, more = ''): string {
  return `${method} ${path} HTTP/1.1\r\nHost: ${new URL(options.publicUrl).host}\r\nCookie: ${cookie}\r\n${more}\r\n`;
}

async function open({ options }: Visit): Promise<Socket> {
  const { hostname, port } = new URL(options.publicUrl);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

async function talk(visit: Visit, text: string, leaves: 'at once' | 'soon' | 'at data' | 'at end'): Promise<void> {
  const socket = await open(visit);
  socket.write(text);
  if (leaves === 'soon') await sleep(2);
  if (leaves === 'at data') await dataOrEnd(socket);
  if (leaves === 'at end') await once(socket.resume(), 'close');
  leave(visit, socket);
}

async function dataOrEnd(socket: Socket): Promise<void> {
  await new Promise((resolve) => socket.once('data', resolve).once('close', resolve));
}

function leave({ turn: t }: Visit, socket: Socket): void {
  if (t % 2 === 0) socket.destroy();
  else socket.resetAndDestroy();
}

async function upload(visit: Visit, framing: string, body: Buffer | string): Promise<void> {
  const socket = await open(visit);
  socket.write(head(visit, 'POST', '/takes-nothing', framing));
  socket.write(body);
  await sleep(2);
  leave(visit, socket);
}

/** Waits for the peer to close, as a browser does. */
async function closeSocket(visit: Visit, frame: Buffer | undefined): Promise<void> {
  const socket = await open(visit);
  socket.write(head(visit, 'GET', '/socket', UPGRADE));
  await once(socket, 'data');
  const closed = once(socket.resume(), 'close');
  if (frame === undefined) socket.end();
  else socket.write(frame);
  await closed;
}

async function answeredOnKept(visit: Visit, path: string): Promise<void> {
  const idle = kept.get(visit.cookie) ?? [];
  kept.set(visit.cookie, idle);
  const before = idle.pop();
  const socket = before === undefined || before.destroyed ? await open(visit) : before;
  socket.write(head(visit, 'GET', path));
  let answer = '';
  while (!answer.includes('\r\n\r\n') || answer.length - answer.indexOf('\r\n\r\n') - 4 < 1024) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    answer += chunk.toString('latin1');
  }
  if (!answer.startsWith('HTTP/1.1 200')) throw new Error(answer.split('\r\n', 1)[0]);
  idle.push(socket);
}

async function leaveDuringCallback(visit: Visit): Promise<void> {
  const { callback, cookies } = await beginSignIn(visit.options.publicUrl);
  const { pathname, search, host } = new URL(callback);
  await talk(
    visit,
    `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nAccept: text/html\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nCookie: ${cookies}\r\n\r\n`,
    'soon',
  );
}

/** The first sleeper that has slept long enough for its token to expire; nobody, where all are awake. */
async function leaveDuringRefresh(visit: Visit): Promise<void> {
  const { sleepers, sleeperMs } = visit.options;
  const now = performance.now();
  const cookie = sleepers.find((each) => now - (sleptSince.get(each) ?? 0) > sleeperMs);
  if (cookie === undefined) return;
  sleptSince.set(cookie, now);
  const sleeping = { ...visit, cookie };
  await talk(sleeping, head(sleeping, 'GET', '/page'), 'soon');
}

async function endDuringStream(visit: Visit): Promise<void> {
  const { session, user } = await signIn(visit.options.publicUrl);
  const signedIn = { ...visit, cookie: session };
  const socket = await open(signedIn);
  socket.write(head(signedIn, 'GET', '/events'));
  await once(socket, 'data');
  const closed = once(socket.resume(), 'close');
  const token = await (await fetch(`${visit.options.issuer}/logout-token?user=${user}`)).text();
  await sendNotice(visit.options.publicUrl, token);
  await closed;
}
