// What can happen at once in an explored world: each activity is one actor, and begins when the schedule says so.

import { newSessionHandle, newSessionId } from '../../../src/base/ids.ts';
import type { RawNotice } from '../../../src/logout/receive-notice.ts';
import { ISSUER } from '../session-records.ts';
import { SID, SUB, type World } from './world.ts';

/** By the names that schedules are printed with. */
const ACTIVITIES = {
  /** A logout token of the SSO session, as Keycloak sends it. */
  notice: (world) => notice(world, world.logoutToken({ sid: SID, sub: SUB })),
  /** One that names the user alone. */
  'notice-sub': (world) => notice(world, world.logoutToken({ sub: SUB })),
  /** Keycloak's "Sign out all active sessions", which names the client and nothing else. */
  'notice-client': (world) => notice(world, world.clientLogout()),
  /** The frame of a front-channel logout. */
  'notice-frame': frame,
  /** Another browser signs in on the same SSO session. */
  login: (world) => signIn(world, 'new browser'),
  /** The same browser signs in again: its session gets a new id. */
  relogin: (world) => signIn(world, 'same browser'),
  /** A request whose session needs a refresh first. */
  refresh: (world) => request(world, 'http'),
  /** A request: the user's activity. */
  touch: (world) => request(world, 'http'),
  /** A change of the record that has nothing to do with tokens. */
  save,
  /** A WebSocket, with a frame in each direction. */
  upgrade: (world) => request(world, 'websocket'),
  /** Somebody has doubts, and the provider is asked whether the session lives. */
  probe: async (world) => world.doubt(),
  /** Time passes: waits run out, and whatever was put off falls due. */
  time: async ({ clock }) => clock.advance(5_000),
} satisfies Record<string, (world: World) => Promise<void>>;

export type Activity = keyof typeof ACTIVITIES;

export const ACTIVITY_NAMES = Object.keys(ACTIVITIES) as readonly Activity[];

/** Makes Ada's session and whatever these activities need, and has all of them wait for their turn. */
export async function begin(world: World, activities: readonly Activity[]): Promise<Promise<void>[]> {
  await world.begin(activities.includes('refresh') ? 'due' : 'fresh');
  world.turns.close();
  return activities.map((activity, at) => {
    const copy = activities.slice(0, at).filter((earlier) => earlier === activity).length;
    const actor = copy === 0 ? activity : `${activity} ${copy + 1}`;
    return world.turns.act(actor, () => ACTIVITIES[activity](world));
  });
}

/** One sign-in: what http/endpoints/callback does, in its order. */
export async function signIn(world: World, browser: 'new browser' | 'same browser'): Promise<void> {
  const { store, turns, witness } = world;
  const id = newSessionId();
  const found = browser === 'same browser' ? await store.find(world.cookie) : undefined;
  witness.signInStarts(id);
  const beganAt = await store.now();
  witness.codeExchangeBegins(id);
  await turns.wait('the provider answers the code exchange');
  const session = await world.admit({
    signedIn: world.signedIn(),
    beganAt,
    id,
    handle: newSessionHandle(),
    current: found?.ended ? undefined : found,
    cookieHost: 'wiki.example.com',
    refusedAcr: undefined,
    address: '192.0.2.1',
    userAgent: 'test',
  });
  witness.signInEnds(id, session);
}

async function notice(world: World, raw: RawNotice): Promise<void> {
  const answered = world.witness.noticeArrives();
  const { status } = await world.receiveNotice(raw);
  answered(status);
}

async function frame({ witness, receiveFrontchannelNotice }: World): Promise<void> {
  const answered = witness.noticeArrives();
  const outcome = await receiveFrontchannelNotice({ iss: [ISSUER], sid: [SID] });
  answered(outcome === 'accepted' ? 200 : 400);
}

async function request(world: World, kind: 'http' | 'websocket'): Promise<void> {
  world.network.request(kind, world.cookie);
}

async function save({ store, cookie }: World): Promise<void> {
  const session = await store.find(cookie);
  let outcome = session === undefined ? 'ended' : 'changed';
  while (session !== undefined && outcome === 'changed') {
    const { record } = session;
    outcome = await store.update(session, { ...record, claims: { saved: true }, version: record.version + 1 });
  }
}
